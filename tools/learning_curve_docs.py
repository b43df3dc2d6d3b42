"""Put a learning curve into docs: its tables between the markers, its figure beside the others.

python tools/learning_curve_docs.py runs/learning-curve-speedy
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import marks

ROOT = Path(__file__).resolve().parents[1]


def main(folder: Path) -> None:
    """Write docs/learning-curve.md and docs/images/learning-curve.png."""
    tables = (folder / "learning-curve.md").read_text(encoding="utf-8").strip()
    marks.write(ROOT / "docs/learning-curve.md", "learning-curve", tables)
    shutil.copyfile(folder / "learning-curve.png", ROOT / "docs/images/learning-curve.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

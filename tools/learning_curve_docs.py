"""Put a learning curve into docs: its tables between the markers, its figure beside the others.

python tools/learning_curve_docs.py runs/learning-curve-speedy
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- learning-curve:begin -->", "<!-- learning-curve:end -->"


def main(folder: Path) -> None:
    """Write docs/learning-curve.md and docs/images/learning-curve.png."""
    page = ROOT / "docs/learning-curve.md"
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    tables = (folder / "learning-curve.md").read_text(encoding="utf-8").strip()
    page.write_text(f"{before}{BEGIN}\n{tables}\n{END}{after}", encoding="utf-8")
    shutil.copyfile(folder / "learning-curve.png", ROOT / "docs/images/learning-curve.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

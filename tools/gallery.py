"""Draw the pictures of docs/gallery.md: its Python blocks, run one after another.

Pictures are made smaller than a paper's, and their colours fewer, so that the repository stays
small.

Examples
--------
Every picture::

    python tools/gallery.py
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "gallery.md"
PICTURES = ROOT / "docs" / "images" / "gallery"
# Pixels of the widest picture, by how much the others are smaller than a paper's, and colours.
WIDEST, SHRINK, COLOURS = 1400, 2.0, 256


def program(page: str) -> str:
    """Return the Python blocks of a page as one program."""
    return "\n".join(re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))


def save_small(picture: Image.Image, target: Path) -> None:
    """Write a picture in few colours."""
    # The method that strays least from any colour (31 of 255 on an analysis, Pillow's usual one 95:
    # brown for red, grey for blue) and keeps white white.
    method = Image.Quantize.MAXCOVERAGE
    few = picture.quantize(COLOURS, method, kmeans=8, dither=Image.Dither.NONE)
    few.save(target, optimize=True)


def shrink(source: Path, target: Path) -> None:
    """Write a picture in fewer pixels and colours."""
    with Image.open(source) as picture:
        plain = picture.convert("RGB")
        scale = max(SHRINK, plain.width / WIDEST)
        size = (round(plain.width / scale), round(plain.height / scale))
        save_small(plain.resize(size, Image.Resampling.LANCZOS), target)


def main() -> int:
    """Run the page and keep what it drew."""
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"images/gallery/([\w-]+\.png)", page))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "assets").symlink_to(ROOT / "assets")
        subprocess.run(  # noqa: S603
            [sys.executable, "-c", program(page)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
        )
        drawn = {path.name: path for path in Path(folder).glob("*.png")}
        if set(drawn) != named:
            print(f"The page shows {sorted(named)} and draws {sorted(drawn)}; make them one.")
            return 1
        PICTURES.mkdir(parents=True, exist_ok=True)
        for old in PICTURES.glob("*.png"):
            old.unlink()
        for name, path in sorted(drawn.items()):
            shrink(path, PICTURES / name)
            print(f"{name}: {(PICTURES / name).stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Convert Natural Earth's GeoJSON into the compact coastlines that the page draws.

The page must work without the internet, so the coastlines are shipped with it, in
``mlda_core/assets/coastlines``; the README there says what the files hold.

Examples
--------
With ``ne_110m_coastline.json``, ``ne_50m_coastline.json`` and ``ne_110m_land.json`` in a folder::

    python tools/make_coastlines.py path/to/natural_earth
"""

import argparse
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]

FILES = {
    "coastline_110m": "ne_110m_coastline.json",
    "coastline_50m": "ne_50m_coastline.json",
    "land_110m": "ne_110m_land.json",
}

# 0.001 degrees is 100 m, a twentieth of a pixel at the deepest useful zoom of a 0.5 degree grid.
DECIMALS = 3

Line = NDArray[np.float64]


def read_lines(path: Path) -> Iterator[tuple[Line, bool]]:
    """Yield each line or ring of a GeoJSON file, and whether it is a hole in a polygon.

    Parameters
    ----------
    path : Path
        A FeatureCollection of lines, polygons, or many of them.

    Yields
    ------
    line : ndarray, shape (n, 2)
        Longitude and latitude in degrees.
    hole : bool
        Whether the line is an inner ring.
    """
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        kind, parts = feature["geometry"]["type"], feature["geometry"]["coordinates"]
        if not kind.startswith("Multi"):
            parts = [parts]
        for part in parts:
            rings = part if kind.endswith("Polygon") else [part]
            for index, ring in enumerate(rings):
                yield np.asarray(ring, dtype=np.float64)[:, :2], index > 0


def cut(line: Line) -> list[Line]:
    """Cut a line where it crosses the dateline or Greenwich.

    Each piece then lies in one of the hemispheres -180..0 and 0..180, so that whole pieces can be
    moved by 360 degrees, and none draws a stroke across a map centred on either meridian.

    Parameters
    ----------
    line : ndarray, shape (n, 2)
        Longitude (-180..180) and latitude in degrees.

    Returns
    -------
    list of ndarray
        The pieces, at least two points each; points of the cuts lie on the meridian exactly.
    """
    line = np.column_stack([np.clip(line[:, 0], -180.0, 180.0), line[:, 1]])
    pieces: list[Line] = []
    piece = [line[0]]
    for start, end in itertools.pairwise(line):
        if start[0] * end[0] >= 0:
            # One hemisphere. A stroke along the dateline is the file's own seam, not a coast.
            if abs(start[0]) == abs(end[0]) == 180.0:
                pieces.append(np.array(piece))
                piece = []
            piece.append(end)
            if end[0] == 0.0:
                pieces.append(np.array(piece))
                piece = [end]
            continue
        # The short way round decides which of the two meridians is crossed.
        dateline = abs(end[0] - start[0]) > 180.0
        side = np.copysign(180.0, start[0]) if dateline else 0.0
        span = end[0] - start[0] + (2.0 * side if dateline else 0.0)
        fraction = (side - start[0]) / span
        lat = start[1] + fraction * (end[1] - start[1])
        pieces.append(np.array([*piece, [side, lat]]))
        piece = [np.array([-side, lat]), end]
    pieces.append(np.array(piece))
    return [np.array(p) for p in pieces if len(p) > 1]


def join(lines: list[Line]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Join lines into one longitude and one latitude array, NaN between lines."""
    gap = np.full((1, 2), np.nan)
    parts = [part for line in lines for part in (np.round(line, DECIMALS), gap)]
    joined = np.concatenate(parts[:-1]).astype(np.float32)
    return joined[:, 0].copy(), joined[:, 1].copy()


def convert(source: Path, target: Path) -> int:
    """Convert one GeoJSON file and return how many pieces it became.

    Lines are cut at the dateline and at Greenwich. Rings of polygons, which end at the dateline as
    they come, stay whole, for a cut would show as a seam in the fill.
    """
    lines: list[Line] = []
    holes: list[bool] = []
    polygons = "land" in target.name
    for line, hole in read_lines(source):
        pieces = [line] if polygons else cut(line)
        lines += pieces
        holes += [hole] * len(pieces)
    lon, lat = join(lines)
    extra = {"hole": np.array(holes)} if polygons else {}
    np.savez_compressed(target, allow_pickle=False, lon=lon, lat=lat, **extra)
    return len(lines)


def main() -> int:
    """Convert all files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path, help="the folder with Natural Earth's GeoJSON files")
    parser.add_argument("--target", type=Path, default=ROOT / "mlda_core" / "assets" / "coastlines")
    arguments = parser.parse_args()
    arguments.target.mkdir(parents=True, exist_ok=True)
    for name, source in FILES.items():
        path = arguments.source / source
        if not path.is_file():
            print(f"There is no {path}: download it from naturalearthdata.com.", file=sys.stderr)
            return 1
        target = arguments.target / f"{name}.npz"
        pieces = convert(path, target)
        print(f"{target}: {pieces} pieces, {target.stat().st_size / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

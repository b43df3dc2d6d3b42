"""Data files that ship inside the package: coastlines, stations, the GCM's responses."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

# Package data: the same folder in a checkout and in an installed wheel.
ASSETS = Path(__file__).resolve().parents[1] / "assets"


def coastline(scale: Literal["110m", "50m"] = "110m") -> tuple[NDArray, NDArray]:
    """Return the Natural Earth coastlines as one polyline.

    Parameters
    ----------
    scale : {"110m", "50m"}
        110m for global maps, 50m for zoomed ones.

    Returns
    -------
    lon, lat : ndarray of float32, shape (p,)
        Degrees, longitude -180 to 180, NaN between pieces. Pieces are cut at the dateline and at
        Greenwich, so that a whole piece can be moved by 360 degrees.
    """
    path = ASSETS / "coastlines" / f"coastline_{scale}.npz"
    with np.load(path, allow_pickle=False) as stored:
        return stored["lon"], stored["lat"]

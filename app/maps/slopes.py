"""How the model's maps change with one latent: what the browser draws while a slider is dragged.

A frame from the server takes its time, a second and more where thirty people drag at once. Between
two frames the browser adds to the last one the change of its hand times the slope of each pixel;
the next frame replaces it. No panel, bokeh or holoviews here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.maps.color_scales import LEVELS, column_limits, limits
from app.maps.frames import BundleLike, Request, amplification
from app.maps.projections import pixel_map
from app.maps.vectors import stretched

# Half the distance over which a slope is taken; from 0.05 to 1 it makes no difference.
HALF_STEP = 0.5
# How far a slope holds. Eight latents of the bundled model in December 1997, moved by 1: the maps
# are at most one of 254 colours off, rain four. Moved by 3: 0.8 colours rms, rain 1.7.
REACH = 2.0
# The maps of a model that is decoded from the latents, as it is or against the target.
LINEAR = ("model", "difference")


@dataclass(frozen=True, eq=False)
class Slope:
    """The slope of every model map in one latent.

    Parameters
    ----------
    k : int
        The latent.
    z : ndarray, shape (n_latent,)
        Where it was taken.
    rates : ndarray of int8, shape (V, NY, NX)
        Palette indices per unit of the latent, in parts of `scales`; 0 where nothing is drawn.
    scales : ndarray of float32, shape (V,)
        Palette indices per unit of the latent that a rate of 1 stands for.
    lows, per_unit : ndarray of float32, shape (V,)
        The lower end of each map's scale, display units, and palette indices per display unit.
    """

    k: int
    z: NDArray[np.float32]
    rates: NDArray[np.int8]
    scales: NDArray[np.float32]
    lows: NDArray[np.float32]
    per_unit: NDArray[np.float32]

    def near(self, z: NDArray[np.float32]) -> bool:
        """Whether it still holds: no other latent moved, and this one by no more than `REACH`."""
        moved = np.abs(z - self.z)
        far = float(moved[self.k])
        moved[self.k] = 0
        return far <= REACH and not moved.any()


def picture_of(request: Request) -> tuple[Any, ...] | None:
    """Return what a slope depends on beside the latents; None where no slope is drawn.

    An analysis, a response or another method's result does not change with a slider.
    """
    column = request.column
    fits = request.analysis is None and request.scene is None and column.look is None
    if not fits or column.kind not in LINEAR:
        return None
    scale = amplification(request)["model"]
    return request.date, request.projection, request.full, column.kind, scale


def slope_of(bundle: BundleLike, request: Request, k: int) -> Slope:
    """Return the slope of a request's model maps in latent `k`.

    Parameters
    ----------
    bundle : Bundle
        Only read; it decodes twice.
    request : Request
        Of a picture that `picture_of` knows.
    k : int
        The latent.
    """
    ends = np.stack([request.z, request.z])
    ends[:, k] += (-HALF_STEP, HALF_STEP)
    season = bundle.seasons.of(request.month)
    below, above = bundle.decode_anomalies(ends, season)
    fields = (above - below) / (2 * HALF_STEP)
    pixels = pixel_map(request.projection, bundle.grid)
    kind = request.column.kind
    ends_of_scales = np.array(
        [
            column_limits(variable, kind)
            if kind != "model"
            else limits(variable, full=request.full)
            for variable in stretched(bundle.variables, amplification(request)["model"])
        ],
        dtype=np.float32,
    )
    lows, highs = ends_of_scales.T
    per_unit = np.float32(LEVELS) / (highs - lows)
    rates = np.nan_to_num([pixels.project(field) for field in fields])
    rates *= per_unit[:, None, None]
    most = np.abs(rates).max(axis=(1, 2))
    scales = np.where(most > 0, most / 127, 1).astype(np.float32)
    rounded = np.rint(rates / scales[:, None, None]).astype(np.int8)
    return Slope(k, request.z, rounded, scales, lows, per_unit)

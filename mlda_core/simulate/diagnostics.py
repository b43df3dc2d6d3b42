"""Daily diagnostics from fields on the model's own levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

# K m-1, J kg-1 K-1, m s-2: the values used for the bundled SPEEDY months.
LAPSE = 0.0065
GAS = 287.05
GRAVITY = 9.81


def sea_level_pressure(surface: Float, lowest: Float, height: Float, sigma: float) -> Float:
    """Reduce pressure to sea level with a constant lapse rate.

    Parameters
    ----------
    surface : ndarray, shape (lat, lon)
        Surface pressure, Pa.
    lowest : ndarray, shape (lat, lon)
        Temperature of the lowest level, K.
    height : ndarray, shape (lat, lon)
        Surface height, m, spectrally truncated as in the dynamics. With any other height, the
        truncation's ripples remain in the pressure, up to 10 hPa.
    sigma : float
        Pressure of the lowest level over surface pressure.

    Returns
    -------
    ndarray, shape (lat, lon)
        Pa.
    """
    power = LAPSE * GAS / GRAVITY
    ground = lowest * (1.0 / sigma) ** power
    return np.asarray(surface * (1.0 + LAPSE * height / ground) ** (1.0 / power))


def on_pressure(fields: Float, surface: Float, sigma: Float, level: float) -> Float:
    """Interpolate a field from sigma levels to a pressure level, linearly in log-pressure.

    Parameters
    ----------
    fields : ndarray, shape (levels, lat, lon)
    surface : ndarray, shape (lat, lon)
        Surface pressure, Pa.
    sigma : ndarray, shape (levels,)
        Pressure over surface pressure, monotonic.
    level : float
        Pressure, Pa.

    Returns
    -------
    ndarray, shape (lat, lon)
        Beyond the highest and lowest level, as above high ground, that level's value is used.
    """
    order = np.argsort(sigma)
    values, heights = fields[order], np.log(sigma[order])
    wanted = np.clip(np.log(level / surface), heights[0], heights[-1])
    above = np.clip(np.searchsorted(heights, wanted, side="right") - 1, 0, len(heights) - 2)
    part = (wanted - heights[above]) / (heights[above + 1] - heights[above])
    upper = np.take_along_axis(values, above[None], axis=0)[0]
    lower = np.take_along_axis(values, above[None] + 1, axis=0)[0]
    return np.asarray(upper + part * (lower - upper))

"""How responses and sensitivities look: scales of their own, fixed, and fading."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.maps.frames import LEVELS, MISSING, OUTSIDE
from app.maps.projections import PixelMap
from mlda_core.climate.variables import Variable

# Half of the colours are the faded ones.
HALF = LEVELS // 2
# How far a faded colour has gone towards that of zero: towards a dark page's own colour it would
# stand out from what is small and certain, which is nearly white.
FADED = 0.68
# Ends of the response's colours as a share of the anomaly's: what a month answers to two kelvin is
# smaller than what months differ by. The larger of the 99th percentiles that Nino 3.4 +2 K and +1 K
# everywhere have in 1997-12 are 2.5 hPa, 1.4 and 1.8 K, 2.2 mm/day; over the warmed sea itself it
# rains many times as much, so rain has a wider scale.
SHARE = 0.4
_SHARES = {"psl": 0.25, "tos": 2 / 3, "pr": 1.2}
# And of the response to one kelvin.
PER_KELVIN = 0.5


@dataclass(frozen=True)
class Look:
    """Scales of a column of maps that are neither anomalies nor full fields.

    Parameters
    ----------
    limits : tuple of float or None
        For each variable the value of the last colour, either way of zero; None: an anomaly.
    units : tuple of str
        Of each variable.
    words : str
        What the colours mean, for those who cannot see them.
    decimals : int
        How exact a value is read.
    faded : bool
        Whether small values may be faded.
    plain : str
        What the rows without a scale of their own show; '' where there is nothing to say.
    """

    limits: tuple[float | None, ...]
    units: tuple[str, ...]
    words: str
    decimals: int = 2
    faded: bool = False
    plain: str = ""

    def draw(
        self,
        i: int,
        field: NDArray[np.floating],
        reference: NDArray[np.floating] | None,
        pixels: PixelMap,
    ) -> NDArray[np.uint8]:
        """Draw a field as palette indices.

        Parameters
        ----------
        i : int
            Which variable.
        field : ndarray, shape (lat, lon)
            Display units; NaN where missing.
        reference : ndarray, shape (lat, lon), optional
            What is smaller than this, either way of zero, is faded.
        pixels : PixelMap
            The projection.

        Returns
        -------
        ndarray of uint8, shape (NY, NX)
            1..127 as it is, 128..254 faded.
        """
        limit = self.limits[i] or 1.0
        values = pixels.project(field)
        scaled = (values / np.float32(limit) + 1.0) * np.float32(HALF / 2)
        image = np.nan_to_num(np.clip(scaled, 0, HALF - 1) + 1, nan=MISSING).astype(np.uint8)
        if self.faded and reference is not None:
            small = pixels.project(np.abs(field) - reference) < 0
            image[small & (image != MISSING)] += HALF
        image[~pixels.inside] = OUTSIDE
        return image


def response_look(
    variables: tuple[Variable, ...], *, per_kelvin: bool, faded: bool, words: str = "response"
) -> Look:
    """Return how the response is shown, with or without dividing it by the change."""
    scale = PER_KELVIN if per_kelvin else 1.0
    return Look(
        limits=tuple(scale * _limit(v) for v in variables),
        units=tuple(v.anomaly_units + (" per K" if per_kelvin else "") for v in variables),
        words=words,
        faded=faded,
    )


def _limit(variable: Variable) -> float:
    return step(_SHARES.get(variable.name, SHARE) * variable.anomaly_limit)


def step(value: float) -> float:
    """Return the nearest of 1, 1.5, 2, 3, 5, 6 and their tenfolds: round ends of a scale.

    >>> step(0.037), step(2.0), step(8.0)
    (0.03, 2.0, 10.0)
    """
    if not np.isfinite(value) or value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    steps = np.array([1.0, 1.5, 2.0, 3.0, 5.0, 6.0, 10.0])
    nearest = steps[np.argmin(np.abs(np.log(steps * power / value)))]
    return float(f"{nearest * power:.3g}")


def sensitivity_look(
    variables: tuple[Variable, ...], field: NDArray[np.floating], unit: str
) -> Look:
    """Return how a sensitivity is shown on the sea's row; the others stay anomalies.

    Parameters
    ----------
    variables : tuple of Variable
        Those of the bundle.
    field : ndarray, shape (lat, lon)
        The sensitivity: of other variables and regions it is of another size, so its scale is
        chosen in steps.
    unit : str
        Of the variable whose sensitivity it is.
    """
    size = np.abs(field[np.isfinite(field)])
    top = step(float(np.percentile(size, 99.5))) if size.size else 1.0
    return Look(
        limits=tuple(top if v.domain == "sea" else None for v in variables),
        units=tuple(f"{unit} per K" if v.domain == "sea" else v.anomaly_units for v in variables),
        words="sensitivity",
        decimals=4 if top < 0.02 else 3 if top < 0.2 else 2,
        plain="analysis of what is held",
    )


@lru_cache(maxsize=64)
def halves(colours: tuple[str, ...]) -> tuple[str, ...]:
    """Return 127 colours as they are and 127 blended towards that of zero, the middle one.

    Parameters
    ----------
    colours : tuple of str
        127 colours, ``#rrggbb``.
    """
    there = np.array([_rgb(colour) for colour in colours])
    mixed = np.rint((1 - FADED) * there + FADED * there[len(there) // 2]).astype(int)
    return (*colours, *("#{:02x}{:02x}{:02x}".format(*row) for row in mixed.tolist()))


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))

"""Colours of the maps: palettes, palette indices, and the fixed limits of every scale.

A map travels as palette indices, one byte a pixel. Limits are fixed for each variable, so that
months compare; responses and sensitivities have scales of their own (`Look`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.maps.projections import PixelMap
from mlda_core.climate.scales import Kind, colour_limits, round_end, written_units
from mlda_core.climate.variables import Variable

# A map travels as bytes: 0 is missing, 255 is off the globe, 1..254 are colours. A quarter of
# the size of floats, and as many colours as a palette has.
MISSING, LEVELS, OUTSIDE = 0, 254, 255
# In a map of spread the highest colour is taken for hatching.
HATCH = 254

# Data colours never change with the theme; what surrounds them does.
THEMES: dict[str, dict[str, Any]] = {
    "light": {
        "page": "#fbfbfa",
        "land": "#d3d3cf",
        "coast": "#30343a",
        "grid": "#30343a",
        "outline": "#8d9299",
        "text": "#1d2126",
        "muted": "#666c75",
        "line": "#b4b8be",
        "density": ("#d9d7ee", "#2f2387"),
        "withheld": "#c2410c",
    },
    "dark": {
        "page": "#16191d",
        "land": "#565b63",
        "coast": "#15181c",
        "grid": "#15181c",
        "outline": "#7d848e",
        "text": "#e9ebee",
        "muted": "#a2a9b4",
        "line": "#4d535c",
        "density": ("#3d3a66", "#d8d3ff"),
        "withheld": "#ffb454",
    },
}


# -- limits of a scale ------------------------------------------------------------------------


def limits(variable: Variable, *, full: bool) -> tuple[float, float]:
    """Return a variable's colour limits: fixed, so that months compare."""
    if full:
        return variable.field_limits
    return -variable.anomaly_limit, variable.anomaly_limit


def column_limits(variable: Variable, kind: str) -> tuple[float, float]:
    """Return the colour limits of a column other than the model, in its units: fixed as well."""
    if kind == "probability":
        return 0.0, 100.0
    shown: Kind = kind if kind in ("spread", "influence") else "anomaly"  # type: ignore[assignment]
    return colour_limits(variable, shown)


def units(variable: Variable, *, full: bool) -> str:
    """Return a variable's units as people write them."""
    plain = variable.display_units if full else variable.anomaly_units
    return written_units(plain)


def column_units(variable: Variable, kind: str) -> str:
    """Return the units of a column other than the model, as people write them."""
    return "%" if kind == "probability" else units(variable, full=False)


def scatter_limits(variable: Variable, *, full: bool) -> tuple[float, float]:
    """Return the limits of both axes of a scatter."""
    low, high = limits(variable, full=full)
    margin = 0.15 * (high - low) if not full else 0.04 * (high - low)
    return low - margin, high + margin


def around(limit: float) -> tuple[float, float]:
    """Return the limits of both axes of a scatter whose colours end at a limit either way."""
    return -1.3 * limit, 1.3 * limit


def quantise(values: NDArray[np.floating], low: float, high: float) -> NDArray[np.uint8]:
    """Turn values into palette indices 1..254; NaN becomes 0."""
    scaled = (values - np.float32(low)) * np.float32(LEVELS / (high - low))
    np.clip(scaled, 0, LEVELS - 1, out=scaled)
    scaled += 1
    return np.nan_to_num(scaled, copy=False, nan=MISSING).astype(np.uint8)


# -- palettes ----------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def colours(cmap: str, n: int = LEVELS) -> tuple[str, ...]:
    """Return `n` colours of a named colour map."""
    # Here, not above: frames are drawn without the libraries that draw figures.
    from holoviews.plotting.util import process_cmap

    return tuple(process_cmap(cmap, ncolors=n))


def cmap_of(variable: Variable, *, full: bool) -> str:
    """Return the name of a variable's colour map."""
    return variable.field_cmap if full else variable.anomaly_cmap


def map_palette(variable: Variable, theme: str, *, full: bool) -> list[str]:
    """Return 256 colours: missing, the colour map, off the globe (transparent)."""
    return [THEMES[theme]["land"], *colours(cmap_of(variable, full=full)), "#00000000"]


# No variable's own colour map: from small to large, light enough for dark hatching.
SPREAD_CMAP = "YlOrRd"
PROBABILITY_CMAP = "BuPu"
NEXT_CMAP = "YlGn"
# Columns whose values have no sign, and no direction for arrows.
UNSIGNED = {"spread": SPREAD_CMAP, "probability": PROBABILITY_CMAP, "next": NEXT_CMAP}
HATCH_COLOUR = "#14171b"


def column_palette(variable: Variable, theme: str, kind: str) -> list[str]:
    """Return 256 colours for a column other than the model."""
    if kind == "spread":
        land = THEMES[theme]["land"]
        return [land, *colours(SPREAD_CMAP, HATCH - 1), HATCH_COLOUR, "#00000000"]
    if kind in UNSIGNED:
        return [THEMES[theme]["land"], *colours(UNSIGNED[kind]), "#00000000"]
    return map_palette(variable, theme, full=False)


def look_palette(variable: Variable, theme: str) -> list[str]:
    """Return 256 colours of a response: as it is, and faded."""
    colour = halves(colours(variable.anomaly_cmap, HALF))
    return [THEMES[theme]["land"], *colour, "#00000000"]


@lru_cache(maxsize=4)
def density_palette(theme: str) -> tuple[str, ...]:
    """Return 256 colours from nothing to dense."""
    ends = [
        np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=float)
        for colour in THEMES[theme]["density"]
    ]
    steps = np.linspace(0.0, 1.0, 255)[:, None]
    mixed = np.rint(ends[0] * (1 - steps) + ends[1] * steps).astype(int)
    return ("#00000000", *("#{:02x}{:02x}{:02x}".format(*row) for row in mixed.tolist()))


# -- responses and sensitivities --------------------------------------------------------------

# Half of the colours are the faded ones.
HALF = LEVELS // 2
# How far a faded colour has gone towards that of zero: towards a dark page's own colour it would
# stand out from what is small and certain, which is nearly white.
FADED = 0.68
# Ends of the colours of the response to one kelvin, as a share of the response's.
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
        limits=tuple(scale * colour_limits(v, "response")[1] for v in variables),
        units=tuple(v.anomaly_units + (" per K" if per_kelvin else "") for v in variables),
        words=words,
        faded=faded,
    )


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
    top = round_end(float(np.percentile(size, 99.5))) if size.size else 1.0
    return Look(
        limits=tuple(top if v.domain == "sea" else None for v in variables),
        units=tuple(f"{unit} per K" if v.domain == "sea" else v.anomaly_units for v in variables),
        words="sensitivity",
        decimals=4 if top < 0.02 else 3 if top < 0.2 else 2,
        plain="analysis from the held fields",
    )


def atlas_look(
    variables: tuple[Variable, ...], fields: NDArray[np.floating], areas: NDArray[np.floating]
) -> Look:
    """Return how an atlas is shown: each row on a scale of its own, chosen in steps.

    It ends where 98 % of the area do: patches of high latitudes change little of the open sea, so
    that chance is large there per kelvin of its mean.

    Parameters
    ----------
    variables : tuple of Variable
        Those of the bundle.
    fields : ndarray, shape (V, lat, lon)
        Sensitivities; NaN where there is none.
    areas : ndarray, shape (lat, lon)
        Of the cells.
    """
    ends = [_end_of_most(np.abs(field), areas) for field in fields]
    tops = [round_end(end) if end > 0 else 1.0 for end in ends]
    least = min(tops)
    return Look(
        limits=tuple(tops),
        units=tuple(f"{v.anomaly_units} per K" for v in variables),
        words="sensitivity",
        decimals=3 if least < 0.2 else 2,
    )


def _end_of_most(sizes: NDArray[np.floating], areas: NDArray[np.floating]) -> float:
    """Return below what 98 % of the area is; 0 where there is no value."""
    there = np.isfinite(sizes)
    if not there.any():
        return 0.0
    order = np.argsort(sizes[there])
    share = np.cumsum(areas[there][order])
    at = min(int(np.searchsorted(share, 0.98 * share[-1])), len(order) - 1)
    return float(sizes[there][order][at])


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

"""How a variable looks: colours, limits, units and words, by what of it is shown."""

from __future__ import annotations

from dataclasses import dataclass

from mlda_core.climate.errors import UserError
from mlda_core.climate.scales import Kind, colour_limits, written_units
from mlda_core.climate.variables import Variable

_WORDS: dict[str, str] = {
    "anomaly": "anomaly",
    "field": "",
    "difference": "difference",
    "influence": "influence",
    "spread": "standard deviation",
    "response": "response",
}
# ColorBrewer's, ordered by lightness: told apart without colour.
SPREAD_CMAP = "YlOrRd"
# Of lines on maps.
INK = "#222222"
# Okabe and Ito's colours, told apart by colour-blind readers; the first is for what is true.
COLOURS = ("#222222", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00")
# Sizes of text, points.
TEXT = {
    "title": 9,
    "labels": 8,
    "xlabel": 8,
    "ylabel": 8,
    "ticks": 7,
    "legend": 7,
    "clabel": 8,
    "cticks": 7,
}


class PlotError(UserError):
    """Something cannot be drawn; the message is one sentence with the remedy."""


@dataclass(frozen=True)
class Look:
    """Colours, limits and words of one picture.

    Parameters
    ----------
    title : str
        Of the quantity, without units.
    units : str
        Display units, as people write them.
    cmap : str
        Name of a Matplotlib colour map.
    limits : tuple of float
        Of the colours; symmetric about zero where the map diverges.
    """

    title: str
    units: str
    cmap: str
    limits: tuple[float, float]

    @property
    def label(self) -> str:
        """Title and units, for an axis or a colour bar."""
        return f"{self.title} ({self.units})" if self.units else self.title


def look_of(variable: Variable, kind: Kind = "anomaly") -> Look:
    """Return how a variable looks.

    Parameters
    ----------
    variable : Variable
    kind : {"anomaly", "field", "difference", "influence", "spread", "response"}

    Returns
    -------
    Look
        Its limits are :func:`mlda_core.climate.scales.colour_limits`.

    Raises
    ------
    PlotError
        If there is no such kind.
    """
    try:
        limits = colour_limits(variable, kind)
    except ValueError as error:
        raise PlotError(str(error)) from error
    title = f"{variable.label}, {_WORDS[kind]}".rstrip(", ")
    if kind == "field":
        units = written_units(variable.display_units)
        return Look(title, units, variable.field_cmap, limits)
    cmap = SPREAD_CMAP if kind == "spread" else variable.anomaly_cmap
    return Look(title, written_units(variable.anomaly_units), cmap, limits)

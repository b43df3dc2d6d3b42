"""How a variable looks: colours, limits, units and words, by what of it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from mlda_core.climate.errors import UserError
from mlda_core.climate.variables import Variable

Kind = Literal["anomaly", "field", "difference", "spread", "response"]
_WORDS: dict[str, str] = {
    "anomaly": "anomaly",
    "field": "",
    "difference": "difference",
    "spread": "standard deviation",
    "response": "response",
}
# ColorBrewer's, ordered by lightness: told apart without colour.
SPREAD_CMAP = "YlOrRd"


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
        Display units.
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


def look_of(variable: Variable, kind: Kind = "anomaly", *, scale: float = 1.0) -> Look:
    """Return how a variable looks.

    Parameters
    ----------
    variable : Variable
    kind : {"anomaly", "field", "difference", "spread", "response"}
    scale : float
        How many times smaller values have the same colour.

    Returns
    -------
    Look

    Raises
    ------
    PlotError
        If there is no such kind.
    """
    if kind not in get_args(Kind):
        raise PlotError(f"There is no kind '{kind}'; use one of {', '.join(get_args(Kind))}.")
    title = f"{variable.label}, {_WORDS[kind]}".rstrip(", ")
    if kind == "field":
        return Look(title, variable.display_units, variable.field_cmap, variable.field_limits)
    limit = variable.anomaly_limit / scale
    if kind == "spread":
        # Half of the anomalies' limit: the 99th percentile is more than two standard deviations.
        return Look(title, variable.anomaly_units, SPREAD_CMAP, (0.0, limit / 2))
    return Look(title, variable.anomaly_units, variable.anomaly_cmap, (-limit, limit))

"""Where the colours of each kind of map end: one rule for page, notebook and paper."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from mlda_core.climate.variables import Variable

Kind = Literal["anomaly", "field", "difference", "influence", "spread", "response"]
KINDS: tuple[str, ...] = get_args(Kind)
# Ends of the response's colours as a share of the anomaly's: what a month answers to two kelvin is
# smaller than what months differ by. The larger of the 99th percentiles that Nino 3.4 +2 K and +1 K
# everywhere have in 1997-12 are 2.5 hPa, 1.4 and 1.8 K, 2.2 mm/day; over the warmed sea itself it
# rains many times as much, so rain has a wider scale.
RESPONSE_SHARE = 0.4
_RESPONSE_SHARES = {"psl": 0.25, "tos": 2 / 3, "pr": 1.2}


def colour_limits(variable: Variable, kind: Kind) -> tuple[float, float]:
    """Return the values of the first and the last colour, display units.

    One observation moves little and a spread is an anomaly's usual size, not its largest: half of
    the anomaly's limit; rain, whose extremes are many times its usual size, keeps the whole.

    Parameters
    ----------
    variable : Variable
    kind : {"anomaly", "field", "difference", "influence", "spread", "response"}

    Returns
    -------
    tuple of float
        Fixed, so that months compare; symmetric about zero but for fields and spreads.

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"There is no kind '{kind}'; use one of {', '.join(KINDS)}.")
    limit = variable.anomaly_limit
    if kind == "field":
        return variable.field_limits
    if kind == "spread":
        return 0.0, limit if variable.non_negative else limit / 2
    if kind == "influence":
        limit /= 2
    elif kind == "response":
        limit = round_end(_RESPONSE_SHARES.get(variable.name, RESPONSE_SHARE) * limit)
    return -limit, limit


def round_end(value: float) -> float:
    """Return the nearest of 1, 1.5, 2, 3, 5, 6 and their tenfolds: round ends of a scale.

    >>> round_end(0.037), round_end(2.0), round_end(8.0)
    (0.03, 2.0, 10.0)
    """
    if not np.isfinite(value) or value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    steps = np.array([1.0, 1.5, 2.0, 3.0, 5.0, 6.0, 10.0])
    nearest = steps[np.argmin(np.abs(np.log(steps * power / value)))]
    return float(f"{nearest * power:.3g}")


def written_units(units: str) -> str:
    """Return units as people write them.

    >>> written_units("degC"), written_units("hPa")
    ('°C', 'hPa')
    """
    return {"degC": "°C"}.get(units, units)

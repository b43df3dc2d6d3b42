"""The kinds of forecast models, one file each.

Files of this folder that define ``FORECAST``, a :class:`mlda_core.forecast.kind.ForecastKind`, are
discovered automatically: there is no other list.
"""

from __future__ import annotations

from mlda_core.climate.discovery import discovered, part_of
from mlda_core.forecast.kind import ForecastError, ForecastKind

FORECASTS: dict[str, ForecastKind] = {
    found.key: found
    for found in sorted(discovered(__name__, __path__, "FORECAST"), key=lambda found: found.rank)
}
# Those that `mlda forecast train` makes.
TRAINED = tuple(key for key, kind in FORECASTS.items() if kind.trained)


def forecast_of(key: str) -> ForecastKind:
    """Return a kind of forecast by its key.

    Raises
    ------
    ForecastError
        If there is none.
    """
    return part_of(FORECASTS, key, "forecast", ForecastError)

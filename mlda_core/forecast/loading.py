"""Forecast models of a bundle, read from its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlda_core.bundle.files import (
    DAMAGE,
    FORECAST_FILE,
    check_unchanged,
    read_tensors,
    reason_of,
)
from mlda_core.climate.errors import BundleError
from mlda_core.forecast.models import FORECASTS, forecast_of

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.forecast.dynamics import Dynamics


def load_forecast(bundle: Bundle, key: str = "grid") -> Dynamics:
    """Return a forecast model of a bundle.

    Parameters
    ----------
    bundle : Bundle
    key : str
        One of :data:`mlda_core.forecast.models.FORECASTS`.

    Returns
    -------
    Dynamics
        On standardised states, flattened.

    Raises
    ------
    ForecastError
        If there is no such forecast.
    BundleError
        If the bundle has not been trained one, or it is damaged.
    """
    kind = forecast_of(key)
    if not kind.trained:
        return kind.build(bundle, {}, {})
    about = bundle.config.get("forecasts", {}).get(kind.key)
    if about is None:
        raise BundleError(
            f"{bundle.path} has no {kind.key} forecast; train it with 'mlda forecast train "
            f"{bundle.path} --config FILE --model {kind.key}'."
        )
    name = FORECAST_FILE.format(kind.key)
    check_unchanged(bundle.path, bundle.config, name)
    try:
        tensors = read_tensors(bundle.path / name)
        return kind.build(bundle, tensors, about["shape"])
    except DAMAGE as problem:
        raise BundleError(
            f"{bundle.path} holds a {kind.key} forecast that does not fit ({reason_of(problem)}); "
            "copy the bundle again, or make it anew with 'mlda forecast train'."
        ) from problem


def forecasts_of(bundle: Bundle) -> tuple[str, ...]:
    """Return the forecast models that a bundle has, and those that need no training."""
    trained = bundle.config.get("forecasts", {})
    return tuple(key for key, kind in FORECASTS.items() if not kind.trained or key in trained)

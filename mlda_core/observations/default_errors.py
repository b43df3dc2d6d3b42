"""Default observation errors, as a fraction of the climate's local spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlda_core.climate.combined import CombinedPlaces
from mlda_core.climate.errors import StateError
from mlda_core.climate.interpolation import ObservationError, Places
from mlda_core.climate.seasons import MONTHLY

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float64]
# Default observation error, as a fraction of the local spread.
DEFAULT_ERROR = 0.2


def local_spread(bundle: Bundle, season: int | None = None) -> Float:
    """Return the spread of the climate in display units.

    Rain is standardised after a transform, so its spread is transformed back: half the distance
    from one standard deviation below the centre to one above.

    Parameters
    ----------
    bundle : Bundle
    season : int, optional
        Calendar month 1..12, or day of a leap year; the annual mean by default.

    Returns
    -------
    ndarray, shape (V, lat, lon)
        NaN where a variable does not exist.

    Raises
    ------
    ObservationError
        If there is no such season.
    """
    try:
        chosen = None if season is None else bundle.seasons.checked(season)
    except StateError as error:
        raise ObservationError(str(error)) from error
    # Of a daily bundle every tenth day is mean enough, and a tenth of the work.
    every = bundle.seasons.all[:: 1 if bundle.seasons is MONTHLY else 10]
    months = every if chosen is None else np.array([chosen])
    one = np.ones((months.size, *bundle.mask.shape))
    high = bundle.normaliser.restore(one, months)
    low = bundle.normaliser.restore(-one, months)
    return np.asarray(np.where(bundle.mask, 0.5 * (high - low).mean(axis=0), np.nan))


def default_error(
    bundle: Bundle,
    variable: str | Sequence[str],
    season: int | None,
    lat: ArrayLike,
    lon: ArrayLike,
) -> Float:
    """Return the default observation error: 0.2 of the local spread.

    Parameters
    ----------
    bundle : Bundle
    variable : str or sequence of str, shape (p,)
        CF names of the bundle's variables.
    season : int or None
        None for the annual mean.
    lat, lon : array_like, shape (p,)
        Degrees.

    Returns
    -------
    ndarray, shape (p,)
        Standard deviations, display units, all positive.

    Raises
    ------
    ObservationError
        If a variable does not exist at a place.
    """
    north = np.atleast_1d(np.asarray(lat, np.float64))
    names = [variable] * north.size if isinstance(variable, str) else list(variable)
    places = bundle.operator.locate(variable_rows(bundle, names), north, lon)
    spread = bundle.operator.apply(places, local_spread(bundle, season))
    decimals = np.array([v.decimals for v in bundle.variables])[places.variable]
    return error_of_spread(spread, decimals)


def error_of_spread(spread: ArrayLike, decimals: NDArray[np.integer]) -> Float:
    """Return the default error where the climate has a spread.

    Parameters
    ----------
    spread : array_like
        Display units.
    decimals : ndarray of int, broadcast to ``spread``
        That the variable is shown with.
    """
    # Where it never rains the spread is zero, but a gauge still has an error.
    least = 10.0 ** -decimals.astype(np.float64)
    return np.asarray(np.maximum(DEFAULT_ERROR * np.asarray(spread), 0.1 * least))


def spread_of(bundle: Bundle, places: Places, season: int | None) -> Float:
    """Return the spread of the climate of what an operator makes of it, display units.

    Parameters
    ----------
    bundle : Bundle
    places : Places
        On fields in display units.
    season : int or None
        None for the annual mean.

    Returns
    -------
    ndarray, shape (p,)
        Of a place its local spread; of a mean or difference that of past months, as far as their
        patterns show it.
    """
    local = local_spread(bundle, season)
    out = np.abs(np.asarray(bundle.operator.apply(places, local)))
    if isinstance(places, CombinedPlaces):
        wide = np.flatnonzero(np.bincount(places.row, minlength=len(places)) > 1)
        statistics = bundle.statistics
        flat = np.nan_to_num(local).ravel()
        for i in wide:
            cells, weight = places.index[i], places.weight[i]
            loading = statistics.patterns[:, cells] @ (weight * flat[cells])
            out[i] = (statistics.coefficients @ loading).std()
    least = np.array([10.0**-v.decimals for v in bundle.variables])[places.variable]
    return np.maximum(out, 0.1 * least)


def variable_rows(bundle: Bundle, names: Sequence[str]) -> NDArray[np.int64]:
    """Return the row of each variable in the state, shape (p,).

    Raises
    ------
    ObservationError
        If the bundle has no such variable.
    """
    known = {v.name: i for i, v in enumerate(bundle.variables)}
    unknown = next((n for n in names if n not in known), None)
    if unknown is not None:
        raise ObservationError(
            f"This model has no variable '{unknown}'; it has {', '.join(known)}."
        )
    return np.array([known[n] for n in names], np.int64)

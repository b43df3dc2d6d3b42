"""Synthetic observations: a field sampled at places, with noise."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from mlda_core.climate.interpolation import ObservationError
from mlda_core.observations.table import (
    DEFAULT_ERROR,
    default_error,
    observation_table,
    variable_rows,
)

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float64]


def synthesise(
    where: pd.DataFrame,
    bundle: Bundle,
    target: NDArray[np.floating],
    calendar_month: int,
    *,
    error: float | Mapping[str, float] = DEFAULT_ERROR,
    seed: int | Sequence[int] | None = 0,
    missing: bool = False,
) -> pd.DataFrame:
    """Observe a field: its value at each place plus noise.

    The noise is a function of the seed, the variable and the place: it does not change if other
    places are added, moved or withheld, or if the month changes. To draw new noise for each month
    of a series, include the month in the seed.

    Parameters
    ----------
    where : DataFrame
        Columns variable, lat, lon and optionally label:
        :func:`mlda_core.observations.networks.places`, or an observation table, whose
        ``withheld`` is kept.
    bundle : Bundle
    target : ndarray, shape (V, lat, lon)
        Anomalies, display units. Places without a value are dropped.
    calendar_month : int
        1..12, of the local spread.
    error : float or mapping of str to float
        Standard deviation of the noise: a fraction of the local spread for all variables, or, by
        variable, in display units (0.2 of the local spread for others).
    seed : int or sequence of int, optional
        Non-negative integers; None for values without noise.
    missing : bool
        Keep places without a value, as NaN: one row for each of `where`.

    Returns
    -------
    DataFrame
        An observation table, :data:`mlda_core.observations.table.COLUMNS`, index 0..n-1.

    Raises
    ------
    ObservationError
        If an error is not positive, or a variable does not exist at a place.
    """
    by_name = dict(error) if isinstance(error, Mapping) else {}
    part = DEFAULT_ERROR if isinstance(error, Mapping) else float(error)
    for given in (part, *by_name.values()):
        if not (np.isfinite(given) and given > 0):
            raise ObservationError(f"An observation error of {given:g} is not above 0; correct it.")
    names = list(where["variable"])
    lat, lon = where["lat"].to_numpy(np.float64), where["lon"].to_numpy(np.float64)
    rows = variable_rows(bundle, names)
    spots = bundle.operator.locate(rows, lat, lon)
    sd = default_error(bundle, names, calendar_month, lat, lon) * (part / DEFAULT_ERROR)
    for name, given in by_name.items():
        sd[np.array(names) == name] = given
    value = bundle.operator.apply(spots, np.asarray(target, np.float64))
    if seed is not None:
        value = value + sd * place_noise(names, spots.lat, spots.lon, seed)
    n = len(where)
    columns = {
        "variable": np.array(names, object),
        "lat": spots.lat,
        "lon": spots.lon,
        "value": value,
        "error_sd": sd,
        "withheld": where["withheld"].to_numpy(bool) if "withheld" in where else np.zeros(n, bool),
        "label": where["label"].to_numpy(object) if "label" in where else np.full(n, "", object),
    }
    good = np.isfinite(value) | missing
    return observation_table({k: v[good] for k, v in columns.items()})


def place_noise(names: Sequence[str], lat: Float, lon: Float, seed: int | Sequence[int]) -> Float:
    """Return a standard normal number for each place, from a hash of the place and the seed.

    With a sequential generator, deleting a place would change the noise of all later ones.

    Parameters
    ----------
    names : sequence of str
        CF short names of what is observed.
    lat, lon : ndarray, shape (p,)
        Degrees.
    seed : int or sequence of int
        Non-negative integers.

    Returns
    -------
    ndarray, shape (p,)
    """
    return noise_of(place_keys(names, lat, lon), seed)


def place_keys(names: Sequence[str], lat: Float, lon: Float) -> NDArray[np.uint64]:
    """Return what :func:`noise_of` tells places apart by, shape (4, p); see :func:`place_noise`."""
    keys = pd.DataFrame(
        {
            "variable": [zlib.crc32(n.encode()) for n in names],
            "lat": np.round(lat * 1e4).astype(np.int64),
            "lon": np.round(lon * 1e4).astype(np.int64),
        }
    )
    # Several observations at one place have independent errors.
    keys["nth"] = keys.groupby(list(keys.columns)).cumcount()
    return keys.to_numpy(np.int64).T.view(np.uint64)


def noise_of(keys: NDArray[np.uint64], seed: int | Sequence[int]) -> Float:
    """Return a standard normal number for each place, shape (p,); see :func:`place_noise`."""
    state = np.zeros(keys.shape[1], np.uint64)
    words = [seed] if isinstance(seed, int | np.integer) else list(seed)
    for word in words:
        state = _mix(state ^ np.uint64(word))
    for key in keys:
        state = _mix(state ^ key)
    uniform = ((state >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return np.asarray(ndtri(uniform))


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64 bits: splitmix64 (Steele, Lea and Flood 2014, OOPSLA)."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def synthesise_reports(
    where: pd.DataFrame,
    bundle: Bundle,
    target: NDArray[np.floating],
    calendar_month: int,
    *,
    classes: int = 5,
    error: float | None = None,
    seed: int | Sequence[int] = 0,
) -> pd.DataFrame:
    """Report a field in words: the class at each place, as a diary would hold it.

    The value there plus noise, both standardised, is put in its class by the thresholds of the
    kind ``report``.

    Parameters
    ----------
    where, bundle, target, calendar_month, seed
        As for :func:`synthesise`.
    classes : int
        One of :data:`mlda_core.observations.kinds.report.THRESHOLDS`.
    error : float, optional
        Standard deviation of the noise, a fraction of the local spread; the kind's default.

    Returns
    -------
    DataFrame
        An observation table of the kind ``report``.

    Raises
    ------
    ObservationError
        If the error is not positive, a variable does not exist at a place, or the number of
        classes is none.
    """
    from mlda_core.observations.kinds import KINDS, spelled
    from mlda_core.observations.kinds.report import THRESHOLDS
    from mlda_core.observations.standardised import standardise
    from mlda_core.observations.thresholds import climate_quantiles

    if classes not in THRESHOLDS:
        raise ObservationError(
            f"A report is of {', '.join(map(str, THRESHOLDS))} classes, and not of {classes}."
        )
    kind = KINDS["report"]
    part = kind.default_error if error is None else error
    table = synthesise(where, bundle, target, calendar_month, error=part, seed=None)
    observed = standardise(table, bundle, calendar_month)
    lat, lon = table["lat"].to_numpy(np.float64), table["lon"].to_numpy(np.float64)
    noise = place_noise(list(table["variable"]), lat, lon, seed)
    said = observed.value + np.sqrt(observed.variance) * noise
    above = np.zeros(len(table))
    for share in THRESHOLDS[classes]:
        at = np.full(len(table), share)
        above += said > climate_quantiles(bundle, observed.places, at, calendar_month)
    value = 2.0 * above - 1.0 if classes == 2 else above - classes // 2
    return table.assign(value=value, kind=spelled(kind, float(classes)), area="")

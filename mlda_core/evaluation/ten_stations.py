"""Places for a few stations, scored on months that nobody has seen: the game of ten stations.

Only the places are taken to a month. There each station observes the truth with noise, the
analysis is made, and its explained variance is that of the cells where nothing was observed, as in
`mlda_core.evaluation.assimilation`. Rivals are scored in the same way, with noise of the same
seed: draws of random stations, and the best places of *Where next?*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.physical_units import anomalies
from mlda_core.assimilation.targeting import where_next
from mlda_core.climate.errors import UserError
from mlda_core.climate.metrics import compare
from mlda_core.climate.places import place
from mlda_core.climate.seasons import MONTHLY
from mlda_core.evaluation.assimilation import observed_weights
from mlda_core.observations.land import cell_of
from mlda_core.observations.networks import NetworkSpec, observes, synthesise
from mlda_core.observations.networks import places as network_places
from mlda_core.observations.standardised import standardise
from mlda_core.observations.table import DEFAULT_ERROR, empty, variable_rows

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float64]
# How many stations are placed, and how many draws of as many random ones they are compared with.
STATIONS, DRAWS = 10, 20
MEAN = "mean"
# The greatest for which a seed of noise, with the month in its last six digits, is one of a link.
MOST_SEED = 2146


class PlacesError(UserError):
    """Places cannot be scored; one sentence with the remedy."""


@dataclass(frozen=True, eq=False)
class Standing:
    """How places compare in a month; draws and best grow while they are computed.

    Parameters
    ----------
    month : str
        ``YYYY-MM``.
    variables : tuple of str
        CF names.
    own : ndarray, shape (V,)
        Explained variance of each variable; NaN where the month lacks it.
    reporting : int
        How many stations had a value in that month.
    draws : tuple of ndarray, shape (V,)
        The same of random stations.
    best : ndarray, shape (V,), optional
        The same of the best places of *Where next?*; None while it is not known.
    """

    month: str
    variables: tuple[str, ...]
    own: Float
    reporting: int
    draws: tuple[Float, ...] = ()
    best: Float | None = None

    @property
    def beaten(self) -> int:
        """How many of the draws have a smaller mean score."""
        return sum(mean_score(draw) < mean_score(self.own) for draw in self.draws)


def mean_score(scores: Float) -> float:
    """Return the mean over the variables that have a score; NaN where none has."""
    there = scores[np.isfinite(scores)]
    return float(there.mean()) if there.size else float("nan")


# -- what can be played ----------------------------------------------------------------------------


def unseen_months(bundle: Bundle) -> tuple[str, ...]:
    """Return the months that places are scored on.

    Raises
    ------
    PlacesError
        If the bundle is of days, cannot assimilate, or has no test month.
    """
    if bundle.seasons is not MONTHLY:
        raise PlacesError(
            f"{bundle.title} is of {bundle.seasons.step.plural}, and stations are scored on "
            "months; choose a bundle of months."
        )
    if not bundle.has_statistics:
        raise PlacesError(
            f"{bundle.title} has no statistics of errors, so nothing can be analysed; run "
            "'mlda calibrate'."
        )
    found = tuple(month for month in bundle.months if bundle.split(month) == "test")
    if not found:
        raise PlacesError(
            f"{bundle.title} holds no test month with its target, so there is nothing unseen to "
            "score on; choose another bundle."
        )
    return found


def practice_month(bundle: Bundle) -> str:
    """Return a month to practise on, whose target may be seen: of validation, else of training.

    Raises
    ------
    PlacesError
        If there is none, or nothing could be scored afterwards.
    """
    unseen_months(bundle)
    for split in ("validation", "train"):
        found = [month for month in bundle.months if bundle.split(month) == split]
        if found:
            return found[len(found) // 2]
    raise PlacesError(
        f"{bundle.title} holds test months alone, so there is none to practise on; choose another "
        "bundle."
    )


def months_in_turn(bundle: Bundle, seed: int) -> tuple[str, ...]:
    """Return the test months in an order that a seed says: one a round."""
    months = unseen_months(bundle)
    order = np.random.default_rng(seed).permutation(len(months))
    return tuple(months[i] for i in order)


def noise_seed(month: str, seed: int = 1) -> int:
    """Return the seed of a month's observation errors, as the settings of Observe take it.

    >>> noise_seed("1998-03"), noise_seed("1998-03", seed=2)
    (1199803, 2199803)
    """
    if not 0 <= seed <= MOST_SEED:
        raise PlacesError(f"The seed {seed} is not from 0 to {MOST_SEED}; choose another.")
    return 1_000_000 * seed + int(month.replace("-", ""))


# -- places ----------------------------------------------------------------------------------------


def station_variables(bundle: Bundle) -> tuple[str, ...]:
    """Return what a station observes: what the network *Stations* observes of the bundle."""
    return observes("stations", bundle)


def stations_at(bundle: Bundle, places: Sequence[tuple[float, float]]) -> pd.DataFrame:
    """Return the observations of stations, without values: each variable that exists at each.

    Parameters
    ----------
    bundle : Bundle
    places : sequence of (float, float)
        Degrees north and east.

    Returns
    -------
    DataFrame
        Columns variable, lat, lon and station, the number of the place from 0.

    Raises
    ------
    PlacesError
        If a place is none, or nothing that stations observe exists there.
    """
    names = station_variables(bundle)
    try:
        where = np.array([[float(lat), float(lon)] for lat, lon in places]).reshape(-1, 2)
    except (TypeError, ValueError):
        raise PlacesError(
            "A place is no pair of numbers; give each as its latitude and longitude."
        ) from None
    good = np.isfinite(where).all(axis=1) & (np.abs(where[:, 0]) <= 90)
    if not good.all():
        lat, lon = where[np.flatnonzero(~good)[0]]
        raise PlacesError(f"There is no place at latitude {lat:g}, longitude {lon:g}; correct it.")
    lat, lon = where[:, 0], np.mod(where[:, 1], 360.0)
    rows = variable_rows(bundle, list(names))
    there = np.stack([bundle.operator.observable(np.full(len(lat), r), lat, lon) for r in rows])
    lacking = np.flatnonzero(~there.any(axis=0))
    if lacking.size:
        i = int(lacking[0])
        labels = [v.label.lower() for v in bundle.variables if v.name in names]
        raise PlacesError(
            f"There is no {' and no '.join(labels)} at {place(lat[i], lon[i])}, so a station "
            "there observes nothing; move it."
        )
    station, which = np.nonzero(there.T)
    return pd.DataFrame(
        {
            "variable": np.array(names, object)[which],
            "lat": lat[station],
            "lon": lon[station],
            "station": station,
        }
    )


def check_places(
    bundle: Bundle, places: Iterable[tuple[float, float]], count: int | None = STATIONS
) -> list[tuple[float, float]]:
    """Return places that can be scored.

    Parameters
    ----------
    bundle : Bundle
    places : iterable of (float, float)
        Degrees north and east; those in one grid cell count as one, which is the first.
    count : int, optional
        How many there must be; any number from 1 by default of None.

    Raises
    ------
    PlacesError
        If there are more or fewer, or a station cannot stand at one.
    """
    given = list(places)
    stations_at(bundle, given)
    lat, lon = np.array(given, dtype=float).reshape(-1, 2).T
    cells = list(zip(*(part.tolist() for part in cell_of(bundle, lat, lon)), strict=True))
    first = [i for i, cell in enumerate(cells) if cell not in cells[:i]]
    wanted = count or max(len(first), 1)
    if len(first) != wanted:
        twice = len(given) - len(first)
        same = f", as {_stand(twice)} in a cell that has one" if twice else ""
        more = len(first) - wanted
        remedy = f"place {-more} more" if more < 0 else f"delete {more}"
        verb = "is" if len(first) == 1 else "are"
        raise PlacesError(
            f"There {verb} {len(first)} of {wanted} stations{same}; {remedy}, then score."
        )
    return [(float(given[i][0]), float(given[i][1])) for i in first]


def _stand(count: int) -> str:
    return "another stands" if count == 1 else f"{count} others stand"


def random_stations(bundle: Bundle, draw: int, count: int = STATIONS) -> list[tuple[float, float]]:
    """Return the places of as many random stations: the network *Stations* with a draw's seed."""
    found = network_places(NetworkSpec("stations", count=count, seed=draw), bundle)
    return list(dict.fromkeys(zip(found["lat"].tolist(), found["lon"].tolist(), strict=True)))


def best_stations(
    engine: Assimilator, month: str, count: int = STATIONS, **settings: Any
) -> list[tuple[float, float]]:
    """Return the best places of *Where next?* before anything is observed.

    Asked as the page asks it at first: of the first variable that stations observe, to lower its
    own spread over the globe. They depend on the calendar month alone.

    Parameters
    ----------
    engine : Assimilator
    month : str
        ``YYYY-MM``.
    count : int
    **settings
        Attributes of :class:`mlda_core.assimilation.options.Setting`.
    """
    name = station_variables(engine.bundle)[0]
    found = where_next(engine, empty(), month, name, count=count, **settings).best
    return list(zip(found["lat"].tolist(), found["lon"].tolist(), strict=True))


# -- scores ----------------------------------------------------------------------------------------


def score_places(
    bundle: Bundle,
    places: Iterable[tuple[float, float]],
    months: Sequence[str] | None = None,
    *,
    seed: int = 1,
    count: int | None = STATIONS,
    assimilator: Assimilator | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Score places on months.

    Parameters
    ----------
    bundle : Bundle
    places : iterable of (float, float)
        Of the stations, degrees north and east. Each observes what the network *Stations* does,
        with an error of :data:`DEFAULT_ERROR` of the local spread.
    months : sequence of str, optional
        ``YYYY-MM``; all test months by default.
    seed : int
        Of the observations' errors; each month has its own, see :func:`noise_seed`.
    count : int, optional
        How many stations there must be; None for any number.
    assimilator : Assimilator, optional
        One that is at hand: it keeps what other analyses of the bundle need too.
    **settings
        Attributes of :class:`mlda_core.assimilation.options.Setting`, such as the method.

    Returns
    -------
    DataFrame
        A row for each month: the explained variance of each variable over the cells where it was
        not observed, NaN where the month lacks it, and ``mean``, the mean of these.

    Raises
    ------
    PlacesError
        If the places or the bundle cannot be scored, or none of the stations has a value in a
        month.
    StateError
        If a month is not in the bundle, or a setting is invalid.
    """
    chosen = unseen_months(bundle) if months is None else tuple(months)
    engine = assimilator or Assimilator(bundle)
    rows = stations_at(bundle, check_places(bundle, places, count))
    scores = {month: _score(engine, rows, month, seed, settings)[0] for month in chosen}
    names = [v.name for v in bundle.variables]
    table = pd.DataFrame.from_dict(scores, orient="index", columns=names)
    table[MEAN] = [mean_score(found) for found in scores.values()]
    return table.rename_axis("month")


def _score(
    engine: Assimilator, rows: pd.DataFrame, month: str, seed: int, settings: dict[str, Any]
) -> tuple[Float, int]:
    """Return the explained variance of each variable, and how many stations had a value."""
    bundle = engine.bundle
    target, season = bundle.target(month), bundle.seasons.of(month)
    noise = noise_seed(month, seed)
    # A place is known by its station's number once those without a value are gone.
    named = rows.assign(label=rows["station"].astype(str))
    table = synthesise(named, bundle, target, season, error=DEFAULT_ERROR, seed=noise)
    if not len(table):
        raise PlacesError(
            f"None of the stations has a value in {month}; choose other places or another month."
        )
    observed = standardise(table, bundle, season)
    x, sd = engine.states(
        observed.places, observed.variance, observed.value[None], season, **settings
    )
    estimate = anomalies(bundle, x, season, sd)
    weights = observed_weights(bundle, observed.places, ())
    found = [
        compare(t, e, w).explained_variance
        for t, e, w in zip(target, estimate, weights, strict=True)
    ]
    return np.array(found), table["label"].nunique()


class _Known:
    """Scores of rivals, which are the same for everybody: by month, seed and who it is."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._scores: dict[tuple[Any, ...], Float] = {}

    def of(self, key: tuple[Any, ...], make: Callable[[], Float]) -> Float:
        with self._lock:
            found = self._scores.get(key)
        if found is None:
            found = make()
            with self._lock:
                self._scores[key] = found
        return found


def compete(
    assimilator: Assimilator,
    places: Iterable[tuple[float, float]],
    month: str,
    *,
    seed: int = 1,
    draws: int = DRAWS,
    count: int = STATIONS,
) -> Iterator[Standing]:
    """Score places and their rivals in a month, with the default method.

    Parameters
    ----------
    assimilator : Assimilator
        Keeps the rivals' scores, which do not depend on the places.
    places : iterable of (float, float)
        Degrees north and east.
    month : str
        ``YYYY-MM``.
    seed : int
        Of the observations' errors.
    draws : int
        How many networks of random stations, of the seeds 1 to so many.
    count : int
        How many stations each has.

    Yields
    ------
    Standing
        First of the places alone; the last one is complete.

    Raises
    ------
    PlacesError
        If the places cannot be scored.
    """
    bundle = assimilator.bundle
    known = assimilator.kept("ten stations", _Known)

    def rival(who: int | str, make: Callable[[], list[tuple[float, float]]]) -> Float:
        def score() -> Float:
            return _score(assimilator, stations_at(bundle, make()), month, seed, {})[0]

        return known.of((month, seed, count, who), score)

    rows = stations_at(bundle, check_places(bundle, places, count))
    own, reporting = _score(assimilator, rows, month, seed, {})
    made = Standing(month, tuple(v.name for v in bundle.variables), own, reporting)
    yield made
    for draw in range(1, draws + 1):
        found = rival(draw, lambda draw=draw: random_stations(bundle, draw, count))  # type: ignore[misc]
        made = replace(made, draws=(*made.draws, found))
        yield made
    best = rival("next", lambda: best_stations(assimilator, month, count))
    yield replace(made, best=best)

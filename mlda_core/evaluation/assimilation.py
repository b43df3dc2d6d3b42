"""Scores of assimilation on held-out months, by network, method and variable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.methods import METHODS, scored_in
from mlda_core.bundle.bundle import Bundle
from mlda_core.climate.errors import StateError
from mlda_core.climate.interpolation import Places
from mlda_core.climate.regions import REGIONS, region_mask
from mlda_core.evaluation.scores_file import put_scores, scores_of
from mlda_core.observations.networks import observed_as
from mlda_core.vae.dataset import Months

Float = NDArray[np.float32]
Tick = Callable[[str, int, int], None]

SCORED = scored_in("assimilation")
STATIONS = (10, 30, 100, 300, 1000)
NETWORKS = (
    "all_fields",
    "sst_only",
    "sst_and_pressure",
    *(f"stations_{count}" for count in STATIONS),
)
# Methods whose predicted spread is compared with the actual error.
WITH_SPREAD = scored_in("spread")
AREAS = ("globe", "tropics", "north", "south")
STATION_VARIABLES = ("psl", "tas")
# Observation error, as a fraction of the local spread.
ERROR = 0.2


@dataclass
class Tally:
    """Sums over months, for pooled scores.

    Parameters
    ----------
    lost, power, weight : ndarray, shape (areas, V)
        Weighted squared error and squared truth, and the weights.
    months : int
    expected, met : ndarray, shape (V,)
        Predicted error variance and squared error of the first draw, standardised, globe.
    """

    lost: NDArray[np.float64]
    power: NDArray[np.float64]
    weight: NDArray[np.float64]
    expected: NDArray[np.float64]
    met: NDArray[np.float64]
    months: int = 0

    @classmethod
    def empty(cls, n_variables: int) -> Tally:
        """Return zero sums."""
        zero = np.zeros((len(AREAS), n_variables))
        return cls(zero.copy(), zero.copy(), zero.copy(), zero[0].copy(), zero[0].copy())

    def add(
        self,
        estimate: NDArray[np.floating],
        truth: NDArray[np.floating],
        weights: NDArray[np.float64],
    ) -> None:
        """Add months: anomalies (m, V, lat, lon), weights (areas, V, lat, lon)."""
        error = np.nan_to_num((estimate - truth).astype(np.float64)) ** 2
        power = np.nan_to_num(truth.astype(np.float64)) ** 2
        there = np.isfinite(truth).sum(axis=0).astype(np.float64)
        self.lost += np.einsum("mvyx,avyx->av", error, weights)
        self.power += np.einsum("mvyx,avyx->av", power, weights)
        self.weight += np.einsum("vyx,avyx->av", there, weights)
        self.months += len(truth)

    def scores(self, area: int, variable: int) -> dict[str, float]:
        """Explained variance and RMSE."""
        lost, power = self.lost[area, variable], self.power[area, variable]
        return {
            "explained_variance": float(1 - lost / power),
            "rmse": float(np.sqrt(lost / self.weight[area, variable])),
        }


def network_of(bundle: Bundle, name: str, draw: int) -> tuple[Places, tuple[int, ...]]:
    """Return the places of a network, and the variables observed in every cell.

    Stations are random places on the sphere with air temperature and pressure; of a bundle
    without both, all its variables that are defined everywhere.
    """
    names = [v.name for v in bundle.variables]
    if not name.startswith("stations_"):
        wanted = {
            "all_fields": tuple(range(len(names))),
            "sst_only": (bundle.sea_row,),
            "sst_and_pressure": (bundle.sea_row, names.index("psl") if "psl" in names else -1),
        }[name]
        if min(wanted) < 0:
            raise StateError(
                f"The network '{name}' observes a variable that this bundle has not; it has "
                f"{', '.join(names)}."
            )
        which, rows, columns = (
            np.concatenate(p)
            for p in zip(
                *((np.full(bundle.mask[v].sum(), v), *np.nonzero(bundle.mask[v])) for v in wanted),
                strict=True,
            )
        )
        grid = bundle.grid
        return bundle.operator.locate(which, grid.lat[rows], grid.lon[columns]), wanted
    count = int(name.removeprefix("stations_"))
    rng = np.random.default_rng([count, draw])
    south, north = np.sin(np.radians(bundle.grid.lat_edges[[0, -1]]))
    west, east = (float(edge) for edge in bundle.grid.lon_edges[[0, -1]])
    if bundle.grid.is_global:
        west, east = 0.0, 360.0
    lat = np.degrees(np.arcsin(rng.uniform(south, north, count)))
    lon = np.mod(rng.uniform(west, east, count), 360.0)
    pair = [i for i, v in enumerate(bundle.variables) if observed_as(v) in STATION_VARIABLES]
    pair = pair or [i for i, v in enumerate(bundle.variables) if v.domain != "sea"]
    if not pair:
        raise StateError("Stations observe nothing of the sea, and this bundle has nothing else.")
    which = np.repeat(pair, count)
    lat, lon = np.tile(lat, len(pair)), np.tile(lon, len(pair))
    there = bundle.operator.observable(which, lat, lon)
    return bundle.operator.locate(which[there], lat[there], lon[there]), ()


def networks_of(bundle: Bundle) -> tuple[str, ...]:
    """Return the names of the networks that observe variables of a bundle."""
    found = []
    for name in NETWORKS:
        with suppress(StateError):
            network_of(bundle, name, 0)
            found.append(name)
    return tuple(found)


def draws_of(name: str, members: Sequence[int]) -> list[tuple[int, list[int]]]:
    """Return the draws of a network, each with the members whose months it observes.

    20 draws of 10 and 30 stations, each over one member's months, and 5 of more, which share the
    members between them: every month is scored, and all methods see the same networks.
    """
    if not name.startswith("stations_"):
        return [(0, list(members))]
    if int(name.removeprefix("stations_")) < 100:
        return [(draw, [members[draw % len(members)]]) for draw in range(20)]
    count = min(5, len(members))
    return [(draw, list(members[draw::count])) for draw in range(count)]


def score(  # noqa: PLR0913 - one table, its settings by name
    bundle: Bundle,
    months: Months,
    *,
    methods: Sequence[str] = SCORED,
    networks: Sequence[str] = NETWORKS,
    assimilator: Assimilator | None = None,
    spread: bool = True,
    settings: Mapping[str, Any] | None = None,
    most_draws: int | None = None,
    tick: Tick | None = None,
) -> dict[str, Any]:
    """Score methods on networks.

    Parameters
    ----------
    bundle : Bundle
    months : Months
        The targets, of every member.
    methods, networks : sequence of str
    assimilator : Assimilator, optional
        Overrides the bundle's parameters.
    spread : bool
        Whether to compare the predicted spread of :data:`WITH_SPREAD` with the error.
    settings : mapping, optional
        Further attributes of :class:`mlda_core.assimilation.options.Setting`, of all methods.
    most_draws : int, optional
        Of each network; all by default.
    tick : callable, optional
        Called with (network, months done, months in all).

    Returns
    -------
    dict
        ``[network][variable][method]`` to explained variance, RMSE and months, over the globe;
        other areas under ``regions``.
    """
    engine = assimilator or Assimilator(bundle)
    others = dict(settings or {})
    members = sorted({int(m) for m in months.member})
    out: dict[str, Any] = {}
    for network in networks:
        tallies = {m: Tally.empty(len(bundle.variables)) for m in (*methods, "climatology")}
        draws = draws_of(network, members)[:most_draws]
        total = sum(np.isin(months.member, who).sum() for _, who in draws)
        done = 0
        for draw, who in draws:
            places, everywhere = network_of(bundle, network, draw)
            weights = _weights(bundle, places, everywhere)
            chosen = months.where(np.isin(months.member, who))
            for month in np.unique(chosen.season).tolist():
                part = chosen.where(chosen.season == month)
                values = observe_months(bundle, places, part, np.random.default_rng([draw, month]))
                for same, seen, observed in _by_places(part, places, values):
                    for method, x, sd, rows in _estimates(
                        engine, methods, seen, observed, month, tallies, others
                    ):
                        estimate = _anomalies(bundle, x, month, sd)
                        tallies[method].add(estimate, same.anomalies[rows], weights)
                        if spread and draw == 0 and method in WITH_SPREAD:
                            variance = engine.posterior_variance(
                                seen, np.full(len(seen), ERROR**2), month, method=method, **others
                            )
                            error = (x - same.x[rows]).astype(np.float64) ** 2
                            counted = weights[0] * np.isfinite(same.anomalies[rows])
                            tally = tallies[method]
                            tally.expected += (counted * variance).sum(axis=(0, 2, 3))
                            tally.met += (counted * error).sum(axis=(0, 2, 3))
                    zero = np.zeros_like(same.anomalies)
                    tallies["climatology"].add(zero, same.anomalies, weights)
                done += len(part)
                if tick:
                    tick(network, done, int(total))
        out[network] = _table(bundle, tallies)
    return out


def observe_months(
    bundle: Bundle, places: Places, months: Months, rng: np.random.Generator, error: float = ERROR
) -> NDArray[np.float64]:
    """Observe months at places, with noise.

    Parameters
    ----------
    bundle : Bundle
    places : Places
    months : Months
    rng : Generator
        Of the noise.
    error : float
        Standard deviation of the noise, in units of the local spread.

    Returns
    -------
    ndarray, shape (months, places)
        Standardised; NaN where a month has no value.
    """
    x = months.x.astype(np.float64)
    if months.present is not None:
        x = np.where(months.present, x, np.nan)
    values = bundle.operator.apply(places, x)
    return np.asarray(values + error * rng.standard_normal(values.shape))


def _by_places(
    months: Months, places: Places, values: NDArray[np.float64]
) -> Iterator[tuple[Months, Places, NDArray[np.float64]]]:
    """Yield groups of months with the same observed places, with these places and values.

    A single group if no value is missing; months without observations are dropped.
    """
    patterns, which = np.unique(np.isfinite(values), axis=0, return_inverse=True)
    for i, there in enumerate(patterns):
        rows = which.ravel() == i
        if there.all():
            yield months.where(rows), places, values[rows]
        elif there.any():
            yield months.where(rows), places.where(there), values[rows][:, there]


def _estimates(  # noqa: PLR0917 - the state of one loop
    engine: Assimilator,
    methods: Sequence[str],
    places: Places,
    values: NDArray[np.float64],
    month: int,
    tallies: dict[str, Tally],
    settings: dict[str, Any],
) -> Iterator[tuple[str, Float, Float | None, slice]]:
    """Yield method, standardised estimates, spread for the mean, and the indices of the months."""
    bundle = engine.bundle
    variance = np.full(len(places), ERROR**2)
    for name in methods:
        method = METHODS[name]
        if not method.usable(bundle, places):
            continue
        most = method.most_scored_months
        count = len(values)
        if most is not None:
            # Equally many months of each calendar month.
            count = min(count, most // 12, most - tallies[name].months)
        if count > 0:
            x, sd = engine.states(places, variance, values[:count], month, method=name, **settings)
            yield name, x, sd, slice(count)


def _anomalies(bundle: Bundle, x: Float, month: int, sd: Float | None) -> NDArray[np.float64]:
    fields = bundle.normaliser.restore(x, np.full(len(x), month), sd=sd)
    return np.asarray(fields - bundle.normaliser.climatology[month - 1])


def _weights(bundle: Bundle, places: Places, everywhere: tuple[int, ...]) -> NDArray[np.float64]:
    """Cell areas of each area and variable, zero in cells with stations."""
    areas = np.stack([region_mask(bundle.grid, REGIONS[name]) for name in AREAS])
    return np.asarray(areas[:, None] * observed_weights(bundle, places, everywhere))


def observed_weights(
    bundle: Bundle, places: Places, everywhere: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return cell areas, (V, lat, lon), zero in cells with stations.

    Parameters
    ----------
    bundle : Bundle
    places : Places
    everywhere : tuple of int
        Variables that are observed in every cell, as :func:`network_of` returns them: scored
        nevertheless.
    """
    w = bundle.normaliser.weights.copy()
    if not everywhere:
        nearest = places.index[np.arange(len(places)), places.weight.argmax(axis=1)]
        flat = w.reshape(-1)
        flat[nearest] = 0.0
    return w


def _table(bundle: Bundle, tallies: dict[str, Tally]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for v, variable in enumerate(bundle.variables):
        out[variable.name] = {}
        for method, tally in tallies.items():
            # Nothing to score if every cell has a station, or the months lack the variable.
            if not tally.power[0, v] > 0:
                continue
            out[variable.name][method] = {
                **tally.scores(0, v),
                "months": tally.months,
                **_spread(tally, v),
                "regions": {
                    area: tally.scores(a, v)
                    for a, area in enumerate(AREAS)
                    if a and tally.power[a, v] > 0
                },
            }
    return out


def _spread(tally: Tally, variable: int) -> dict[str, float]:
    """Ratio of predicted spread to RMSE: 1 if the spread is right."""
    if not tally.met[variable] > 0:
        return {}
    return {"spread_over_error": float(np.sqrt(tally.expected[variable] / tally.met[variable]))}


def ceiling(bundle: Bundle, months: Months) -> dict[str, dict[str, Any]]:
    """Variance common to members under the same sea: the potential predictability from SST.

    The mean product of two different members' anomalies, divided by the mean square.

    Parameters
    ----------
    bundle : Bundle
    months : Months
        Of two members or more.

    Returns
    -------
    dict
        By variable, with ``regions``; empty with one member.
    """
    areas = np.stack([region_mask(bundle.grid, REGIONS[name]) for name in AREAS])
    weights = areas[:, None] * bundle.normaliser.weights[None]
    shared = np.zeros((len(AREAS), len(bundle.variables)))
    power = np.zeros_like(shared)
    for name in np.unique(months.names):
        part = np.nan_to_num(months.anomalies[months.names == name].astype(np.float64))
        if len(part) < 2:
            continue
        squares = (part**2).sum(axis=0)
        products = (part.sum(axis=0) ** 2 - squares) / (len(part) - 1)
        shared += np.einsum("vyx,avyx->av", products, weights)
        power += np.einsum("vyx,avyx->av", squares, weights)
    if not power.any():
        return {}
    ratio = np.divide(shared, power, out=np.zeros_like(shared), where=power > 0)
    return {
        v.name: {
            "explained_variance": float(ratio[0, i]),
            "months": len(months),
            "regions": {
                area: {"explained_variance": float(ratio[a, i])}
                for a, area in enumerate(AREAS)
                if a
            },
        }
        for i, v in enumerate(bundle.variables)
    }


def write_assimilation(found: dict[str, Any], bundle: Bundle, split: str, path: Path) -> None:
    """Write network scores into ``scores.json``, keeping its other contents.

    Scores of other weights or statistics than the bundle's are dropped.

    Parameters
    ----------
    found : dict
        From :func:`score`.
    bundle : Bundle
    split : str
    path : Path
        The file.
    """
    scores = scores_of(bundle, path)
    sums = bundle.config["checksums"]
    stamp = " ".join(sums[k] for k in sorted(sums) if k not in {"normaliser.nc", "months.nc"})
    kept = scores.get("assimilation", {}) if scores.get("statistics") == stamp else {}
    kept[split] = {**kept.get(split, {}), **found}
    put_scores({**scores, "statistics": stamp, "assimilation": kept}, bundle, path)

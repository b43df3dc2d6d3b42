"""Calibration of posterior ensembles on held-out months, by network, variable and area.

A calibrated ensemble cannot be told from the truth: it ranks among the members as any of them
would (Hamill 2001, https://doi.org/10.1175/1520-0493(2001)129<0550:IORHFV>2.0.CO;2). Scores are
those of the library scores (Leeuwenburg and others 2024, https://doi.org/10.21105/joss.06889).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.posterior.ensemble import anomalies_of, checked_sampler
from mlda_core.assimilation.posterior.sampler import SAMPLER
from mlda_core.assimilation.problem import Problem
from mlda_core.assimilation.validation import setting_of
from mlda_core.bundle.bundle import Bundle
from mlda_core.climate.interpolation import Places
from mlda_core.evaluation.assimilation import (
    ERROR,
    NETWORKS,
    draws_of,
    network_of,
    observe_months,
    observed_weights,
)
from mlda_core.evaluation.rank_chance import RankChance
from mlda_core.evaluation.scores_file import put_scores, scores_of
from mlda_core.observations.standardised import Observed, thin
from mlda_core.vae.dataset import Months

Float = NDArray[np.float32]
Array = NDArray[np.float64]
Tick = Callable[[str, int, int], None]

# With 59 members the truth has 60 possible ranks, of which the inner 54 are a 90 % interval and
# the inner 30 a 50 % one.
MEMBERS = 59
OUTSIDE = {"coverage_50": 15, "coverage_90": 3}
# Bins of the probability integral transform in the file.
BINS = 12
# The same as quantiles of the ensemble.
BETWEEN = [(i / BINS, (i + 1) / BINS) for i in range(BINS)]
WITHIN = [(k / (MEMBERS + 1), 1 - k / (MEMBERS + 1)) for k in OUTSIDE.values()]
# Withheld places of each variable of a network of stations.
WITHHELD = 30
LATITUDES = ((-90, -60), (-60, -30), (-30, 30), (30, 60), (60, 90))
# Draws of small networks; `mlda validate --assimilation` has twenty.
MOST_DRAWS = 5


@dataclass
class Sums:
    """Weighted sums of one variable over cells and months, for each area.

    Parameters
    ----------
    n : int
        Number of areas.
    """

    n: int
    crps: Array = field(init=False)
    error: Array = field(init=False)
    variance: Array = field(init=False)
    weight: Array = field(init=False)
    ranks: Array = field(init=False)
    chance: RankChance = field(init=False)

    def __post_init__(self) -> None:
        self.crps, self.error, self.variance, self.weight = (np.zeros(self.n) for _ in range(4))
        self.ranks = np.zeros((self.n, MEMBERS + 1))
        self.chance = RankChance([*BETWEEN, *WITHIN], self.n)

    def add(self, members: Array, truth: Array, weights: Array, month: str = "") -> None:
        """Add values.

        Parameters
        ----------
        members : ndarray, shape (MEMBERS, k)
        truth : ndarray, shape (k,)
            NaN where there is none.
        weights : ndarray, shape (n, k)
        month : str
            Of the truth, ``YYYY-MM``: what is true in several draws of a network counts once.
        """
        from scores.probability import crps_for_ensemble, rank_histogram

        there = np.isfinite(truth) & np.isfinite(members).all(axis=0) & (weights > 0).any(axis=0)
        if not there.any():
            return
        forecast = xr.DataArray(members[:, there], dims=("member", "cell"))
        seen = xr.DataArray(truth[there], dims="cell")
        w = weights[:, there]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            crps = crps_for_ensemble(
                forecast, seen, "member", method="fair", preserve_dims="all"
            ).values
            ranks = rank_histogram(forecast, seen, "member", preserve_dims=["cell"])
        self.ranks += w @ ranks.transpose("cell", "rank").values
        self.crps += w @ crps
        # The error of a mean of n members is larger than that of the true mean by 1/n.
        variance = members[:, there].var(axis=0, ddof=1)
        self.error += w @ ((members[:, there].mean(axis=0) - truth[there]) ** 2)
        self.variance += w @ (variance * (1 + 1 / MEMBERS))
        self.weight += w.sum(axis=1)
        self.chance.add(forecast.values, w, month)

    def scores(self, area: int) -> dict[str, Any]:
        """Return the scores of an area; empty if nothing was counted there.

        ``_sd`` is the standard deviation of a share where the ensemble is calibrated.
        """
        if not self.weight[area] > 0:
            return {}
        ranks = self._frequencies(area)
        out: dict[str, Any] = {
            "crps": float(self.crps[area] / self.weight[area]),
            "spread_over_error": float(np.sqrt(self.variance[area] / self.error[area])),
        }
        out |= {name: float(ranks[k : len(ranks) - k].sum()) for name, k in OUTSIDE.items()}
        strayed = self.chance.of(area)[BINS:]
        return out | {
            f"{k}_sd": round(float(sd), 4) for k, sd in zip(OUTSIDE, strayed, strict=True)
        }

    def pit(self, area: int) -> list[float]:
        """Return the histogram of the probability integral transform, in :data:`BINS` bins."""
        bins = self._frequencies(area).reshape(BINS, -1).sum(axis=1)
        return [round(float(p), 4) for p in bins]

    def pit_sd(self, area: int) -> list[float]:
        """Return the standard deviation of each bin where the ensemble is calibrated."""
        return [round(float(sd), 4) for sd in self.chance.of(area)[:BINS]]

    def _frequencies(self, area: int) -> Array:
        """Return how often the truth had each rank, shape (MEMBERS + 1,)."""
        return np.asarray(self.ranks[area] / self.ranks[area].sum())


def areas_of(bundle: Bundle) -> dict[str, Array]:
    """Return the areas of the table: the globe, bands of latitude, land and sea.

    Parameters
    ----------
    bundle : Bundle

    Returns
    -------
    dict of str to ndarray, shape (lat, lon)
        1 inside, 0 outside.
    """
    lat = np.broadcast_to(bundle.grid.lat[:, None], bundle.grid.shape)
    out = {"globe": np.ones(bundle.grid.shape)}
    for south, north in LATITUDES:
        out[f"{south}..{north}"] = ((lat >= south) & (lat < north)).astype(float)
    if bundle.sea_row >= 0:
        sea = bundle.mask[bundle.sea_row].astype(float)
        out |= {"land": 1 - sea, "sea": sea}
    return {name: area for name, area in out.items() if area.any()}


def score_posterior(
    bundle: Bundle,
    months: Months,
    *,
    sampler: str = SAMPLER,
    method: str = "vae",
    networks: Sequence[str] = NETWORKS,
    most_months: int | None = None,
    assimilator: Assimilator | None = None,
    tick: Tick | None = None,
) -> dict[str, Any]:
    """Score posterior ensembles where nothing is observed, and at withheld stations.

    Parameters
    ----------
    bundle : Bundle
    months : Months
        The targets, of every member of the dataset.
    sampler, method : str
    networks : sequence of str
        Of :data:`mlda_core.evaluation.assimilation.NETWORKS`.
    most_months : int, optional
        Of each draw of a network, evenly chosen; all by default.
    assimilator : Assimilator, optional
        Overrides the bundle's parameters.
    tick : callable, optional
        Called with (network, months done, months in all).

    Returns
    -------
    dict
        ``[network][variable]`` to the scores of the globe, with ``areas`` and, for stations,
        ``withheld``.
    """
    engine = assimilator or Assimilator(bundle)
    setting = setting_of({"method": method})
    chosen = checked_sampler(setting, sampler, MEMBERS, 0)
    areas = np.stack(list(areas_of(bundle).values()))
    who = sorted({int(m) for m in months.member})
    out: dict[str, Any] = {}
    for network in networks:
        fields = [Sums(len(areas)) for _ in bundle.variables]
        points = [Sums(1) for _ in bundle.variables]
        draws = draws_of(network, who)[:MOST_DRAWS]
        plan = [(draw, _spaced(months, members, most_months)) for draw, members in draws]
        total, done = sum(len(rows) for _, rows in plan), 0
        for draw, rows in plan:
            places, everywhere = network_of(bundle, network, draw)
            weights = areas[:, None] * observed_weights(bundle, places, everywhere)
            aside = _withheld(bundle, network, draw)
            # By calendar month: draws of a prior serve all its years.
            for i in sorted(rows, key=lambda i: int(months.season[i])):
                one = months.where(np.arange(len(months)) == i)
                month = int(one.season[0])
                # Not the stream of any member: those have two numbers.
                rng = np.random.default_rng([draw, int(i), 7])
                problem = _problem(engine, places, one, month, setting, rng)
                if problem is None:
                    continue
                sampled = None
                # Other members for each draw and calendar month, so that their own chance averages
                # out.
                prior = engine.draws.of(problem, MEMBERS, 100 * draw + month)
                for progress in chosen.sample(problem, prior):
                    sampled = progress.sampled
                if sampled is None:
                    raise RuntimeError("a sampler ended without its members")
                members = anomalies_of(bundle, sampled.x, month).astype(np.float64)
                for v in range(len(bundle.variables)):
                    fields[v].add(
                        members[:, v].reshape(MEMBERS, -1),
                        one.anomalies[0, v].ravel().astype(np.float64),
                        weights[:, v].reshape(len(areas), -1),
                        str(one.names[0]),
                    )
                if aside is not None:
                    _score_withheld(bundle, aside, one, sampled.x, points, rng)
                done += 1
                if tick:
                    tick(network, done, total)
        out[network] = _table(bundle, fields, points, months=done, draws=len(plan))
    return out


def _problem(
    engine: Assimilator,
    places: Places,
    one: Months,
    month: int,
    setting: Setting,
    rng: np.random.Generator,
) -> Problem | None:
    values = observe_months(engine.bundle, places, one, rng)[0]
    seen = np.isfinite(values)
    if not seen.any():
        return None
    here, variance = places.where(seen), np.full(int(seen.sum()), ERROR**2)
    every = Observed(here, values[seen], variance)
    return engine.preparation.problem(every, thin(here, variance), month, setting)


def _spaced(months: Months, members: Sequence[int], most: int | None) -> list[int]:
    """Return the rows of a draw's months, at most so many."""
    rows = np.flatnonzero(np.isin(months.member, members))
    if most is not None and len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]
    return [int(i) for i in rows]


def _withheld(bundle: Bundle, network: str, draw: int) -> Places | None:
    """Return places of a network of stations that are not assimilated."""
    if not network.startswith("stations_"):
        return None
    return network_of(bundle, f"stations_{WITHHELD}", 1000 + draw)[0]


def _score_withheld(
    bundle: Bundle,
    aside: Places,
    one: Months,
    x: Float,
    points: list[Sums],
    rng: np.random.Generator,
) -> None:
    """Rank withheld observations among what members would observe there, errors included."""
    values = observe_months(bundle, aside, one, rng)[0]
    states = x.reshape(MEMBERS, *bundle.mask.shape)
    expected = bundle.operator.apply(aside, states).astype(np.float64)
    expected += ERROR * rng.standard_normal(expected.shape)
    for v, sums in enumerate(points):
        own = aside.variable == v
        if own.any():
            sums.add(expected[:, own], values[own], np.ones((1, int(own.sum()))), str(one.names[0]))


def _table(
    bundle: Bundle, fields: list[Sums], points: list[Sums], *, months: int, draws: int
) -> dict[str, Any]:
    names = list(areas_of(bundle))
    out: dict[str, Any] = {}
    for v, variable in enumerate(bundle.variables):
        found = fields[v].scores(0)
        if not found:
            continue
        found |= {"pit": fields[v].pit(0), "pit_sd": fields[v].pit_sd(0)}
        found |= {"truths": fields[v].chance.months}
        found |= {"months": months, "draws": draws, "members": MEMBERS}
        found["areas"] = {
            name: scores for a, name in enumerate(names) if a and (scores := fields[v].scores(a))
        }
        if withheld := points[v].scores(0):
            found["withheld"] = withheld
        out[variable.name] = found
    return out


def write_posterior(
    found: dict[str, Any], bundle: Bundle, split: str, how_drawn: tuple[str, str], path: Path
) -> None:
    """Write the calibration into ``scores.json``, keeping its other contents.

    Parameters
    ----------
    found : dict
        From :func:`score_posterior`.
    bundle : Bundle
    split : str
    how_drawn : tuple of str
        Method and sampler.
    path : Path
        The file.
    """
    scores = scores_of(bundle, path)
    method, sampler = how_drawn
    kept = scores.setdefault("posterior", {}).setdefault(split, {}).setdefault(method, {})
    kept[sampler] = {**kept.get(sampler, {}), **found}
    put_scores(scores, bundle, path)

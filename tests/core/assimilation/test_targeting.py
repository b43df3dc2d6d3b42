"""Where one more observation would help most, against adding each and computing anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from exact import table
from small import make_small

from mlda_core.assimilation import targeting
from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.covariance import LocalisedCovariance
from mlda_core.assimilation.gain import Gain
from mlda_core.assimilation.physical_units import climatological_spread
from mlda_core.assimilation.targeting import Target, where_next
from mlda_core.climate.errors import StateError
from mlda_core.climate.interpolation import ObservationError
from mlda_core.climate.regions import REGIONS, drawn_box, region_mask
from mlda_core.observations.default_errors import default_error
from mlda_core.observations.networks import NetworkSpec, places, synthesise
from mlda_core.observations.standardised import standardise

JULY = 7


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("small"), curved=0.0)


@pytest.fixture(scope="module")
def engine(small):
    return Assimilator(small)


def mean_variance(bundle, gain, target, region):
    """The target's mean posterior variance, by the code that makes the map of the spread."""
    row = [v.name for v in bundle.variables].index(target)
    size = bundle.grid.weights.size
    variance = gain.posterior_variance(slice(row * size, (row + 1) * size)).astype(float)
    area = region_mask(bundle.grid, region) * bundle.grid.weights * bundle.mask[row]
    spread = climatological_spread(bundle, JULY)[row]
    return np.nansum(area * spread**2 * variance.reshape(area.shape)) / area.sum()


class Candidates:
    """All cells where one more observation may be, and the gains with some of them.

    Their columns are computed once, as for the observations that there are.
    """

    def __init__(self, bundle, problem, variable):
        row = [v.name for v in bundle.variables].index(variable)
        self.problem = problem
        self.at = list(zip(*np.nonzero(bundle.mask[row]), strict=True))
        lat, lon = (
            bundle.grid.lat[[i for i, _ in self.at]],
            bundle.grid.lon[[j for _, j in self.at]],
        )
        error_sd = default_error(bundle, variable, JULY, lat, lon)
        self.rows = pd.DataFrame(
            {"variable": variable, "lat": lat, "lon": lon, "error_sd": error_sd, "value": 0.0}
        )
        self.every = standardise(self.rows, bundle, JULY)
        self.columns = problem.gain.prior.error.columns(self.every.places)

    def gain(self, chosen):
        """The gain of the problem's observations and of some more, under the same prior."""
        old, gain, more = self.problem.observed, self.problem.gain, self.every.where(chosen)
        parts = {
            name: np.concatenate([getattr(old.places, name), getattr(more.places, name)])
            for name in old.places.__dataclass_fields__
        }
        both = replace(old.places, **parts)
        variance = np.concatenate([old.variance, more.variance])
        return Gain(gain.prior, both, variance, np.vstack([gain.columns, self.columns[chosen]]))


def test_one_half_of_a_symmetric_covariance_makes_the_whole(monkeypatch):
    """In blocks that do not divide it; without a latent part, as ensemble OI has it, too."""
    monkeypatch.setattr(targeting, "BLOCK", 7)
    rng = np.random.default_rng(0)
    before, taken, left = (rng.standard_normal((n, 24)).astype(np.float32) for n in (24, 9, 5))
    before = before.T @ before
    given = before.copy()
    for part in (left, left[:0]):
        made = targeting._symmetric(before, taken, part)
        np.testing.assert_allclose(made, before - taken.T @ taken + part.T @ part, atol=1e-5)
        np.testing.assert_array_equal(made, made.T)
    # What is kept for the next network is not changed.
    np.testing.assert_array_equal(before, given)


CASES = [
    ("vae", "tas", "tas", REGIONS["globe"]),
    ("vae", "psl", "pr", drawn_box(-30, 40, 300, 60)),
    ("eof", "tos", "tas", REGIONS["tropics"]),
    ("enoi", "tos", "tos", REGIONS["globe"]),
]


@pytest.mark.slow
@pytest.mark.parametrize(("method", "variable", "target", "region"), CASES)
def test_the_map_is_what_adding_each_observation_gives(
    engine, small, method, variable, target, region
):
    given = table(small, 8)
    found = where_next(
        engine, given, JULY, variable, target=Target(target, region), count=0, method=method
    )
    problem, _ = engine.prepared(given, JULY, method=method)
    before = mean_variance(small, problem.gain, target, region)
    assert found.variance == pytest.approx(before, rel=1e-4)
    checked = 0
    candidates = Candidates(small, problem, variable)
    for k, at in list(enumerate(candidates.at))[::5]:
        if np.isfinite(found.reduction[at]):
            fall = before - mean_variance(small, candidates.gain([k]), target, region)
            assert found.reduction[at] == pytest.approx(fall, rel=2e-3, abs=1e-5 * before)
            checked += 1
    assert checked > 10


@pytest.mark.parametrize(("method", "variable", "target", "region"), CASES[:3])
def test_the_greedy_order_is_that_of_brute_force(engine, small, method, variable, target, region):
    given = table(small, 8)
    found = where_next(
        engine, given, JULY, variable, target=Target(target, region), count=3, method=method
    )
    problem, _ = engine.prepared(given, JULY, method=method)
    candidates, chosen = Candidates(small, problem, variable), []
    for step in range(3):
        left, k = min(
            (mean_variance(small, candidates.gain([*chosen, k]), target, region), k)
            for k, at in enumerate(candidates.at)
            if np.isfinite(found.reduction[at]) and k not in chosen
        )
        row, mine = candidates.rows.iloc[k], found.best.iloc[step]
        assert (mine["lat"], mine["lon"]) == pytest.approx((row["lat"], row["lon"]))
        assert mine["error_sd"] == pytest.approx(row["error_sd"])
        assert mine["variance"] == pytest.approx(left, rel=2e-3)
        assert mine["spread"] == pytest.approx(np.sqrt(left), rel=1e-3)
        chosen.append(k)


def test_observed_cells_are_no_candidates_withheld_or_not(engine, small):
    given = table(small, 6, variables=("tas",))
    given.loc[0, "withheld"] = True
    found = where_next(engine, given, JULY, "tas", count=100)
    i = np.abs(small.grid.lat[:, None] - given["lat"].to_numpy()).argmin(axis=0)
    gap = np.abs((small.grid.lon[:, None] - given["lon"].to_numpy() + 180) % 360 - 180)
    j = gap.argmin(axis=0)
    assert np.isnan(found.reduction[i, j]).all()
    assert np.isnan(found.reduction).sum() == len(set(zip(i, j, strict=True)))
    # None twice, and as many as are asked for.
    assert len(found.best) == 100
    assert not found.best.duplicated(["lat", "lon"]).any()
    other = where_next(engine, given, JULY, "psl", count=0)
    assert np.isfinite(other.reduction).all()


def test_the_sea_has_no_candidates_on_land(engine, small):
    found = where_next(engine, table(small, 6), JULY, "tos", count=0)
    assert np.isnan(found.reduction[~small.mask[small.sea_row]]).all()


def test_without_observations_it_is_told_by_the_prior(engine, small):
    found = where_next(engine, table(small, 0), JULY, "tas", count=2)
    assert (np.diff([found.variance, *found.best["variance"]]) < 0).all()


def test_a_larger_error_is_worth_less(engine, small):
    given = table(small, 6)
    exact = where_next(engine, given, JULY, "tas", count=0, error=0.1)
    rough = where_next(engine, given, JULY, "tas", count=0, error=1.0)
    scaled = where_next(engine, given, JULY, "tas", count=0, error=0.1, error_scale=3.0)
    assert np.nanmean(rough.reduction) < np.nanmean(exact.reduction)
    # The error scale is that of every observation, so the network tells less too.
    assert scaled.variance > exact.variance


def test_the_observations_have_places_and_errors_but_no_values(engine, small):
    found = where_next(engine, table(small, 6), JULY, "tas", count=4)
    made = found.observations()
    assert made["value"].isna().all()
    assert made["error_sd"].tolist() == found.best["error_sd"].tolist()
    assert list(made["variable"]) == ["tas"] * 4


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"variable": "zg"}, "no variable 'zg'"),
        ({"variable": "tas", "target": "zg"}, "no variable 'zg'"),
        ({"variable": "tas", "target": "tas:atlantis"}, "no region 'atlantis'"),
        ({"variable": "tas", "count": -1}, "-1 places"),
        ({"variable": "tas", "count": 1.5}, "1.5 places"),
        ({"variable": "tas", "error": 0.0}, "error of 0"),
        ({"variable": "tas", "method": "climatology"}, "no prior"),
        ({"variable": "tas", "method": "vae-latent-only"}, "without residual"),
        ({"variable": "tas", "residual": False}, "without residual"),
        # Land alone.
        ({"variable": "tas", "target": "tos:-20,20,50,100"}, "no sea"),
    ],
)
def test_what_cannot_be_is_refused(engine, small, asked, words):
    with pytest.raises((StateError, ObservationError), match=words):
        where_next(engine, table(small, 6), JULY, **asked)


def test_the_promise_is_kept_by_the_bundled_model(speedy):
    """Observe the ten best: the spread falls as promised, and the error with it."""
    engine = Assimilator(speedy)
    month, spec = "1997-12", NetworkSpec("stations", count=10)
    given = synthesise(places(spec, speedy), speedy, speedy.target(month), 12, seed=1)
    found = where_next(engine, given, month, "tos", target="tos:nino34", count=10)
    best = synthesise(found.best, speedy, speedy.target(month), 12, seed=1)
    assert best["error_sd"].to_numpy() == pytest.approx(found.best["error_sd"].to_numpy())
    more = pd.concat([given, best], ignore_index=True)
    after = where_next(engine, more, month, "tos", target="tos:nino34", count=0)
    promised = found.best["spread"].iloc[-1]
    # The prior's covariance changes a little with the number of places.
    assert after.spread == pytest.approx(promised, rel=0.15)
    assert after.spread < 0.7 * found.spread
    row, area = speedy.sea_row, region_mask(speedy.grid, REGIONS["nino34"]) * speedy.grid.weights
    target = speedy.target(month)[row]

    def error(observations):
        off = engine.run(observations, month).anomalies[row] - target
        return np.sqrt(np.nansum(area * off**2) / area[np.isfinite(off)].sum())

    assert error(more) < 0.7 * error(given)


def test_the_prior_s_covariance_is_made_once_for_many_networks(speedy, monkeypatch):
    engine = Assimilator(speedy)
    kept, made = [], []
    of, between = targeting.PriorCovariances.of, LocalisedCovariance.between_cells

    def asked(self, error, first, second):
        kept.append(of(self, error, first, second))
        return kept[-1]

    def computed(self, first, second):
        # Single cells, which are asked for as places are chosen, are not meant.
        if len(first) > 1:
            made.append(first)
        return between(self, first, second)

    monkeypatch.setattr(targeting.PriorCovariances, "of", asked)
    monkeypatch.setattr(LocalisedCovariance, "between_cells", computed)
    observed = synthesise(
        places(NetworkSpec("stations", count=40), speedy), speedy, speedy.target("1997-12"), 12
    )
    for rows in (observed, observed.iloc[1:]):
        where_next(engine, rows, "1997-12", "tos", target="tos:tropics", count=1)
    assert len(kept) == 2
    assert kept[0] is kept[1]
    assert len(made) == 1

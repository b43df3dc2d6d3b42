"""Densities at a place and over a region, against the posterior's closed form and its members."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table
from kind_posteriors import rows as kind_rows
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.densities import densities_at
from mlda_core.climate.errors import StateError
from mlda_core.climate.interpolation import ObservationError
from mlda_core.climate.regions import REGIONS, Region, drawn_box, regional_mean

MONTH = "1982-07"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("small"), curved=0.0)


@pytest.fixture(scope="module")
def engine(small):
    return Assimilator(small)


@pytest.fixture(scope="module")
def observed(small):
    return table(small, 10)


def mass(density):
    return float(np.trapezoid(density.y, density.x)) + density.least


@pytest.mark.parametrize("variable", ["psl", "tos", "tas", "pr"])
def test_at_a_cell_it_is_the_analysis_and_its_spread(engine, small, observed, variable):
    row = [v.name for v in small.variables].index(variable)
    i, j = 6, 11
    place = float(small.grid.lat[i]), float(small.grid.lon[j])
    found = densities_at(engine, observed, MONTH, variable, place)
    analysis = engine.run(observed, MONTH)
    assert found.posterior.mean == pytest.approx(analysis.anomalies[row, i, j], rel=0.02, abs=0.02)
    assert found.posterior.sd == pytest.approx(analysis.spread[row, i, j], rel=0.03)
    assert found.prior.mean == pytest.approx(analysis.background[row, i, j], rel=0.05, abs=0.05)
    assert found.posterior.sd < found.prior.sd
    assert found.target == pytest.approx(small.target(MONTH)[row, i, j], rel=1e-5)
    for density in (found.prior, found.posterior):
        assert mass(density) == pytest.approx(1, abs=0.02)
        assert (np.diff(density.x) > 0).all()


def test_rain_is_skewed_and_never_less_than_none(engine, small, observed):
    found = densities_at(engine, observed, MONTH, "pr", (33.75, 180.0))
    full = small.climatology(7)[3, 5, 8]
    assert (found.prior.x >= -full - 1e-6).all()
    middle = np.interp(0.5, np.cumsum(found.prior.y * np.gradient(found.prior.x)), found.prior.x)
    assert found.prior.mean > middle


@pytest.mark.parametrize(
    ("variable", "region"),
    [("tas", REGIONS["globe"]), ("psl", drawn_box(-40, 50, 300, 60)), ("tos", REGIONS["tropics"])],
)
def test_a_region_s_mean_is_that_of_the_members(engine, small, observed, variable, region):
    row = [v.name for v in small.variables].index(variable)
    found = densities_at(engine, observed, MONTH, variable, region)
    ensemble = engine.ensemble(observed, MONTH, members=200)
    means = regional_mean(ensemble.anomalies[:, row], small.grid, region)
    analysis = regional_mean(ensemble.analysis.anomalies[row], small.grid, region)
    assert found.posterior.mean == pytest.approx(float(analysis), abs=0.05 * found.posterior.sd)
    # A standard deviation of 200 members is known to a twentieth, and their prior is rescaled.
    assert found.posterior.sd == pytest.approx(means.std(ddof=1), rel=0.35)
    assert found.posterior.sd < found.prior.sd
    target = regional_mean(small.target(MONTH)[row], small.grid, region)
    assert found.target == pytest.approx(float(target), rel=1e-5)
    assert mass(found.posterior) == pytest.approx(1, abs=0.01)


def test_a_region_of_one_cell_is_that_cell(engine, small, observed):
    south, north = small.grid.lat_edges[6:8]
    west, east = small.grid.lon_edges[11:13]
    cell = densities_at(engine, observed, MONTH, "tas", drawn_box(south, north, west, east))
    place = densities_at(
        engine, observed, MONTH, "tas", (float(small.grid.lat[6]), float(small.grid.lon[11]))
    )
    for stage in ("prior", "posterior"):
        one, other = getattr(cell, stage), getattr(place, stage)
        assert one.mean == pytest.approx(other.mean, abs=1e-3)
        assert one.sd == pytest.approx(other.sd, rel=1e-3)


def test_the_nearest_observations_come_first(engine, observed):
    lat, lon = observed.loc[observed["variable"] == "tas", ["lat", "lon"]].iloc[3]
    found = densities_at(engine, observed, MONTH, "tas", (lat, lon)).nearest
    assert found["distance_km"].iloc[0] == pytest.approx(0, abs=1)
    assert (np.diff(found["distance_km"]) >= 0).all()
    assert set(found["variable"]) == {"tas"}
    assert observed.loc[found["row"].iloc[0], "lat"] == lat
    globe = densities_at(engine, observed, MONTH, "tas", REGIONS["globe"]).nearest
    assert (globe["distance_km"] == 0).all()
    assert not len(densities_at(engine, observed, MONTH, "pr", (0.0, 200.0)).nearest)


REPORTED = "tas,33.75,22.5,much colder,,report,,\ntas,11.25,45,1,0.5,lower_bound,,\n"


@pytest.mark.slow
@pytest.mark.parametrize("variable", ["tas", "psl"])
@pytest.mark.parametrize("where", [(33.75, 22.5), (56.25, 22.5), drawn_box(20, 60, 0, 60)])
def test_with_reports_it_is_that_of_the_members_that_are_drawn(engine, small, variable, where):
    observations = kind_rows(small, REPORTED)
    found = densities_at(engine, observations, MONTH, variable, where)
    assert not found.approximate
    ensemble = engine.ensemble(observations, MONTH, sampler="perturbed", members=400)
    fields = ensemble.anomalies[:, [v.name for v in small.variables].index(variable)]
    if isinstance(where, Region):
        drawn = regional_mean(fields, small.grid, where)
    else:
        i = int(np.abs(small.grid.lat - where[0]).argmin())
        j = int(np.abs(small.grid.lon - where[1]).argmin())
        drawn = fields[:, i, j]
    centre, sd = float(drawn.mean()), float(drawn.std())
    assert found.posterior.mean == pytest.approx(centre, abs=0.2 * sd)
    assert found.posterior.sd == pytest.approx(sd, rel=0.15)
    assert mass(found.posterior) == pytest.approx(1, abs=0.02)


def test_where_much_colder_was_reported_cold_has_the_longer_tail(engine, small):
    observations = kind_rows(small, REPORTED)
    density = densities_at(engine, observations, MONTH, "tas", (33.75, 22.5)).posterior
    width = np.gradient(density.x)
    third = (density.y * width * (density.x - density.mean) ** 3).sum() / density.sd**3
    assert third < -0.1


def test_the_nearest_have_the_ends_of_what_they_say(engine, small):
    observations = kind_rows(small, REPORTED)
    nearest = densities_at(engine, observations, MONTH, "tas", (33.75, 22.5)).nearest
    assert nearest["kind"].tolist() == ["report", "lower_bound"]
    assert nearest["low"].tolist() == [-np.inf, 1.0]
    assert nearest["high"].iloc[0] < 0
    assert nearest["high"].iloc[1] == np.inf


def test_of_very_many_reports_it_says_that_it_is_approximate(engine, small, monkeypatch):
    monkeypatch.setattr("mlda_core.assimilation.not_normal.MOST", 1)
    found = densities_at(engine, kind_rows(small, REPORTED), MONTH, "tas", (33.75, 22.5))
    assert found.approximate


def test_a_calendar_month_has_no_target(engine, observed):
    assert np.isnan(densities_at(engine, observed, 7, "tas", (0.0, 200.0)).target)


@pytest.mark.parametrize(
    ("variable", "where", "how", "words"),
    [
        ("zg", (0.0, 0.0), {}, "no variable 'zg'"),
        ("tos", (0.0, 80.0), {}, "does not exist"),
        ("tos", drawn_box(-20, 20, 50, 100), {}, "no sea"),
        ("tas", (0.0, 0.0), {"method": "climatology"}, "no prior"),
        ("tas", (0.0, 0.0), {"residual": False}, "without residual"),
    ],
)
def test_what_cannot_be_is_refused(engine, observed, variable, where, how, words):
    with pytest.raises((StateError, ObservationError), match=words):
        densities_at(engine, observed, MONTH, variable, where, **how)

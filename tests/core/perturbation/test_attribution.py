"""Attribution: basins, the trend, series under a changed sea, and the drivers of a month."""

import numpy as np
import pytest
from small import make_linear

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.regional_series import SeriesError, by_season, months_of
from mlda_core.climate.grid import Grid
from mlda_core.climate.regions import BASINS, REGIONS, basin_masks, regional_mean
from mlda_core.perturbation import attribution
from mlda_core.perturbation.attribution import (
    Scenario,
    detrended_change,
    drivers,
    trend,
    with_patches,
    without_trend,
)
from mlda_core.perturbation.responder import Responder
from mlda_core.perturbation.sst_patches import Patch, PerturbationError, sst_change


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_linear(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def responder(small):
    return Responder(Assimilator(small))


WARM = Patch(kelvin=1.0, box=(-40.0, 0.0, 100.0, 250.0))


# -- basins


def test_basins_part_the_sea_of_the_bundled_grid(bundle):
    sea = bundle.mask[bundle.sea_row]
    masks = basin_masks(bundle.grid, sea)
    assert list(masks) == list(BASINS)
    np.testing.assert_array_equal(sum(masks.values()), sea.astype(float))
    # None of them is a sliver: the least is the Mediterranean with the Black and Caspian Seas.
    area = {
        k: (m * bundle.grid.weights).sum() / bundle.grid.weights.sum() for k, m in masks.items()
    }
    assert min(area, key=area.get) == "mediterranean"
    assert area["southern_ocean"] == max(area.values())


@pytest.mark.parametrize(
    "grid",
    [
        Grid(np.arange(-89.5, 90.0), np.arange(-180.0, 180.0)),
        Grid(np.linspace(-90.0, 90.0, 73), np.arange(0.0, 360.0, 2.5)),
        Grid(np.linspace(10.0, 50.0, 33), np.linspace(-30.0, 40.0, 57)),
    ],
)
def test_basins_part_every_grid(grid):
    masks = basin_masks(grid, np.ones(grid.shape, bool))
    np.testing.assert_array_equal(sum(masks.values()), np.ones(grid.shape))


@pytest.mark.parametrize(
    ("lat", "lon", "basin"),
    [
        # Either side of Central America, from Mexico to Colombia.
        (19, -105, "pacific_east"), (19, -95, "tropical_atlantic"),
        (25, -110, "north_pacific"), (25, -90, "north_atlantic"),
        (15, -94, "pacific_east"), (16.5, -88, "tropical_atlantic"),
        (12, -88, "pacific_east"), (12, -82, "tropical_atlantic"),
        (9.3, -86.25, "pacific_east"), (9.3, -82.5, "tropical_atlantic"),
        (8.5, -79, "pacific_east"), (8.8, -77, "tropical_atlantic"),
        (5.5, -78.75, "pacific_east"), (-10, -80, "pacific_east"), (-5, -35, "tropical_atlantic"),
        (-30, -73, "south_pacific"), (-40, -60, "south_atlantic"),
        # Either side of Thailand, Malaysia, Sumatra, Java, Timor and Australia.
        (12, 97, "indian_east"), (10, 102, "pacific_west"),
        (3, 100, "indian_east"), (3, 105, "pacific_west"),
        (-4, 101, "indian_east"), (-5, 109, "pacific_west"),
        (-8.5, 106, "indian_east"), (-8, 120, "pacific_west"),
        (-11, 126, "indian_east"), (-10, 135, "pacific_west"),
        (-33, 130, "south_indian"), (-33, 155, "south_pacific"),
        # Africa and Europe.
        (20, 38, "indian_west"), (27, 51, "indian_west"), (15, 65, "indian_west"),
        (12, 85, "indian_east"), (35, 20, "mediterranean"), (36, -4, "mediterranean"),
        (43, 35, "mediterranean"), (45, -3, "north_atlantic"), (57, 20, "north_atlantic"),
        (0, 5, "tropical_atlantic"), (-30, 10, "south_atlantic"), (-30, 35, "south_indian"),
        # Where the Pacific is cut, and the polar seas.
        (0, 159, "pacific_west"), (0, 160, "pacific_central"), (0, -150, "pacific_east"),
        (65, -170, "north_pacific"), (70, 0, "arctic"), (90, 0, "arctic"),
        (-60, 0, "southern_ocean"),
    ],
)  # fmt: skip
def test_a_place_is_in_its_ocean(lat, lon, basin):
    grid = Grid(np.array([lat - 1.0, lat]) if lat > 0 else np.array([lat, lat + 1.0]),
                np.array([lon, lon + 1.0]))  # fmt: skip
    masks = basin_masks(grid, np.ones(grid.shape, bool))
    row = 1 if lat > 0 else 0
    assert [key for key, mask in masks.items() if mask[row, 0]] == [basin]


# -- the trend


def test_the_sea_without_its_trend_has_none(bundle):
    sea = bundle.mask[bundle.sea_row]
    left = np.array([
        bundle.target(m)[bundle.sea_row].astype(float) + detrended_change(bundle, m)
        for m in bundle.months
    ])[:, sea]  # fmt: skip
    years = np.array([int(m[:4]) + int(m[5:]) / 12 for m in bundle.months])
    slope = np.polyfit(years, left, 1)[0]
    assert np.abs(slope).max() < 1e-12
    found = trend(bundle)
    assert np.isnan(found[~sea]).all()
    # The observed sea of 1979-2013 warmed by about a tenth of a degree a decade.
    mean = (found * bundle.grid.weights)[sea].sum() / bundle.grid.weights[sea].sum()
    assert 0.03 < mean < 0.2


def test_the_middle_of_the_record_is_where_the_line_turns(bundle):
    first, last = detrended_change(bundle, "1979-01"), detrended_change(bundle, "2013-12")
    np.testing.assert_allclose(first, -last, atol=1e-9)
    np.testing.assert_allclose(first, np.nan_to_num(1.746 * trend(bundle)), atol=1e-3)
    assert not first[~bundle.mask[bundle.sea_row]].any()
    with pytest.raises(PerturbationError, match="1979-01 to 2013-12"):
        detrended_change(bundle, "1871-01")


# -- patches over many months


def test_patches_change_each_month_as_they_do_alone(bundle):
    patches = [Patch(kelvin=2.0, region="nino34"), Patch(kelvin=-1.0, region="southern_ocean"),
               Patch(kelvin=9.0, region="globe", enabled=False)]  # fmt: skip
    change = with_patches(bundle, patches)
    for month in ("1989-02", "1997-08"):
        expected = sst_change(patches, bundle, month)
        np.testing.assert_allclose(change(month), expected, atol=1e-12)


def test_a_patch_under_ice_in_winter_alone_is_not_refused(bundle):
    hudson = Patch(kelvin=1.0, box=(56.0, 63.0, 268.0, 282.0), taper=0.0)
    with pytest.raises(PerturbationError, match="ice"):
        sst_change([hudson], bundle, "1989-02")
    change = with_patches(bundle, [hudson])
    assert change("1989-02").max() < 0.02
    assert change("1989-09").max() > 0.5


def test_a_patch_on_land_is_refused_before_any_month_is_made(bundle):
    with pytest.raises(PerturbationError, match="on land"):
        with_patches(bundle, [Patch(kelvin=1.0, box=(45.0, 55.0, 80.0, 110.0), taper=0.0)])


# -- series


def test_months_come_by_season(bundle):
    months = by_season(months_of(bundle, "test"), "1997-11")
    assert months[:2] == ("1989-11", "1997-11")
    assert months[5] == "1989-12"
    assert months[-1] == "2011-10"
    assert sorted(months) == sorted(months_of(bundle, "test"))
    assert by_season(months)[0] == "1989-01"


def test_no_change_gives_identical_series(small, responder):
    months = months_of(small, "test")
    scenario = Scenario(responder, with_patches(small, [Patch(kelvin=0.0, region="globe")]))
    steps = list(scenario.run(months))
    assert [s.done for s in steps] == list(range(1, 13))
    assert {s.total for s in steps} == {12}
    control = scenario.control.means(REGIONS["tropics"]).analysis
    changed = scenario.changed.means(REGIONS["tropics"]).analysis
    np.testing.assert_array_equal(control, changed)
    assert np.isfinite(control).any(axis=1).sum() == 12


def test_a_series_is_what_the_response_is_month_by_month(small, responder):
    months = months_of(small, "test")[3:5]
    scenario = Scenario(responder, with_patches(small, [WARM]))
    list(scenario.run(months))
    region = REGIONS["globe"]
    both = [part.means(region).analysis for part in (scenario.control, scenario.changed)]
    for month in months:
        row = small.months.index(month)
        response = responder.respond(month, [WARM])
        expected = regional_mean(response.anomalies, small.grid, region)
        assert np.abs(expected).max() > 0.01
        # The months are kept in half precision.
        np.testing.assert_allclose(both[1][row] - both[0][row], expected, atol=3e-3)


def test_a_cancelled_scenario_goes_on_and_another_change_reuses_its_control(small, responder):
    months = months_of(small, "test")
    scenario = Scenario(responder, with_patches(small, [WARM]))
    run = scenario.run(months, first="1982-06")
    assert [next(run).month, next(run).month] == ["1982-06", "1982-07"]
    run.close()
    assert set(months) - set(scenario.missing(months)) == {"1982-06", "1982-07"}
    rest = list(scenario.run(months))
    assert rest[-1].done == rest[-1].total == 10
    assert scenario.missing(months) == ()

    made = []

    class Counting:
        bundle = small

        def analysis(self, month, held, *, inside, change):
            made.append(change is not None)
            return responder.analysis(month, held, inside=inside, change=change)

    other = Scenario(Counting(), without_trend(small), control=scenario.control)
    list(other.run(months))
    assert made == [True] * 12


def test_a_month_that_cannot_be_made_is_named(small, responder):
    def change(month):
        return np.full(small.grid.shape, np.nan)

    month = small.months[0]
    with pytest.raises(SeriesError, match=f"^{month} cannot be assimilated: "):
        list(Scenario(responder, change).run([month]))


# -- drivers


def test_drivers_of_a_linear_model_leave_no_remainder(small, responder):
    found = drivers(responder, "1982-05", "tas", REGIONS["globe"])
    assert found.units == "K"
    assert found.linear == pytest.approx(sum(p.contribution for p in found.parts))
    assert found.value == pytest.approx(found.normal + found.linear + found.remainder)
    response = responder.respond("1982-05", [])
    mean = regional_mean(response.control, small.grid, REGIONS["globe"])[2]
    assert found.value == pytest.approx(float(mean), abs=1e-6)
    sizes = sum(abs(p.contribution) for p in found.parts)
    assert sizes > 0.05
    assert abs(found.remainder) < 0.01 * sizes
    assert abs(found.normal) < 0.01 * sizes
    assert {p.basin for p in found.parts} <= set(BASINS)
    contributions = [abs(p.contribution) for p in found.parts]
    assert contributions == sorted(contributions, reverse=True)
    if not found.cancels:
        assert sum(p.share for p in found.parts) == pytest.approx(1.0)


def test_a_contribution_has_the_sign_of_what_its_anomaly_does(small, responder):
    """Take one basin's anomaly away: the mean falls by what that basin contributed."""
    month, region = "1982-05", REGIONS["tropics"]
    found = drivers(responder, month, "tas", region)
    part = found.parts[0]
    sea = small.mask[small.sea_row]
    anomaly = np.nan_to_num(small.target(month)[small.sea_row]).astype(float)
    without = -basin_masks(small.grid, sea)[part.basin] * anomaly
    fields = [responder.analysis(month, change=c)[2] for c in (None, without)]
    with_it, without_it = (float(regional_mean(f, small.grid, region)) for f in fields)
    assert with_it - without_it == pytest.approx(part.contribution, rel=0.02)


def test_what_is_held_beside_the_sea_is_told_apart(responder):
    found = drivers(responder, "1982-05", "tas", REGIONS["globe"], "sst_and_pressure")
    # Pressure says something under any sea.
    assert abs(found.normal) > 1e-3
    assert found.value == pytest.approx(found.normal + found.linear + found.remainder)


def test_contributions_that_cancel_have_no_shares_and_words_say_so():
    parts = tuple(
        attribution.Driver(key, key, value, None, 0.0)
        for key, value in (("arctic", 1.0), ("south_indian", -0.9))
    )
    made = attribution.Drivers(
        "1982-05", "sst_only", "tas", REGIONS["globe"], "degC", 0.5, 0.0, parts, 0.1, 0.4
    )
    assert made.cancels
    assert "cancel" in made.words[0]
    assert "remainder" in made.words[1]


def test_drivers_refuse_what_is_not_there(responder):
    with pytest.raises(PerturbationError, match="no variable 'zg'"):
        drivers(responder, "1982-05", "zg", REGIONS["globe"])

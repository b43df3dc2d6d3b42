"""Changes of the sea: their shapes, their words, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from mlda_core.climate.grid import Grid
from mlda_core.climate.regions import REGIONS
from mlda_core.perturbation.sst_patches import (
    Patch,
    PerturbationError,
    open_water,
    sst_change,
)

GRID = Grid(np.arange(-88.75, 90, 2.5), np.arange(0, 360, 2.5))


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


def at(weights, lat, lon):
    return weights[np.abs(GRID.lat - lat).argmin(), np.abs(GRID.lon - lon).argmin()]


def test_nino34_has_the_cosine_edges_of_the_gcms_own_runs():
    # speedy-perturbed/nino34_plus2: +2 K over 5S-5N 170W-120W; read off its files at 215 E and at
    # the equator: half at the edge, none at five degrees beyond.
    grid = Grid(np.array([-9.28, -5.57, -1.86, 1.86, 5.57, 9.28]), np.arange(0, 360, 3.75))
    weights = 2 * Patch(region="nino34").weights(grid)
    assert weights[:, 56] == pytest.approx([0.03, 0.82, 1.84, 1.84, 0.82, 0.03], abs=0.02)
    row = weights[3]
    assert row[[49, 50, 51, 52]] == pytest.approx([0, 0.27, 1.27, 1.83], abs=0.03)
    assert row[63:66] == pytest.approx([1.77, 0.92, 0.07], abs=0.03)


def test_a_box_across_greenwich_is_the_box_turned():
    there = Patch(box=(-20, 20, 350, 30)).weights(GRID)
    turned = Patch(box=(-20, 20, 100, 140)).weights(GRID)
    assert np.allclose(np.roll(there, 44, axis=1), turned)
    assert np.allclose(there, Patch(box=(-20, 20, -10, 30)).weights(GRID))


def test_uniform_has_no_edges():
    assert (Patch(region="globe").weights(GRID) == 1).all()


def test_a_slim_box_still_has_all_of_its_change_in_the_middle():
    weights = Patch(box=(7.4, 10.1, 100, 200)).weights(GRID)
    assert at(weights, 8.75, 150) == pytest.approx(1.0, abs=0.01)
    assert at(weights, 20, 150) == 0


def test_a_lasso_like_a_box_has_about_its_weights():
    box = Patch(box=(-15, 15, 160, 220)).weights(GRID)
    lasso = Patch(polygon=((-15, 160), (-15, 220), (15, 220), (15, 160))).weights(GRID)
    turned = Patch(polygon=((-15, 160), (-15, -140), (15, -140), (15, 160))).weights(GRID)
    assert np.abs(lasso - box).max() < 0.3  # at the corners: a product against a distance
    assert np.allclose(lasso, turned)
    assert lasso[lasso.shape[0] // 2] == pytest.approx(box[box.shape[0] // 2], abs=0.02)


def test_a_lasso_round_the_pole_holds_it():
    weights = Patch(polygon=tuple((60.0, lon) for lon in range(0, 360, 20))).weights(GRID)
    assert np.allclose(weights[-1], 1)
    assert weights[: GRID.lat.size // 2].max() == 0
    assert at(weights, 60, 100) == pytest.approx(0.5, abs=0.2)


def test_changes_add_up_and_disabled_ones_do_not_count(bundle):
    one, two = Patch(1.5, region="nino34"), Patch(-0.5, box=(-10, 10, 170, 260))
    both = sst_change([one, two], bundle, "1997-12")
    parts = [sst_change([p], bundle, "1997-12") for p in (one, two)]
    assert np.allclose(both, parts[0] + parts[1])
    off = Patch(-0.5, box=(-10, 10, 170, 260), enabled=False)
    assert np.array_equal(sst_change([one, off], bundle, "1997-12"), parts[0])
    assert not sst_change([], bundle, "1997-12").any()


def test_neither_land_nor_ice_warms(bundle):
    change = sst_change([Patch(1.0, region="globe")], bundle, "1997-03")
    sea = bundle.mask[bundle.sea_row]
    assert (change[~sea] == 0).all()
    warm = bundle.target("1997-03")[1] + bundle.climatology(3)[1]
    assert (change[sea & (warm < -1.75)] == 0).all()
    assert np.allclose(change[sea & (warm > 0)], 1.0)
    assert 0.7 < np.average(change[sea], weights=bundle.grid.weights[sea]) < 1.0


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        (Patch(box=(40, 50, 60, 100)), "lies on land"),
        (Patch(box=(80, 89, 0, 360), taper=0), "sea ice"),
        (Patch(box=(0.1, 0.2, 180.1, 180.2), taper=0), "smaller than a cell"),
    ],
)
def test_what_touches_no_open_sea_is_refused_in_words(bundle, patch, words):
    with pytest.raises(PerturbationError, match=words):
        sst_change([patch], bundle, "1997-02")


def test_a_bundle_without_a_sea_is_refused():
    with pytest.raises(PerturbationError, match="no sea surface temperature"):
        open_water(SimpleNamespace(sea_row=-1), "1997-12")


@pytest.mark.parametrize(
    ("text", "patch"),
    [
        ("nino34:+2K", Patch(2.0, region="nino34")),
        ("globe:-1.5", Patch(-1.5, region="globe")),
        ("-10:10:350:20:+1.5K", Patch(1.5, box=(-10, 10, 350, 20))),
        ("a/b c.nc", Patch(1.0, file="a/b c.nc")),
        ("warm.nc:0.5", Patch(0.5, file="warm.nc")),
        ("nino34:+.5K", Patch(0.5, region="nino34")),
    ],
)
def test_what_a_command_line_gives(text, patch):
    assert Patch.parse(text) == patch


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nino34", "write it as"),
        ("nino34:warm", "write it as"),
        ("nino35:+1K", "There is no region 'nino35'.*nino34"),
        ("1:2:3:+1K", "write it as"),
        ("10:-10:0:20:+1K", "no area"),
        ("nino34:+99K", "at most 20 K"),
        ("", "write it as"),
    ],
)
def test_what_a_command_line_cannot_mean(text, words):
    with pytest.raises(PerturbationError, match=words):
        Patch.parse(text)


@pytest.mark.parametrize(
    "patch",
    [
        Patch(2.0, region="nino34"),
        Patch(-1.0, box=(-10.0, 10.0, 350.0, 20.0), taper=5.0, enabled=False),
        Patch(0.5, polygon=((0.0, 10.0), (10.0, 10.0), (5.0, 20.0))),
    ],
)
def test_plain_values_and_back(patch):
    assert Patch.from_dict(patch.to_dict()) == patch


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"region": "nino34", "box": [0, 1, 2, 3]},
        {"region": "nino34", "kelvin": "2"},
        {"region": "nino34", "kelvin": float("nan")},
        {"region": 3},
        {"box": [0, 1, 2]},
        {"box": 7},
        {"polygon": [[0, 0], [1, 1]]},
        {"polygon": [[0, 0], [1, 1], [2, 2]]},
        {"polygon": [[0, 0], [100, 1], [2, 2]]},
        {"region": "nino34", "colour": "red"},
        {"region": "nino34", "enabled": "yes"},
        {"region": "nino34", "kelvin": 10**400},
        {"region": ["nino34"]},
        {"box": (0, 10, 20, 20)},
        {"polygon": [[0, 170], [10, 180], [0, 170], [10, 180]]},
        [],
    ],
)
def test_values_that_are_no_change_of_the_sea(values):
    with pytest.raises(PerturbationError):
        Patch.from_dict(values)


def pattern(folder, name="p.nc", *, variable="tos", **attrs):
    lat, lon = np.arange(-90, 91, 10.0), np.arange(-180, 180, 10.0)
    field = np.cos(np.radians(lat))[:, None] * np.cos(np.radians(lon))
    data = xr.Dataset({variable: (("lat", "lon"), field, attrs)}, {"lat": lat, "lon": lon})
    data.to_netcdf(folder / name)
    return folder / name


def test_a_pattern_is_interpolated_across_the_seam(tmp_path):
    path = pattern(tmp_path, units="K")
    made = Patch(file=str(path)).weights(GRID)
    wanted = np.cos(np.radians(GRID.lat))[:, None] * np.cos(np.radians(GRID.lon))
    assert np.abs(made - wanted).max() < 0.02


def test_patterns_that_cannot_be_used(tmp_path):
    with pytest.raises(PerturbationError, match="cannot be read"):
        Patch(file=str(tmp_path / "none.nc")).weights(GRID)
    with pytest.raises(PerturbationError, match="give kelvin"):
        Patch(file=str(pattern(tmp_path, units="hPa"))).weights(GRID)
    hot = xr.load_dataset(pattern(tmp_path, "q.nc", units="K")) + 280.0
    hot.to_netcdf(tmp_path / "hot.nc")
    with pytest.raises(PerturbationError, match="a temperature, not a change"):
        Patch(file=str(tmp_path / "hot.nc")).weights(GRID)
    hot.expand_dims(time=2).to_netcdf(tmp_path / "times.nc")
    with pytest.raises(PerturbationError, match="take one time"):
        Patch(file=str(tmp_path / "times.nc")).weights(GRID)


def regional(folder, lat, lon, value=2.0):
    data = xr.Dataset(
        {"tos": (("lat", "lon"), np.full((len(lat), len(lon)), value), {"units": "K"})},
        {"lat": lat, "lon": lon},
    )
    data.to_netcdf(folder / "part.nc")
    return Patch(file=str(folder / "part.nc"))


@pytest.mark.parametrize("west", [190, -20, 350])
def test_a_pattern_of_a_part_of_the_globe_stays_there(tmp_path, west):
    made = regional(tmp_path, np.arange(-10, 11, 1.0), west + np.arange(0, 41, 1.0)).weights(GRID)
    inside = (np.mod(GRID.lon - west, 360) <= 40)[None] & (np.abs(GRID.lat) <= 10)[:, None]
    assert np.allclose(made[inside], 2.0)
    assert (made[~inside] == 0).all()


@pytest.mark.parametrize("lon", [np.arange(0, 361, 5.0), np.arange(-180, 181, 5.0)])
def test_a_meridian_that_a_pattern_has_twice(tmp_path, lon):
    made = regional(tmp_path, np.arange(-90, 91, 5.0), lon).weights(GRID)
    assert np.allclose(made, 2.0)


def test_patterns_of_small_numbers_and_of_none(tmp_path, bundle):
    axes = np.arange(-90, 91, 5.0), np.arange(0, 360, 5.0)
    change = sst_change([regional(tmp_path, *axes, value=0.01)], bundle, "1997-12")
    assert change.max() == pytest.approx(0.01)
    with pytest.raises(PerturbationError, match="zero in every cell"):
        sst_change([regional(tmp_path, *axes, value=0.0)], bundle, "1997-12")
    with pytest.raises(PerturbationError, match="two latitudes"):
        regional(tmp_path, [0.0, 0.0, 1.0], [0.0, 1.0, 2.0]).weights(GRID)
    with pytest.raises(PerturbationError, match="infinite"):
        regional(tmp_path, *axes, value=np.inf).weights(GRID)


def test_together_changes_stay_within_what_can_be(bundle):
    with pytest.raises(PerturbationError, match="Together"):
        sst_change([Patch(15, region="globe"), Patch(15, region="tropics")], bundle, "1997-12")


def test_an_outline_that_touches_itself_has_its_areas():
    eight = ((0.0, 160.0), (20.0, 200.0), (0.0, 200.0), (20.0, 160.0))
    spike = ((-15, 160), (-15, 220), (-15, 260), (-15, 220), (15, 220), (15, 160))
    plain = ((-15, 160), (-15, 220), (15, 220), (15, 160))
    assert Patch(polygon=eight).weights(GRID).max() > 0.5
    ends = [Patch(polygon=p).weights(GRID) for p in (spike, plain)]
    assert np.abs(ends[0] - ends[1]).max() < 0.1


def test_a_box_of_a_whole_turn_is_a_belt():
    belt = Patch(box=(-20, 20, 180, -180)).weights(GRID)
    assert np.allclose(belt, belt[:, :1])
    assert at(belt, 0, 10) == pytest.approx(1.0)


def test_labels_say_where_and_how_much():
    assert Patch(2.0, region="nino34").label == "Niño 3.4 +2.0 K"
    assert Patch(-1.0, region="globe").label == "Everywhere \N{MINUS SIGN}1.0 K"
    assert Patch(1.0, box=(-10, 10, 350, 20)).label == "10°S–10°N, 10°W–20°E +1.0 K"
    assert all(Patch(region=name).where for name in REGIONS)

"""A simulation's sea, its files and its going on, on a model of a few lines."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from mlda_core.perturbation.sst_patches import Patch
from mlda_core.simulate import SimulationError, files
from mlda_core.simulate.bench import FORTRAN_SECONDS_A_YEAR, measure
from mlda_core.simulate.diagnostics import GAS, GRAVITY, LAPSE, on_pressure, sea_level_pressure
from mlda_core.simulate.run import Plan, run_member
from mlda_core.simulate.sea import Boundary, Sea
from mlda_core.sources.speedy import read_speedy

LAT, LON = np.arange(-80.0, 81.0, 10.0), np.arange(0.0, 360.0, 15.0)
SHAPE = LAT.size, LON.size
FIRST, LAST = 1980, 1984


@pytest.fixture(scope="module")
def boundary():
    """A sea with seasons, ice beyond 65 degrees, land on one meridian, five years of anomalies."""
    rng = np.random.default_rng(5)
    months = np.arange(12)[:, None, None]
    sea = 301.0 - 0.5 * np.abs(LAT)[:, None] + 0 * LON + np.cos(np.pi * months / 6)
    sea[:, np.abs(LAT) > 65] = 250.0
    ice = np.where(sea < 260, 1.0, 0.0)
    land = np.zeros(SHAPE)
    land[:, 3] = 1.0
    dims = ("time", "lat", "lon")
    fields = {"sst": sea, "icec": ice, "stl": sea - 3, "soilw_am": 0 * sea, "snowc": 0 * sea}
    climatology = xr.Dataset(
        {k: (dims, v) for k, v in fields.items()} | {"alb": (("lat", "lon"), 0 * land)},
        coords={"lat": LAT, "lon": LON},
    )
    anomalies = rng.normal(0, 1, (12 * (LAST - FIRST + 1), *SHAPE))
    return Boundary(climatology, land, anomalies, f"{FIRST}-01")


# What is told of a day


def test_pressure_at_sea_level_is_that_of_the_same_air_without_the_ground():
    """Air of the standard lapse rate: the reduction undoes what the ground took away, exactly."""
    height = np.linspace(-400.0, 5000.0, 60).reshape(6, 10)
    sigma = 0.95
    power = LAPSE * GAS / GRAVITY
    ground = 300.0 - LAPSE * height
    surface = 101_325.0 * (ground / 300.0) ** (1 / power)
    lowest = ground * sigma**power
    np.testing.assert_allclose(
        sea_level_pressure(surface, lowest, height, sigma), 101_325.0, rtol=1e-12
    )


def test_levels_are_interpolated_in_the_logarithm_of_pressure():
    sigma = np.array([0.1, 0.3, 0.5, 0.7, 0.95])
    surface = np.linspace(6e4, 1.03e5, 12).reshape(3, 4)
    fields = 7.0 - 3.0 * np.log(sigma[:, None, None] * surface)
    for order in (slice(None), slice(None, None, -1)):
        found = on_pressure(fields[order], surface, sigma[order], 4e4)
        np.testing.assert_allclose(found, 7.0 - 3.0 * np.log(4e4), rtol=1e-12)
    # Below the lowest level there is only that.
    found = on_pressure(fields, surface, sigma, 8.5e4)
    low = surface * 0.95 < 8.5e4
    assert low.any()
    assert not low.all()
    np.testing.assert_allclose(found[low], fields[-1][low])
    np.testing.assert_allclose(found[~low], 7.0 - 3.0 * np.log(8.5e4), rtol=1e-12)


# The sea


def test_the_sea_is_climatology_and_anomaly_where_there_is_no_ice(boundary):
    made = Sea(boundary).surface(1982)
    assert [str(t)[:10] for t in made["time"].values[[0, 1, -1]]] == [
        "1981-12-16",
        "1982-01-16",
        "1983-01-16",
    ]
    # Half of a month lies before its stamp.
    assert str(made["time"].values[2])[:16] == "1982-02-15T00:00"
    assert made["sst"].dims == ("lon", "lat", "time")
    sea = made["sst"].transpose("time", "lat", "lon").values
    warm = np.abs(LAT) < 65
    expected = boundary.field("sst")[[11, *range(12), 0]] + boundary.anomalies[23:37]
    np.testing.assert_allclose(sea[:, warm], expected[:, warm], rtol=1e-6)
    np.testing.assert_allclose(sea[:, ~warm], 250.0)
    np.testing.assert_array_equal(made["stl"].isel(time=0), made["stl"].isel(time=12))


def test_before_the_first_anomaly_and_after_the_last_they_are_held(boundary):
    before, after = (Sea(boundary).surface(y)["sst"] for y in (FIRST - 1, LAST))
    climatology = boundary.field("sst")
    row = int(np.flatnonzero(LAT == 0)[0])
    for month in (7, 12):
        expected = climatology[month - 1, row] + boundary.anomalies[0, row]
        np.testing.assert_allclose(before.isel(time=month, lat=row), expected, rtol=1e-6)
    expected = climatology[0, row] + boundary.anomalies[-1, row]
    np.testing.assert_allclose(after.isel(time=13, lat=row), expected, rtol=1e-6)


def test_every_year_of_a_climatology_is_alike(boundary):
    one, other = (Sea(boundary, "climatology").surface(y)["sst"].values for y in (1982, 2550))
    np.testing.assert_array_equal(one, other)
    Sea(boundary, "climatology").check_years(1, 9000)


def test_a_change_warms_the_open_sea_and_nothing_under_ice(boundary):
    patches = [Patch.parse("globe:+1K"), Patch.parse("-10:10:100:200:+2K")]
    plain, warm = (Sea(boundary, "observed", p).surface(1983)["sst"] for p in ((), patches))
    change = (warm - plain).transpose("time", "lat", "lon").values
    assert np.abs(change[:, np.abs(LAT) > 65]).max() == 0
    inside = change[:, LAT == 0][..., np.abs(LON - 150) < 1]
    np.testing.assert_allclose(inside, 3.0, atol=1e-4)
    outside = change[:, LAT == 30][..., np.abs(LON - 300) < 1]
    np.testing.assert_allclose(outside, 1.0, atol=1e-4)


def test_the_sea_of_a_file_is_what_the_model_saw(boundary):
    sea = Sea(boundary, "climatology")
    found = sea.monthly(sea.surface(1983), 1983)
    assert np.isnan(found[:, :, 3]).all()
    assert np.isfinite(np.delete(found, 3, axis=2)).all()
    np.testing.assert_allclose(np.delete(found[:, np.abs(LAT) > 65], 3, axis=2), 271.4)
    # Means of straight lines between the middles of months: near the month's own value.
    expected = boundary.field("sst")[:, LAT == 20]
    np.testing.assert_allclose(
        np.delete(found[:, LAT == 20], 3, axis=2), np.delete(expected, 3, axis=2), atol=0.1
    )


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("real", (), "no sea 'real'; use observed or climatology."),
        ("observed", ("80:90:0:90:+1K",), "touches no open sea in any month"),
        ("observed", ("globe:+12K", "tropics:+12K"), "move the sea by 24 K; at most 20 K"),
    ],
)
def test_what_cannot_be_a_sea_is_refused(boundary, kind, changes, words):
    with pytest.raises(SimulationError, match=words):
        Sea(boundary, kind, [Patch.parse(c) for c in changes])


def test_years_without_an_observed_sea_are_refused(boundary):
    Sea(boundary).check_years(FIRST, LAST)
    for years in ((FIRST - 1, FIRST), (LAST, LAST + 1)):
        with pytest.raises(SimulationError, match="is there for 1980-1984; choose --years of them"):
            Sea(boundary).check_years(*years)


# The years of a member


# By variable, what a day's number is added to and its size: the reader refuses impossible fields.
POSSIBLE = {
    "psl": (1e5, 1.0),
    "tas": (270.0, 0.01),
    "pr": (0.0, 1e-8),
    "zg500": (5400.0, 0.1),
    "ua850": (0.0, 1e-3),
    "va850": (0.0, 1e-3),
}


class Calendar:
    """A model whose days tell the date and the member, and which can be stopped on any."""

    def __init__(self, start, stop=None):
        self.start, self.stop, self.days, self.seed = start, stop, 0, None

    def rest(self, seed):
        self.date, self.seed = np.datetime64(self.start), seed

    def forcing(self, surface):
        return surface

    def day(self, forcing):
        if self.stop is not None and str(self.date) == self.stop:
            raise KeyboardInterrupt
        stamps = forcing["time"].values
        assert stamps[0] <= self.date <= stamps[-1]
        self.days += 1
        value = 100.0 * self.seed + self.date.astype(object).timetuple().tm_yday
        self.date = self.date + 1
        return {name: np.full(SHAPE, low + step * value) for name, (low, step) in POSSIBLE.items()}

    def save(self, path):
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps([str(self.date), self.seed]))

    def load(self, path):
        date, self.seed = json.loads(path.read_text())
        self.date = np.datetime64(date)


def plan_of(folder, boundary, last=1983):
    folder.mkdir(exist_ok=True)
    return Plan(folder, 1981, last, Sea(boundary), {"source": "a calendar"})


def test_files_are_the_ones_that_the_reader_knows(boundary, tmp_path):
    plan = plan_of(tmp_path / "x", boundary, 1982)
    told = []
    model = Calendar(plan.start)
    total = sum(plan.months_to_do(m) for m in (0, 3))
    assert total == 60
    done = sum(run_member(plan, m, model, told.append) for m in (0, 3))
    assert done == total
    assert told[-1] == 30
    assert all(b > a for a, b in pairwise(told[:500]))
    with_all = read_speedy(tmp_path / "x", variables=tuple(files.VARIABLES))
    assert with_all["member"].values.tolist() == [0, 3]
    assert with_all.sizes["time"] == 24
    # Day of the year, averaged over February 1981 and December of a year of 365 days.
    np.testing.assert_allclose(with_all["tas"].sel(member=3)[1], 270 + 3.455)
    np.testing.assert_allclose(with_all["psl"].sel(member=0)[23], 1e5 + 350.0)
    assert np.isnan(with_all["tos"].values[..., 3]).all()
    assert with_all["sftlf"].values[:, 3].min() == 100
    assert sorted(p.name for p in (tmp_path / "x/restart").iterdir()) == [
        "m00_1983-01-01.msgpack",
        "m03_1983-01-01.msgpack",
    ]
    with xr.open_dataset(tmp_path / "x/m03_1982.nc") as one:
        assert one.attrs["member"] == 3
        assert one.attrs["source"] == "a calendar"
        assert one["pr"].attrs["standard_name"] == "precipitation_flux"


@pytest.mark.parametrize("stop", ["1980-11-03", "1981-01-01", "1982-07-30", "1983-12-31"])
def test_stopped_anywhere_it_goes_on_with_the_year_and_does_none_twice(boundary, tmp_path, stop):
    whole = plan_of(tmp_path / "whole", boundary)
    run_member(whole, 1, Calendar(whole.start))
    plan = plan_of(tmp_path / "pieces", boundary)
    with pytest.raises(KeyboardInterrupt):
        run_member(plan, 1, Calendar(plan.start, stop))
    assert not list(plan.folder.glob("*.part"))
    kept = {p: p.stat().st_mtime_ns for p in plan.folder.glob("*.nc")}
    assert len(kept) == max(0, int(stop[:4]) - 1981)
    left = plan.months_to_do(1)
    model = Calendar(plan.start)
    assert run_member(plan, 1, model) == left
    assert left == 12 * (3 - len(kept)) + (6 if stop < "1981" else 0)
    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    for year in (1981, 1982, 1983):
        one, other = (files.year_file(p.folder, 1, year) for p in (whole, plan))
        with xr.open_dataset(one) as a, xr.open_dataset(other) as b:
            xr.testing.assert_identical(a, b)
    before = model.days
    assert run_member(plan, 1, model) == 0
    assert model.days == before


def test_killed_between_the_state_and_the_file_the_year_is_done_again(
    boundary, tmp_path, monkeypatch
):
    plan = plan_of(tmp_path / "x", boundary, 1982)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_year", killed)
        with pytest.raises(KeyboardInterrupt):
            run_member(plan, 0, Calendar(plan.start))
    assert len(list((plan.folder / "restart").iterdir())) == 2
    assert plan.months_to_do(0) == 24
    assert run_member(plan, 0, Calendar(plan.start)) == 24
    assert read_speedy(plan.folder)["time"].size == 24


def test_more_years_go_on_from_the_last(boundary, tmp_path):
    short, long = (plan_of(tmp_path / "x", boundary, last) for last in (1981, 1983))
    run_member(short, 0, Calendar(short.start))
    assert long.months_to_do(0) == 24
    assert run_member(long, 0, Calendar(long.start)) == 24


def test_a_lost_year_is_made_again_from_the_start_and_others_stay(boundary, tmp_path):
    plan = plan_of(tmp_path / "x", boundary)
    run_member(plan, 0, Calendar(plan.start))
    files.year_file(plan.folder, 0, 1982).unlink()
    kept = {p: p.stat().st_mtime_ns for p in plan.folder.glob("*.nc")}
    assert plan.months_to_do(0) == 30
    assert run_member(plan, 0, Calendar(plan.start)) == 30
    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    assert read_speedy(plan.folder)["time"].size == 36
    # And the end is still there to go on from.
    assert plan_of(tmp_path / "x", boundary, 1984).months_to_do(0) == 12


# The folder


def test_a_folder_is_of_one_experiment(tmp_path):
    pattern = tmp_path / "blob.nc"
    pattern.write_bytes(b"one")
    patches = [Patch.parse("nino34:+2K"), Patch.parse(f"{pattern}:0.5")]
    folder = tmp_path / "x"
    about = files.describe(1981, "observed", patches, "model 1")
    files.begin(folder, about)
    files.begin(folder, json.loads(json.dumps(about)))
    for other, words in (
        (files.describe(1982, "observed", patches, "model 1"), "first year 1981, not 1982"),
        (files.describe(1981, "climatology", patches, "model 1"), "sea observed, not climatology"),
        (files.describe(1981, "observed", patches[:1], "model 1"), "changes of the sea"),
        (files.describe(1981, "observed", patches, "model 2"), "model model 1, not model 2"),
    ):
        with pytest.raises(SimulationError, match=words):
            files.begin(folder, other)
    pattern.write_bytes(b"two")
    with pytest.raises(SimulationError, match="changes of the sea"):
        files.begin(folder, files.describe(1981, "observed", patches, "model 1"))
    (folder / "experiment.json").write_text("{")
    with pytest.raises(SimulationError, match="is damaged; give another folder"):
        files.begin(folder, about)


def test_a_folder_of_others_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(SimulationError, match=r"such as thesis\.tex; give a new folder"):
        files.begin(tmp_path, files.describe(1981, "observed", [], "model 1"))
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_year_that_cannot_be_written_leaves_nothing(boundary, tmp_path):
    fields = {"psl": np.zeros((12, 1, 1))}
    with pytest.raises(ValueError, match="conflicting sizes"):
        files.write_year(tmp_path / "m00_1981.nc", fields, boundary.land, boundary.grid, {})
    assert not list(tmp_path.iterdir())


# How fast


def test_model_and_decoder_are_timed_in_turn_by_the_month():
    calls = []

    class Bundle:
        n_latent = 4

        def decode_anomalies(self, z, _month):
            calls.append(z.shape)

    model = Calendar("2001-01-01")
    model.rest(0)
    model.day = lambda _: calls.append("day")
    found = measure(Bundle(), model, None, days=3, rounds=2, batch=7)
    # One day to compile, then in each round days, one batch that does not count, months, a batch.
    one = ["day"] * 3 + [(7, 4)] + [(4,)] * 7 + [(7, 4)]
    assert calls == ["day", *one, *one]
    for name in ("gcm", "single", "batch"):
        part = found[name]
        assert 0 < part["least"] <= part["seconds_a_month"] <= part["most"]
        assert part["months_a_second"] == pytest.approx(1 / part["seconds_a_month"])
    assert found["gcm"]["rounds"] == 2
    assert found["batch"]["rounds"] == 2
    ratio = found["ratio"]
    expected = found["gcm"]["seconds_a_month"] / found["batch"]["seconds_a_month"]
    assert ratio["batch"] == pytest.approx(expected)
    assert ratio["fortran"] * ratio["batch_to_fortran"] == pytest.approx(ratio["batch"])
    assert found["fortran_months_a_second"] == pytest.approx(12 / FORTRAN_SECONDS_A_YEAR)
    json.dumps(found, allow_nan=False)

"""The years of a member, and going on with them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from simulated import Calendar

from mlda_core.climate.time_step import DAY
from mlda_core.simulate import SimulationError, files
from mlda_core.simulate.run import Plan, run_member
from mlda_core.simulate.sea import Sea
from mlda_core.sources.speedy import read_speedy


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


# Days


def daily_plan(folder, boundary, last=1981, first=1980):
    folder.mkdir(exist_ok=True)
    return Plan(folder, first, last, Sea(boundary), {"source": "a calendar"}, DAY)


def test_daily_states_begin_on_the_first_of_january(boundary, tmp_path):
    plan = daily_plan(tmp_path / "x", boundary)
    told = []
    assert run_member(plan, 2, Calendar(plan.start), told.append) == plan_months(plan) == 30
    assert all(b > a for a, b in pairwise(told))
    assert told[-1] == 30
    data = read_speedy(tmp_path / "x", step=DAY)
    assert data.sizes["time"] == 366 + 365
    assert "tos" not in data
    # The number of the day, and the one of the day before for rain: on 1 January the last.
    day = np.concatenate([np.arange(1, 367), np.arange(1, 366)])
    before = np.concatenate([[365], day[:-1]])
    np.testing.assert_allclose(data["tas"][0, :, 0, 0], 270 + 0.01 * (200 + day), rtol=1e-6)
    np.testing.assert_allclose(data["pr"][0, :, 0, 0], 1e-8 * (200 + before), rtol=1e-6)
    with xr.open_dataset(tmp_path / "x/d02_1980.nc") as one:
        assert str(one["time"].values[59]) == "1980-02-29T00:00:00.000000000"
        assert one["psl"].attrs["cell_methods"] == "time: point"
        assert one["pr"].attrs["cell_methods"] == "time: mean"
    assert [p.name for p in (tmp_path / "x/restart").iterdir()] == ["m02_1981-12-31.msgpack"]


def plan_months(plan):
    return 12 * (plan.last - plan.first + 1) + 6


@pytest.mark.parametrize("stop", ["1979-12-30", "1979-12-31", "1980-12-30", "1980-12-31"])
def test_days_go_on_where_they_were_stopped(boundary, tmp_path, stop):
    whole = daily_plan(tmp_path / "whole", boundary)
    run_member(whole, 1, Calendar(whole.start))
    plan = daily_plan(tmp_path / "pieces", boundary)
    with pytest.raises(KeyboardInterrupt):
        run_member(plan, 1, Calendar(plan.start, stop))
    left = plan.months_to_do(1)
    assert run_member(plan, 1, Calendar(plan.start)) == left
    for year in (1980, 1981):
        one, other = (files.year_file(p.folder, 1, year, DAY) for p in (whole, plan))
        with xr.open_dataset(one) as a, xr.open_dataset(other) as b:
            xr.testing.assert_identical(a, b)


def test_a_folder_of_months_does_not_go_on_with_days(boundary, tmp_path):
    months = files.describe(1981, "observed", (), "a calendar")
    files.begin(tmp_path / "x", months)
    files.begin(tmp_path / "x", months)
    days = files.describe(1981, "observed", (), "a calendar", DAY)
    with pytest.raises(SimulationError, match="was begun with time step month, not day; give the"):
        files.begin(tmp_path / "x", days)
    files.begin(tmp_path / "y", days)
    with pytest.raises(SimulationError, match="was begun with time step day, not month"):
        files.begin(tmp_path / "y", months)

"""The years of a member, and going on with them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from simulated import Calendar

from mlda_core.simulate import files
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

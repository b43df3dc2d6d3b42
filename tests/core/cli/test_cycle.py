"""``mlda cycle``, on a small climate of days."""

from __future__ import annotations

import pytest
import xarray as xr
from commands import mlda, refusal
from days import TOML, make_daily


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cycles")
    make_daily(folder)
    (folder / "days.toml").write_text(TOML)
    return folder


def run(folder, *words, start="1984-01-01", end="1984-01-20", out="cycle.nc"):
    return mlda(
        *("cycle", "run", "made", "--config", "days.toml", "--model", "persistence"),
        *("--stations", "12", "--from", start, "--to", end, "--out", out, *words),
        cwd=folder,
    )


def test_what_a_year_teaches_is_used_by_a_run(workplace):
    done = mlda(
        *("cycle", "learn", "made", "--config", "days.toml", "--model", "persistence"),
        *("--stations", "12", "--rounds", "2", "--out", "errors.safetensors"),
        cwd=workplace,
    )
    assert done.returncode == 0, done.stderr
    assert "round 2: forecasts are trusted by psl 0." in done.stdout
    done = run(workplace, "--background", "errors.safetensors")
    assert done.returncode == 0, done.stderr
    assert "Explained variance" in done.stdout
    assert "psl" in done.stdout
    with xr.open_dataset(workplace / "cycle.nc") as made:
        assert made.sizes["time"] == 20
        assert made.attrs["history"].startswith("mlda cycle run made --config days.toml")
        assert "--background errors.safetensors" in made.attrs["history"]
        assert float(made["psl"].isnull().sum()) == 0


def test_settings_reach_the_method(workplace):
    words = ("--method", "letkf", "--set", "members=4", "--set", "rotate=true")
    done = run(workplace, *words, end="1984-01-04", out="letkf.nc")
    assert done.returncode == 0, done.stderr
    # Four days are too few to be scored.
    assert "Explained variance" not in done.stdout
    assert (workplace / "letkf.nc").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--method", "nothing"), "no cycled method 'nothing'"),
        (("--set", "members"), "--set 'members' is no setting"),
        (("--set", "member=3"), "no setting 'member'"),
        (("--model", "grid"), "has no grid forecast"),
        (("--background", "days.toml"), "holds no background errors"),
        (("--from", "1984-13-01"), "'1984-13-01'"),
        (("--to", "1983-12-31"), "is not after"),
        (("--to", "1999-01-01"), "1999-01-01"),
        (("--withhold", "1985-01-01:europe"), "names no time of the run"),
        (("--withhold", "1984-01-02:mars"), "'mars'"),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_sentence(workplace, words, said):
    done = run(workplace, *words, out="none.nc")
    assert said in refusal(done)
    assert not (workplace / "none.nc").exists()

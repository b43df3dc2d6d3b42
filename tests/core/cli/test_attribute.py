"""``mlda attribute``: a series under two seas in a file, and the drivers of a month."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from small import make_small
from typer.testing import CliRunner

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.bundle.bundle import load_bundle
from mlda_core.cli import main as cli
from mlda_core.climate.regions import REGIONS, drawn_box, regional_mean
from mlda_core.perturbation.attribution import Scenario, drivers
from mlda_core.perturbation.responder import Responder
from mlda_core.perturbation.sst_patches import Patch

BOX = "-30:30:180:270:+1.5K"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("attribute")
    return make_small(made, curved=0.03).path


def run(*words):
    return CliRunner().invoke(cli.app, ["attribute", *map(str, words)], env={"COLUMNS": "200"})


@pytest.mark.slow
def test_a_series_in_a_csv_file_is_the_response_month_by_month(folder, tmp_path):
    file = tmp_path / "deep" / "tos.csv"
    done = run(folder, "--variable", "tos", "--region", "-20:20:190:260", "--sst", BOX,
               "--months", "1982-03:1982-05", "--out", file)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "over 3 months" in done.output
    table = pd.read_csv(file)
    assert list(table) == ["month", "split", "target", "unperturbed", "perturbed"]
    assert list(table["month"]) == ["1982-03", "1982-04", "1982-05"]
    assert set(table["split"]) == {"test"}
    bundle = load_bundle(folder)
    response = Responder(Assimilator(bundle)).respond("1982-04", [Patch.parse(BOX)])
    box = drawn_box(-20, 20, 190, 260)
    expected = regional_mean(response.anomalies, bundle.grid, box)[1]
    row = table.iloc[1]
    assert expected > 0.3
    assert row["perturbed"] - row["unperturbed"] == pytest.approx(float(expected), abs=3e-3)
    target = regional_mean(bundle.target("1982-04"), bundle.grid, box)[1]
    assert row["target"] == pytest.approx(float(target), abs=1e-3)


@pytest.mark.slow
def test_a_series_without_trend_in_a_netcdf_file_says_what_it_is(folder, tmp_path):
    file = tmp_path / "pr.nc"
    done = run(folder, "--variable", "pr", "--region", "-20:20:0:360", "--detrend",
               "--months", "test", "--held", "sst-and-pressure", "--out", file)  # fmt: skip
    assert done.exit_code == 0, done.output
    with xr.open_dataset(file) as data:
        assert data.sizes == {"time": 12}
        assert data["perturbed"].attrs["units"] == "mm/day"
        assert np.isfinite(data["perturbed"]).all()
        assert not np.allclose(data["perturbed"], data["unperturbed"])
        assert data.attrs["change_of_the_sea"] == "no trend of the sea"
        assert data.attrs["held"].startswith("SST and pressure.")
        assert "--detrend" in data.attrs["history"]


@pytest.mark.slow
def test_drivers_are_printed(folder):
    done = run(folder, "--variable", "tas", "--drivers", "1982-05")
    assert done.exit_code == 0, done.output
    found = drivers(Responder(Assimilator(load_bundle(folder))), "1982-05", "tas", REGIONS["globe"])
    assert found.parts[0].label in done.output
    assert f"{found.parts[0].contribution:+.3f}" in done.output
    assert "not linear in the sea" in done.output


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--variable", "tas"], "nothing to do"),
        (["--variable", "tas", "--out", "a.csv"], "needs a change"),
        (["--variable", "tas", "--out", "a.txt", "--detrend"], "neither .csv nor .nc"),
        (["--variable", "tas", "--out", "a.csv", "--detrend", "--sst", "globe:1"], "give one"),
        (["--variable", "zg", "--out", "a.csv", "--detrend"], "no variable 'zg'"),
        (["--variable", "zg", "--drivers", "1982-05"], "no variable 'zg'"),
        (["--variable", "tas", "--drivers", "1871-05"], "1871-05"),
        (["--variable", "tas", "--region", "moon", "--drivers", "1982-05"], "no region 'moon'"),
        (["--variable", "tas", "--out", "a.csv", "--detrend", "--months", "x"], "not a period"),
        (["--variable", "tas", "--out", "a.csv", "--detrend", "--held", "air"], "'air'"),
        (["--variable", "tas", "--out", "a.csv", "--sst", "globe"], "not a change of the sea"),
    ],
)
def test_mistakes_are_told_in_one_sentence(folder, tmp_path, monkeypatch, words, complaint):
    monkeypatch.chdir(tmp_path)
    done = run(folder, *words)
    assert done.exit_code == 2
    assert complaint in done.output.replace("\n", " ")
    assert "Traceback" not in done.output
    assert not list(tmp_path.iterdir())


def test_what_is_done_when_it_is_stopped_is_written(folder, tmp_path, monkeypatch):
    whole = Scenario.run

    def two(self, months, first=""):
        steps = whole(self, months, first)
        yield next(steps)
        yield next(steps)
        raise KeyboardInterrupt

    monkeypatch.setattr(Scenario, "run", two)
    file = tmp_path / "tas.csv"
    done = run(folder, "--variable", "tas", "--detrend", "--months", "test", "--out", file)
    assert done.exit_code == 130
    assert "stopped after 2 of 12 months" in done.output.replace("\n", " ")
    assert np.isfinite(pd.read_csv(file)["perturbed"]).sum() == 2

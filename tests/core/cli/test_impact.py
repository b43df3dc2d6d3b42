"""``mlda impact``: train a head from a file, predict with it, and say what is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from small import make_bare
from typer.testing import CliRunner

from mlda_core.assimilation.netcdf import provenance
from mlda_core.bundle.bundle import load_bundle
from mlda_core.cli import main as cli
from mlda_core.impact.files import load_impact
from mlda_core.impact.samples import codes_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_bare(tmp_path_factory.mktemp("impact")).path


@pytest.fixture(scope="module")
def series(folder):
    """A CSV file by months of a flow that the first latent rules."""
    bundle = load_bundle(folder)
    z = codes_of(bundle)[0]
    rest = np.random.default_rng(3).standard_normal(len(z))
    flow = np.exp(3 + 0.8 * z[:, 0] / z[:, 0].std() + 0.3 * rest)
    file = folder.parent / "flow.csv"
    lines = [f"{m},{v:.4f}" for m, v in zip(bundle.months, flow, strict=True)]
    file.write_text("month,Flow (m3/s)\n" + "\n".join(lines))
    return file


def run(*words):
    return CliRunner().invoke(cli.app, ["impact", *map(str, words)], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def trained(folder, series):
    out = folder / "impacts" / "flow"
    done = run("train", folder, series, "--out", out, "--latents", 6, "--members", 2,
               "--title", "A flow", "--score-test")  # fmt: skip
    assert done.exit_code == 0, done.output
    return done.output


def test_training_says_what_it_reached(trained, folder):
    assert "A flow: 120 months, 1979-01 to 1988-12" in trained
    assert "fit, not skill" in trained
    assert "12 test months of 1 years" in trained
    head = load_impact("flow", load_bundle(folder))
    assert head.scores["test"]["head"]["crps_skill"] > 0.3
    assert "--title 'A flow'" in head.about["command"]
    assert "--score-test" in head.about["command"]
    assert head.units == "m3/s"


@pytest.mark.usefixtures("trained")
def test_prediction_in_both_kinds_of_file(folder, tmp_path):
    csv, nc = tmp_path / "deep" / "flow.csv", tmp_path / "flow.nc"
    for file in (csv, nc):
        done = run("predict", folder, "flow", "--months", "1982-01:1982-12", "--out", file)
        assert done.exit_code == 0, done.output
    table = pd.read_csv(csv)
    assert list(table["month"])[::11] == ["1982-01", "1982-12"]
    assert set(table["split"]) == {"test"}
    assert (table["q10"] < table["q50"]).all()
    assert (table["q50"] < table["q90"]).all()
    assert np.corrcoef(np.log(table["observed"]), np.log(table["q50"]))[0, 1] > 0.8
    with xr.open_dataset(nc) as data:
        assert data["mean"].attrs["units"] == "m3/s"
        np.testing.assert_allclose(data["mean"], table["mean"], rtol=1e-3)
        np.testing.assert_allclose(data["quantile"].sel(level=0.9), table["q90"], rtol=1e-3)
        assert "mlda impact predict" in data.attrs["history"]


@pytest.mark.usefixtures("trained")
def test_prediction_is_printed(folder):
    done = run("predict", folder, folder / "impacts" / "flow", "--month", "1982-03")
    assert done.exit_code == 0, done.output
    assert "A flow, m3/s" in done.output
    assert "1982-03" in done.output


@pytest.mark.usefixtures("trained")
def test_prediction_from_analyses(folder, tmp_path):
    file, out = tmp_path / "analyses.nc", tmp_path / "flow.csv"
    bundle = load_bundle(folder)
    z = bundle.code("1982-03")
    made = xr.Dataset(
        {"z": (("time", "latent"), z[None])},
        coords={"time": np.array(["1982-03-15"], "datetime64[ns]")},
        attrs=provenance(bundle, {"method": "vae"}),
    )
    made.to_netcdf(file)
    done = run("predict", folder, "flow", "--analyses", file, "--out", out)
    assert done.exit_code == 0, done.output
    expected = load_impact("flow", bundle).predict(z, "1982-03").mean
    assert pd.read_csv(out)["mean"][0] == pytest.approx(float(expected[0]), rel=1e-3)
    # The latent vectors of other methods and of other bundles are of other spaces.
    made.assign_attrs(provenance(bundle, {"method": "eof"})).to_netcdf(file)
    assert "has no latent vectors" in run("predict", folder, "flow", "--analyses", file).output
    made.assign_attrs(bundle_checksums='{"weights.safetensors": "0"}').to_netcdf(file)
    assert "another bundle" in run("predict", folder, "flow", "--analyses", file).output


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("predict", "{folder}", "elbe"), "its own are flow"),
        (("predict", "{folder}", "flow", "--month", "2050-01"), "no month '2050-01'"),
        (("predict", "{folder}", "flow", "--analyses", "{series}"), "has no latent vectors"),
        (("predict", "{folder}", "flow", "--out", "flow.txt"), "neither .csv nor .nc"),
        (("train", "{folder}", "nowhere.csv", "--out", "x"), "nowhere.csv cannot be read"),
        (("train", "{folder}", "{series}", "--out", "Up Per"), "is no name of a head"),
        (("train", "nowhere", "{series}", "--out", "x"), "There is no folder nowhere"),
        (("predict", "{folder}", "flow", "--analyses", "a", "--month", "1982-03"), "leave --month"),
    ],
)
def test_mistakes_get_one_sentence(folder, series, words, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*(w.format(folder=folder, series=series) for w in words))
    assert done.exit_code == 2
    assert told in done.output
    assert "Traceback" not in done.output

"""``mlda perturb`` and ``mlda validate --perturbation``: from a warmer sea to files and scores."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from commands import mlda as run
from commands import refusal
from model_config import make_toml
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.bundle.bundle import load_bundle
from mlda_core.cli import console
from mlda_core.climate.regions import REGIONS, regional_mean
from mlda_core.perturbation.gcm import EXPERIMENTS, gcm_responses
from mlda_core.perturbation.responder import Responder
from mlda_core.perturbation.response import HELD
from mlda_core.perturbation.sst_patches import Patch

MONTH = "1984-01"


BOX = "-30:30:180:270:+1.5K"


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with a small bundle, its configuration and data, and the GCM's perturbed runs."""
    folder = tmp_path_factory.mktemp("perturb")
    bundle = make_small(folder, curved=0.03)
    (folder / "small.toml").write_text(make_toml())
    with xr.open_dataset(folder / "climate.nc") as opened:
        mean = opened.mean("member").sel(time="1984").load()
    for name in EXPERIMENTS:
        (folder / "runs" / name).mkdir(parents=True)
        for member in (73, 74):
            data = mean.assign({v.name: mean[v.name] + 0.5 / v.scale for v in bundle.variables})
            for v in bundle.variables:
                data[v.name].attrs["units"] = v.units
            data.to_netcdf(folder / "runs" / name / f"m{member}_1984.nc", engine="netcdf4")
    return folder


@pytest.fixture(scope="module")
def bundle(workplace):
    return load_bundle(workplace / "made")


@pytest.fixture
def mlda(monkeypatch, workplace, tmp_path):
    """Run a command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for name in ("made", "climate.nc", "small.toml", "runs"):
        (tmp_path / name).symlink_to(workplace / name)

    return run


@pytest.fixture
def perturb(mlda):
    return lambda *arguments: mlda("perturb", "made", *arguments, "--out", "new/warm.nc")


def opened(path):
    with xr.open_dataset(path, engine="netcdf4") as file:
        return file.load()


@pytest.mark.slow
def test_one_month_is_the_response_of_the_library_in_cf_units(perturb, bundle, tmp_path):
    done = perturb("--sst", BOX, "--month", MONTH)
    assert done.returncode == 0, done.stderr
    found = opened(tmp_path / "new/warm.nc")
    expected = Responder(Assimilator(bundle)).respond(MONTH, [Patch.parse(BOX)])
    for i, v in enumerate(bundle.variables):
        for name, field in (
            ("response", expected.anomalies),
            ("control", expected.control),
            ("perturbed", expected.perturbed),
            ("spread", expected.spread),
        ):
            values = found[f"{v.name}_{name}"]
            assert values.attrs["units"] == v.units
            assert values.dims == ("time", "lat", "lon")
            np.testing.assert_allclose(values[0], field[i] / v.scale, rtol=1e-5, atol=1e-9)
    sea = bundle.mask[bundle.sea_row]
    change = found["sst_change"][0].values
    np.testing.assert_allclose(change[sea], expected.change[sea], atol=1e-6)
    assert np.isnan(change[~sea]).all()
    assert str(found["time"].values[0])[:10] == "1984-01-15"
    assert found.attrs["Conventions"] == "CF-1.11"
    assert json.loads(found.attrs["settings"])["sst"] == [
        {"kelvin": 1.5, "box": [-30, 30, 180, 270]}
    ]
    assert json.loads(found.attrs["bundle_checksums"]) == bundle.config["checksums"]
    assert found.attrs["history"] == (
        f"mlda perturb made --sst {BOX} --month {MONTH} --held sst_only --method vae "
        "--out new/warm.nc"
    )
    assert list(tmp_path.glob("new/*")) == [tmp_path / "new/warm.nc"]
    assert HELD["sst_only"].question in done.stdout
    mean = regional_mean(expected.anomalies, bundle.grid, REGIONS["tropics"])
    (line,) = [line for line in done.stdout.splitlines() if "Tropics" in line]
    assert f"{mean[2]:+.3f}" in line


@pytest.mark.slow
def test_months_changes_and_what_is_held(perturb, bundle, tmp_path):
    changes = ("--sst", "globe:+1K", "--sst", BOX)
    period = ("--months", "1983-11:1984-02", "--month", "1982-07", "--month", MONTH)
    done = perturb(*changes, *period, "--held", "sst-and-pressure", "--per-kelvin")
    assert done.returncode == 0, done.stderr
    found = opened(tmp_path / "new/warm.nc")
    stamps = [str(t)[:7] for t in found["time"].values]
    assert stamps == ["1982-07", "1983-11", "1983-12", "1984-01", "1984-02"]
    assert found["psl_response"].attrs["units"] == "Pa K-1"
    one = Responder(Assimilator(bundle)).respond(
        MONTH, [Patch.parse("globe:+1K"), Patch.parse(BOX)], "sst_and_pressure"
    )
    np.testing.assert_allclose(
        found["tas_response"].sel(time=MONTH)[0], one.per_kelvin()[2], atol=1e-4
    )
    assert float(found["mean_sst_change"][3]) == pytest.approx(one.mean_change)
    assert "mean over 5 months" in done.stdout
    assert "tas (K per K)" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "method"),
    [
        ("enoi", "enoi"),
        ("vae-latent-only", "vae_latent_only"),
        ("eof_latent_only", "eof_latent_only"),
        ("regression", "regression"),
    ],
)
def test_another_method_answers(perturb, bundle, tmp_path, typed, method):
    done = perturb("--sst", BOX, "--month", MONTH, "--method", typed)
    assert done.returncode == 0, done.stderr
    found = opened(tmp_path / "new/warm.nc")
    expected, usual = (
        Responder(Assimilator(bundle)).respond(MONTH, [Patch.parse(BOX)], method=m)
        for m in (method, "vae")
    )
    assert np.abs(expected.anomalies - usual.anomalies)[bundle.mask].max() > 1e-3
    np.testing.assert_allclose(found["tas_response"][0], expected.anomalies[2], atol=1e-5)
    spread = found["tas_spread"][0].values
    assert ((spread > 0) & (spread < 20)).all()
    assert json.loads(found.attrs["settings"])["method"] == method
    assert f"--method {method.replace('_', '-')} " in found.attrs["history"]


@pytest.mark.slow
def test_a_log_is_told_how_far_it_is(perturb, monkeypatch):
    monkeypatch.setattr(console, "LEAST_SECONDS", 0.0)
    done = perturb("--sst", BOX, "--months", "1982-01:1983-08")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("warming the sea: ")]
    # A line a tenth; the last of them is the bar's.
    assert [line.split()[3] for line in lines] == [str(n) for n in range(2, 20, 2)]
    assert all("of 20" in line for line in lines)
    assert " a second" in lines[-1]
    assert lines[-1].endswith(" s left")
    for name in ("LEAST_SECONDS", "MOST_SECONDS"):
        monkeypatch.setattr(console, name, 1e9)
    quiet = perturb("--sst", BOX, "--months", "1982-01:1983-08")
    assert "warming the sea: " not in quiet.stderr


def test_a_pattern_from_a_file(perturb, bundle, tmp_path):
    field = np.where(bundle.mask[bundle.sea_row], 0.7, np.nan)
    grid = {"lat": bundle.grid.lat, "lon": bundle.grid.lon}
    xr.Dataset({"tos": (("lat", "lon"), field)}, coords=grid).to_netcdf(tmp_path / "pattern.nc")
    done = perturb("--sst", "pattern.nc:2", "--month", MONTH, "--held", "outside")
    assert done.returncode == 0, done.stderr
    change = opened(tmp_path / "new/warm.nc")["sst_change"]
    assert float(change.max()) == pytest.approx(1.4)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--sst", "nino9:+2K", "--month", MONTH), "no region 'nino9'; use one of globe, tropics"),
        (("--sst", "warm", "--month", MONTH), "'warm' is not a change of the sea"),
        (("--sst", "-10:10:60:80:+1K", "--month", MONTH), "lies on land"),
        (("--sst", BOX, "--month", "2050-12"), "no month '2050-12'; it holds 1979-01 to 1988-12"),
        (("--sst", BOX), "give --month YYYY-MM or --months"),
        (("--sst", BOX, "--months", "1984"), "--months '1984' is not a period"),
        (("--sst", BOX, "--months", "1984-02:1984-01"), "ends before it begins"),
        (("--sst", BOX, "--month", MONTH, "--held", "air"), "use one of sst_only"),
        (("--sst", BOX, "--month", MONTH, "--method", "adam"), "adam has no response"),
        (("--sst", BOX, "--month", MONTH, "--method", "climatology"), "vae, vae-latent-only, eof,"),
        (("--sst", BOX, "--month", MONTH, "--method", "kriging"), "no method 'kriging'; use one"),
        (
            ("--sst", BOX, "--month", MONTH, "--method", "regression", "--held", "outside"),
            "regression sees the sea alone",
        ),
        (("--sst", "absent.nc", "--month", MONTH), "absent.nc cannot be read"),
        (
            (
                "--month",
                MONTH,
                "--sst",
                "0:40:180:300:1K",
                "--sst=-40:0:180:300:-1K",
                "--per-kelvin",
            ),
            "a response per kelvin has no meaning",
        ),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(perturb, tmp_path, options, words):
    assert words in refusal(perturb(*options))
    assert not list(tmp_path.glob("new/*"))


def test_a_bundle_without_statistics_says_how_to_add_them(mlda, workplace, tmp_path):
    copy = tmp_path / "bare"
    copy.mkdir()
    for file in (workplace / "made").iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    config = json.loads((copy / "config.json").read_text())
    for name in ("representation_error.nc", "linear.nc", "sea.safetensors"):
        config["checksums"].pop(name)
    (copy / "config.json").write_text(json.dumps(config))
    done = mlda("perturb", "bare", "--sst", BOX, "--month", MONTH, "--out", "x.nc")
    assert "add them with 'mlda calibrate'" in refusal(done)


@pytest.mark.slow
def test_responses_are_scored_against_the_gcm(mlda, bundle, tmp_path):
    options = ("--perturbation", "--config", "small.toml", "--runs", "runs")
    done = mlda("validate", "made", *options, "--write-responses", "gcm/small.nc")
    assert done.returncode == 0, done.stderr
    scores = json.loads((tmp_path / "made" / "scores.json").read_text())
    found = scores["perturbation_validation"]["nino34_plus2"]["tropics"]["tas"]
    assert set(found) == {"vae", "regression", "enoi", "gcm_half"}
    assert all(-1 <= one["pattern_correlation"] <= 1 for one in found.values())
    assert "perturbation" not in scores
    assert "Niño 3.4 +2 K, tropics" in done.stdout
    shipped = gcm_responses(bundle, tmp_path / "gcm")
    assert [r.split for r in shipped.values()] == ["validation"] * 2
    sea = bundle.mask[bundle.sea_row]
    np.testing.assert_allclose(shipped["plus1"].sst_change[sea], 0.5, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--config", "small.toml"), "--perturbation needs --runs"),
        (("--runs", "runs"), "--perturbation needs --config"),
        (("--config", "small.toml", "--runs", "absent"), "no folder absent/plus1"),
        (("--config", "small.toml", "--runs", "runs", "--split", "test"), "0 members of 1982"),
        (("--config", "small.toml", "--runs", "runs", "--split", "tset"), "the split 'tset'"),
    ],
)
def test_scoring_that_cannot_be_done_is_told_in_a_sentence(mlda, options, words):
    assert words in refusal(mlda("validate", "made", "--perturbation", *options))

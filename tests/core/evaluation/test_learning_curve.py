"""The learning curve: the months of each point and no other, made once, told in one page."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from climate import SPLITS, make_climate
from model_config import make_toml
from typer.testing import CliRunner

from mlda_core.bundle.bundle import load_bundle
from mlda_core.cli import console
from mlda_core.cli import main as cli
from mlda_core.evaluation import learning_curve
from mlda_core.evaluation.learning_curve import Curve
from mlda_core.evaluation.learning_curve_points import Point
from mlda_core.vae.config import ConfigError, load_config

pytestmark = pytest.mark.slow

TOML = make_toml(data={"mixed": "mixed.nc", "mixed_share": 1.0})
POINTS = (Point((0,), False), Point((0,), True))
# 10 years but TEST, VALIDATION, CALIBRATION and a month either side of each.
TRAIN_MONTHS = 120 - 3 * 14
MIXED_MONTHS = 24


def write_data(folder: Path) -> None:
    """Two members under one sea, and two years under a mixture of two years' seas.

    TEST months have pressures and temperatures that any climatology would show, and that are
    still possible on Earth.
    """
    climate = make_climate()
    climate["tos"][:] = climate["tos"][0].values
    sea = climate["tos"][0].values.reshape(10, 12, 8, 16)
    mean = sea.mean(axis=0)
    mixed = climate.isel(member=[0], time=slice(0, 24)).assign_coords(member=[60]).copy(deep=True)
    years = [
        mean + 0.6 * (sea[a - 1979] - mean) + 0.8 * (sea[b - 1979] - mean) + 0.3
        for a, b in ((1980, 1988), (1979, 1980))
    ]
    mixed["tos"][0] = np.concatenate(years).astype(np.float32)
    mixed.to_netcdf(folder / "mixed.nc", engine="netcdf4")
    test = climate["time"].dt.year.isin(SPLITS.test)
    for name, excess in (("psl", 5000.0), ("tas", 30.0)):
        climate[name] = (
            xr.where(test, climate[name] + excess, climate[name])
            .assign_attrs(units=climate[name].attrs["units"])
            .transpose(*climate["pr"].dims)
        )
    climate.to_netcdf(folder / "climate.nc", engine="netcdf4")


CURVE = ("--config", "small.toml", "--members", "1", "--epochs", "1", "--out", "curve")


BUNDLED = Path(__file__).resolve().parents[3] / "assets/bundles/speedy"


def run(*options):
    """Run the command here, with the settings of the bundled model."""
    command = ("validate", BUNDLED, "--learning-curve", *options)
    return CliRunner().invoke(cli.app, [str(part) for part in command])


@pytest.fixture(scope="module", autouse=True)
def short():
    """Score one member's months: 24 less the other's are 12, one in each calendar month."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning_curve, "SCORED_MEMBERS", 1)
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a curve of one member, without and with mixed seas, made by the command."""
    folder = tmp_path_factory.mktemp("curve")
    write_data(folder)
    (folder / "small.toml").write_text(TOML)
    with contextlib.chdir(folder):
        done = run(*CURVE)
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def curve(place, monkeypatch):
    monkeypatch.chdir(place)
    settings = load_bundle(BUNDLED).settings
    return Curve(load_config("small.toml"), settings, Path("curve"), epochs=1)


def files(folder: Path) -> dict[Path, int]:
    return {f: f.stat().st_mtime_ns for f in folder.glob("*/**/*") if f.is_file()}


def test_a_second_run_does_nothing_again(curve, monkeypatch):
    before = files(curve.folder)
    for name in ("load_training_data", "train", "calibrate", "estimate"):
        monkeypatch.setattr(learning_curve, name, None)
    monkeypatch.setattr(learning_curve.scoring, "score", None)
    done = run(*CURVE)
    assert done.exit_code == 0, done.output
    assert files(curve.folder) == before
    with pytest.raises(TypeError, match="NoneType"):  # another point would be made
        curve.run([Point((0, 1), False)])


def test_what_was_interrupted_goes_on_where_it_was(curve, monkeypatch):
    path = curve.folder / "members-1" / "scores.json"
    whole = json.loads(path.read_text())
    part = {k: v for k, v in whole.items() if k not in {"sst_only", "finished"}}
    path.write_text(json.dumps(part))
    for name in ("train", "calibrate", "fit_eofs"):
        monkeypatch.setattr(learning_curve, name, None)
    assert curve.run(POINTS[:1]) == [whole]
    assert json.loads(path.read_text()) == whole


def test_a_point_has_its_own_members_months_and_no_others(curve):
    alone, with_mixed = (curve.train(p) for p in POINTS)
    for point, bundle in zip(POINTS, (alone, with_mixed), strict=True):
        made = bundle.config["provenance"]
        assert made["members"] == 1
        assert made["training_months"] == TRAIN_MONTHS
        assert made["mixed_sea_months"] == (MIXED_MONTHS if point.mixed else 0)
        # Errors are those of CALIBRATION months, covariances those of it and of training.
        assert len(bundle.statistics.held) == 12
        assert len(bundle.statistics.coefficients) == TRAIN_MONTHS + 12
    classical = curve.classical(POINTS[1], with_mixed)
    assert len(classical.statistics.coefficients) == TRAIN_MONTHS + 12 + MIXED_MONTHS
    assert len(classical.statistics.held) == 12
    assert curve.classical(POINTS[0], alone) is alone


def test_the_climatology_of_a_point_is_that_of_its_training_months(curve):
    data = curve.data(POINTS[0])
    with xr.open_dataset("climate.nc") as opened:
        month = opened["tas"].sel(member=0, time=opened["time"].dt.month == 7)
        held = [y for years in SPLITS.to_dict().values() for y in years]
        mine = month[~month["time"].dt.year.isin(held)].mean("time").values - 273.15
    np.testing.assert_allclose(data.normaliser.climatology[6, 2], mine, atol=1e-3)
    both = curve.data(Point((0, 1), False))
    assert set(both.observed.member) == {0, 1}
    assert not np.allclose(both.normaliser.climatology[6, 2], mine, atol=1e-2)


def test_no_test_month_enters(curve):
    with xr.open_dataset("climate.nc") as opened:
        tas = opened["tas"].sel(member=0) - 273.15
        others = tas[~opened["time"].dt.year.isin(SPLITS.test)]
        clean = others.groupby("time.month").mean("time").values
    for point in POINTS:
        bundle = curve.train(point)
        assert {bundle.split(m) for m in bundle.months} == {"train", "calibration"}
        assert "test" not in set(curve.data(point).observed.split)
        # A TEST month is thirty kelvin too warm here: one in ten would show as three.
        assert np.nanmean(np.abs(bundle.normaliser.climatology[:, 2] - clean)) < 1.0
    (found, _) = curve.run(POINTS)
    for by_method in found["reconstruction"].values():
        assert by_method["vae"]["explained_variance"] > 0.3


def test_scores_are_of_the_same_months_against_the_same_climatology(curve):
    alone, with_mixed = curve.run(POINTS)
    # Four patterns and noise: most is known from six numbers.
    assert alone["reconstruction"]["psl"]["eof"]["explained_variance"] > 0.5
    # The climatology of one member is worse than that of both, which is zero by definition.
    assert alone["reconstruction"]["psl"]["climatology"]["explained_variance"] < -0.01
    for name in ("stations_100", "sst_only"):
        for by_method in alone[name].values():
            assert set(by_method) >= {"vae", "vae_latent_only", "eof", "enoi"}
    assert "tos" not in alone["sst_only"]  # it is observed
    assert set(alone["sst_only"]["psl"]) >= {"regression", "ceiling"}
    assert "regression" not in alone["stations_100"]["psl"]
    enoi = [p["stations_100"]["psl"]["enoi"]["explained_variance"] for p in (alone, with_mixed)]
    assert enoi[0] != enoi[1]  # months under mixed seas are in its covariances
    for found in (alone, with_mixed):
        one = found["reconstruction"]["tas"]["vae"]
        zero = one["rmse"] / np.sqrt(1 - one["explained_variance"])
        assert zero == pytest.approx(
            found["reconstruction"]["tas"]["climatology"]["rmse"]
            / np.sqrt(1 - found["reconstruction"]["tas"]["climatology"]["explained_variance"])
        )


def test_the_page_has_every_number(curve):
    table = (curve.folder / "learning-curve.md").read_text()
    kept = json.loads((curve.folder / "learning-curve.json").read_text())
    assert kept["split"] == "validation"
    assert kept["units"]["tas"] == "K"
    for point in kept["points"]:
        for what in ("reconstruction", "stations_100", "sst_only"):
            for by_method in point[what].values():
                for score in by_method.values():
                    assert f"{score['explained_variance']:.3f}".replace("-0.000", "0.000") in table
    assert f"| {TRAIN_MONTHS}, each with {MIXED_MONTHS} mixed |" in table
    assert (curve.folder / "learning-curve.png").read_bytes()[:4] == b"\x89PNG"


def test_few_months_take_as_many_steps_in_no_more_epochs_than_configured(curve):
    assert curve.model(Point((0, 1), True)).training.epochs == 1
    assert curve.model(Point((0,), False)).training.epochs == 2  # (2 * 78 + 24) / 78
    longer = Curve(curve.config.with_training(epochs=9), curve.settings, Path("x"), epochs=3)
    assert longer.model(Point((0,), False)).training.epochs == 7
    assert longer.model(Point((0,), False)).data.mixed is None


def test_a_folder_of_another_curve_is_refused(curve):
    other = Curve(curve.config, curve.settings, curve.folder, epochs=2)
    with pytest.raises(ConfigError, match="holds a learning curve of other data or settings"):
        other.run(POINTS)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "--learning-curve needs --config"),
        (("--config", "small.toml", "--split", "test"), "scored on VALIDATION months"),
        (("--config", "small.toml", "--members", "9"), "'9' is no number of members"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(curve, monkeypatch, options, words):
    # Rich folds lines at 80 columns where there is no terminal.
    monkeypatch.setattr(console.errors, "_width", 400)
    done = run(*options)
    assert done.exit_code == 2
    assert words in done.stderr
    assert "Traceback" not in done.output

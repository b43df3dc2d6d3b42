"""The command line, from raw files to a scored bundle, on a planet of 128 cells."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from commands import mlda, refusal
from model_config import make_toml

from mlda_core.assimilation.methods import adam
from mlda_core.bundle.bundle import load_bundle
from mlda_core.vae.config import ConfigError, load_config

LAT = np.linspace(-78.75, 78.75, 8)


LON = np.arange(16) * 22.5


YEARS = range(1979, 1989)


LAND = np.zeros((8, 16), dtype=bool)
LAND[3:6, 2:6] = True


def toml(epochs):
    """Return the configuration of a small model of the planet."""
    return make_toml(
        model={"name": "tiny", "title": "A planet of 128 cells"},
        splits={"test": [1981], "calibration": [1987]},
        data={"observed": "data/tiny.nc"},
        network={"n_patterns": 12},
        training={"epochs": epochs, "information": 100.0},
    )


def installed(*arguments, cwd):
    """Run the installed command as a user does; return what it says with its exit code."""
    command = Path(sys.executable).parent / "mlda"
    # Rich folds lines at the width of the terminal: a wide one leaves sentences whole.
    environment = {**os.environ, "COLUMNS": "400", "NO_COLOR": "1", "TERM": "dumb"}
    return subprocess.run(
        [str(command), *map(str, arguments)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def write_year(folder, member, year):
    """Write a year in which four patterns rule, with a little noise of each member's own."""
    patterns = np.random.default_rng(0).normal(size=(4, 4, LAT.size, LON.size))
    codes = np.random.default_rng([1, year]).normal(size=(12, 4))
    noise = np.random.default_rng([2, member, year]).normal(size=(12, 4, LAT.size, LON.size))
    x = 0.5 * np.einsum("tk,kvij->tvij", codes, patterns) + 0.3 * noise
    time = np.array([f"{year}-{m:02d}-15" for m in range(1, 13)], dtype="datetime64[ns]")
    season = np.cos(2 * np.pi * np.arange(12) / 12)[:, None, None]
    fields = {
        "psl": (101_300 + 500 * x[:, 0] + 100 * season, "Pa"),
        "tos": (np.where(LAND, np.nan, 290 + x[:, 1] + 3 * season), "K"),
        "tas": (285 + 2 * x[:, 2] + 5 * season, "K"),
        "pr": (3e-5 * np.exp(0.4 * x[:, 3]), "kg m-2 s-1"),
    }
    data = xr.Dataset(
        {
            name: (("time", "lat", "lon"), values, {"units": units})
            for name, (values, units) in fields.items()
        },
        coords={"time": time, "lat": LAT, "lon": LON},
    )
    data["sftlf"] = (("lat", "lon"), np.where(LAND, 100.0, 0.0), {"units": "%"})
    data.to_netcdf(folder / f"m{member:02d}_{year}.nc")


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    for member in (0, 1):
        for year in YEARS:
            write_year(folder, member, year)
    return folder


@pytest.fixture(scope="module")
def workplace(raw, tmp_path_factory):
    """A folder with prepared data, a trained model and its bundle, all made by the command."""
    folder = tmp_path_factory.mktemp("workplace")
    (folder / "tiny.toml").write_text(toml(3))
    prepared = mlda("data", "prepare", raw, "--out", "data/tiny.nc", cwd=folder)
    assert prepared.returncode == 0, prepared.stderr
    trained = mlda("train", "tiny.toml", cwd=folder)
    assert trained.returncode == 0, trained.stderr
    (folder / "train.out").write_text(trained.stdout + trained.stderr)
    return folder


# What it says of itself
@pytest.mark.parametrize(
    "command",
    [(), ("data",), ("data", "prepare"), ("train",), ("calibrate",), ("validate",), ("info",)],
)
def test_help_of_every_command(command, tmp_path):
    done = mlda(*command, "--help", cwd=tmp_path)
    assert done.returncode == 0
    if command not in {(), ("data",)}:
        assert f"mlda {' '.join(command)} " in done.stdout.split("Example", 1)[1]


def test_help_is_quick_for_it_loads_no_torch(repo_root):
    program = "import sys, mlda_core.cli.main; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=repo_root, check=False)
    assert done.returncode == 0


# From files to scores
@pytest.mark.slow
def test_prepare_writes_the_canonical_dataset(workplace):
    with xr.open_dataset(workplace / "data" / "tiny.nc") as data:
        assert dict(data.sizes) == {"member": 2, "time": 120, "lat": 8, "lon": 16}
        assert data["pr"].attrs["units"] == "kg m-2 s-1"
    assert [path.name for path in (workplace / "data").iterdir()] == ["tiny.nc"]


def test_prepare_takes_a_part(raw, tmp_path):
    done = mlda(
        "data", "prepare", raw, "--out", "part.nc", "--members", "1", "--years", "1980-1981,1985",
        "--variables", "psl,pr", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with xr.open_dataset(tmp_path / "part.nc") as data:
        assert dict(data.sizes) == {"member": 1, "time": 36, "lat": 8, "lon": 16}
        assert set(data["time"].dt.year.values) == {1980, 1981, 1985}
        assert set(data.data_vars) == {"psl", "pr", "sftlf"}


@pytest.mark.slow
def test_train_says_its_skill_and_keeps_a_log(workplace):
    said = (workplace / "train.out").read_text()
    assert "epoch   3/3" in said
    assert all(name in said for name in ("psl", "tos", "tas", "pr"))
    lines = (workplace / "runs" / "tiny" / "log.jsonl").read_text().splitlines()
    epochs = [json.loads(line) for line in lines]
    assert [epoch["epoch"] for epoch in epochs] == [1, 2, 3]
    # Four patterns of six numbers: the sea and the air are theirs but for the noise.
    assert epochs[-1]["skill"]["psl"] > 0.5


def test_bundle_is_whole(workplace):
    bundle = load_bundle(workplace / "runs" / "tiny" / "bundle")
    assert bundle.n_latent == 6
    assert len(bundle.months) == 120
    assert bundle.split("1981-06") == "test"
    assert bundle.split("1980-12") == "gap"
    fields = bundle.decode(np.zeros(6), "1981-06")
    assert fields["psl"].shape == (1, 8, 16)
    assert np.array_equal(np.isnan(fields["tos"].values[0]), LAND)


def test_shipped_months_are_the_first_members(workplace):
    bundle = load_bundle(workplace / "runs" / "tiny" / "bundle")
    with xr.open_dataset(workplace / "data" / "tiny.nc") as data:
        truth = data.sel(member=0, time="1983-05").squeeze()
        state = bundle.state("1983-05").squeeze()
        for name, size in {"psl": 500, "tos": 1, "tas": 2, "pr": 2e-5}.items():
            np.testing.assert_allclose(state[name], truth[name], atol=0.05 * size)


def test_training_again_goes_on_and_does_nothing_twice(workplace):
    log = workplace / "runs" / "tiny" / "log.jsonl"
    before = log.read_text()
    done = mlda("train", "tiny.toml", cwd=workplace)
    assert done.returncode == 0, done.stderr
    assert log.read_text() == before


def test_a_bundle_says_the_command_that_makes_it(workplace):
    made = json.loads((workplace / "runs" / "tiny" / "bundle" / "config.json").read_text())
    assert made["provenance"]["command"] == "mlda train tiny.toml"
    done = mlda(
        "train", "tiny.toml", "--set", "network.harmonics=0", "--set", "model.title='A b'",
        "--seed", "3", "--epochs", "1", cwd=workplace,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = json.loads((workplace / "runs" / "tiny-seed3" / "bundle" / "config.json").read_text())
    words = shlex.split(made["provenance"]["command"])
    assert words[:3] == ["mlda", "train", "tiny.toml"]
    options = list(zip(words[3::2], words[4::2], strict=True))
    assert set(options) == {
        ("--seed", "3"), ("--epochs", "1"),
        ("--set", "network.harmonics=0"), ("--set", "model.title='A b'"),
    }  # fmt: skip


def test_other_settings_do_not_overwrite_a_run(workplace):
    (workplace / "longer.toml").write_text(toml(4))
    assert "--run" in refusal(mlda("train", "longer.toml", cwd=workplace))


def test_info_says_what_a_bundle_is(workplace):
    done = mlda("info", "runs/tiny/bundle", cwd=workplace)
    assert done.returncode == 0
    for words in ("A planet of 128 cells", "8 x 16", "6 numbers", "1979-01", "12 test", "1984"):
        assert words in done.stdout


@pytest.mark.slow
def test_validate_writes_scores_and_a_page(workplace):
    done = mlda(
        "validate", "runs/tiny/bundle", "--config", "tiny.toml", "--split", "test",
        "--samples", "20", "--out", "page", cwd=workplace,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    scores = json.loads((workplace / "runs" / "tiny" / "bundle" / "scores.json").read_text())
    test = scores["reconstruction"]["test"]
    for name in ("psl", "tos", "tas", "pr"):
        for method in ("vae", "eof"):
            assert test[name][method]["explained_variance"] <= 1
            assert test[name][method]["rmse"] >= 0
    assert test["psl"]["vae"]["explained_variance"] > 0.5
    assert any((workplace / "page").iterdir())


# Mistakes
@pytest.fixture(scope="module")
def calibrated(workplace):
    """Another copy of the bundle, with what assimilation needs."""
    shutil.copytree(workplace / "runs/tiny/bundle", workplace / "calibrated")
    # Reconstruction's scores are of the weights, which stay.
    weights = load_bundle(workplace / "calibrated").config["checksums"]["weights.safetensors"]
    scores = workplace / "calibrated/scores.json"
    scores.write_text(json.dumps({"weights": weights, "reconstruction": {"test": {}}}))
    options = ("--config", "tiny.toml", "--epochs", "2", "--set", "half_width=7000")
    done = mlda("calibrate", "calibrated", *options, cwd=workplace)
    assert done.returncode == 0, done.stderr
    return workplace / "calibrated"


@pytest.mark.slow
def test_calibrate_adds_what_assimilation_needs(calibrated):
    bundle = load_bundle(calibrated)
    assert bundle.has_statistics
    assert bundle.settings.half_width == 7000
    assert bundle.sea is not None
    # TEST lends nothing: 8 years of training, less gap months, and 2 held out, of two members.
    assert len(bundle.statistics.held) == 2 * 2 * 12
    assert len(bundle.statistics.coefficients) == 2 * (120 - 12 - 2 - 4 + 4 - 4)
    assert json.loads((calibrated / "scores.json").read_text())["reconstruction"] == {"test": {}}


@pytest.mark.slow
def test_validate_scores_assimilation_by_network(calibrated, workplace, monkeypatch):
    # All its steps took half of the test's time; what they find is tested with the method.
    monkeypatch.setattr(adam, "ADAM_STEPS", 5)
    options = ("--assimilation", "--config", "tiny.toml", "--networks", "sst_only,stations_10")
    done = mlda("validate", calibrated, *options, cwd=workplace)
    assert done.returncode == 0, done.stderr
    assert "stations_10" in done.stdout
    scores = json.loads((calibrated / "scores.json").read_text())
    found = scores["assimilation"]["validation"]
    assert set(found) == {"sst_only", "stations_10"}
    assert set(found["sst_only"]["pr"]) >= {"vae", "enoi", "eof", "regression", "adam", "ceiling"}
    assert found["sst_only"]["pr"]["vae"]["months"] == 24
    assert "reconstruction" in scores


def test_prepare_refuses_a_folder_that_is_not_there(tmp_path):
    assert "nowhere" in refusal(mlda("data", "prepare", "nowhere", "--out", "x.nc", cwd=tmp_path))
    assert not (tmp_path / "x.nc").exists()


def test_prepare_names_a_truncated_file(raw, tmp_path):
    shutil.copy(raw / "m00_1979.nc", tmp_path)
    (tmp_path / "m00_1980.nc").write_bytes((raw / "m00_1980.nc").read_bytes()[:4000])
    done = mlda("data", "prepare", ".", "--out", "new/x.nc", cwd=tmp_path)
    assert "m00_1980.nc" in refusal(done)


@pytest.mark.parametrize("years", ["soon", "1979-", "1979:1980", ""])
def test_prepare_refuses_what_is_no_list_of_years(raw, tmp_path, years):
    done = mlda("data", "prepare", raw, "--out", "x.nc", "--years", years, cwd=tmp_path)
    if years == "1979-":
        assert done.returncode == 0 or "--years" in refusal(done)
    else:
        assert "--years" in refusal(done)


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        (("[training]", "[training"), "TOML"),
        (("epochs", "epocs"), "epocs"),
        (("[splits]", "[split]"), "splits"),
        (('title = "A planet of 128 cells"', ""), "title"),
        (("test = [1981]", "test = [1984]"), "1984"),
        (("data/tiny.nc", "data/absent.nc"), "absent.nc"),
        (('"pr"]', '"snow"]'), "snow"),
        (("n_latent = 6", "n_latent = 20"), "n_latent 20"),
        (("n_patterns = 12", "n_patterns = 500"), "n_patterns = 500"),
        (("validation = [1984]", "validation = []"), "validation"),
    ],
)
def test_train_names_what_is_wrong_in_its_file(workplace, tmp_path, change, culprit):
    text = toml(1)
    assert change[0] in text
    (tmp_path / "tiny.toml").write_text(text.replace(*change))
    (tmp_path / "data").symlink_to(workplace / "data")
    assert culprit in refusal(mlda("train", "tiny.toml", cwd=tmp_path))


WEIGHTS = "training.variable_weights"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("model.name.x=1", "model.name holds one value"),
        ("model.name.x.y=1", "model.name holds one value"),
        ("model.name=3", "model.name is 3; it must be text"),
        ("model.name='a/b'", "model.name 'a/b' cannot name a folder"),
        ("model.variables=[]", "model.variables is []"),
        ("model.variables=['psl', 3]", "model.variables is ['psl', 3]"),
        ("model.variables=['psl', 'psl']", "names a variable twice"),
        ("model.naem='x'", "unknown setting 'naem' in [model]"),
        ("trainig.epochs=2", "unknown section 'trainig'"),
        ("variables.pr=3", "variables.pr is 3 and not a table"),
        ("variables.pr.transform='sqrt'", "transform 'sqrt'; use one of none, power, gamma"),
        ("variables.pr.domain='ocean'", "domain 'ocean'; use one of globe, sea, land"),
        ("splits.test=1981", "splits.test is 1981; write a list of years"),
        ("splits.tset=[1981]", "unknown setting 'tset' in [splits]"),
        ("data.observed=''", "data.observed is empty; it must be a path"),
        ("data.observed=3", "data.observed is 3; it must be a path"),
        ("data.power=0", "data.power is 0; it must be above 0 and at most 1"),
        ("data.mixed_share=1.5", "data.mixed_share is 1.5; it must be within 0 to 1"),
        ("network.width=50", "network.width is 50; it must be a multiple of 4"),
        ("network.encoder_width=0", "network.encoder_width is 0; it must be a multiple of 4"),
        ("network.n_latent=0", "network.n_latent is 0; it must be 1 or more"),
        ("network.harmonics=-1", "network.harmonics is -1; it must be 0 or more"),
        ("training.epochs='x'", "training.epochs is 'x'; it must be a whole number"),
        ("training.epochs=true", "training.epochs is True; it must be a whole number"),
        ("training.epochs=0", "training.epochs is 0; it must be 1 or more"),
        ("training.batch=0", "training.batch is 0; it must be 1 or more"),
        ("training.information=0", "training.information is 0; it must be above 0"),
        ("training.rate=nan", "training.rate is nan; it must be a number"),
        ("training.ema=1", "training.ema is 1; it must be 0 or more and below 1"),
        ("training.half='no'", "training.half is 'no'; it must be true or false"),
        (f"{WEIGHTS}=3", f"{WEIGHTS} is 3 and not a table"),
        (f"{WEIGHTS}={{tso=2.0}}", "'tso', which the model has not; it has psl, tos, tas, pr"),
        (f"{WEIGHTS}={{tos=0}}", f"{WEIGHTS}.tos is 0; it must be above 0"),
        (f"{WEIGHTS}={{tos='x'}}", f"{WEIGHTS}.tos is 'x'; it must be a number"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_before_training(workplace, setting, words):
    said = refusal(mlda("train", "tiny.toml", "--set", setting, cwd=workplace))
    assert words in said
    assert not (workplace / "runs" / "a").exists()


def test_settings_are_checked_where_they_are_changed_in_python(tmp_path):
    (tmp_path / "tiny.toml").write_text(toml(1))
    config = load_config(tmp_path / "tiny.toml", ["data.mixed=''"])
    assert config.data.mixed is None
    with pytest.raises(ConfigError, match=r"training\.epochs is 0"):
        config.with_training(epochs=0)


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        ("train", "--threads", 0),
        ("train", "--epochs", 0),
        ("train", "--seed", -1),
        ("validate", "--threads", 0),
        ("validate", "--samples", 0),
    ],
)
def test_a_number_out_of_range_is_named(tmp_path, command, option, value):
    done = mlda(command, "tiny.toml", option, value, cwd=tmp_path)
    assert done.returncode == 2
    assert option in done.stderr
    assert "Traceback" not in done.stderr


def test_train_says_that_a_configuration_is_missing(tmp_path):
    assert "absent.toml" in refusal(mlda("train", "absent.toml", cwd=tmp_path))


def test_train_refuses_a_device_that_is_not_there(workplace):
    assert "warp" in refusal(mlda("train", "tiny.toml", "--device", "warp", cwd=workplace))


@pytest.mark.parametrize("command", ["info", "validate"])
def test_a_folder_that_is_no_bundle(command, tmp_path):
    assert "config.json" in refusal(mlda(command, ".", cwd=tmp_path))


def test_validate_refuses_a_split_that_is_not_there(workplace):
    done = mlda("validate", "runs/tiny/bundle", "--split", "tset", cwd=workplace)
    assert "tset" in refusal(done)


@pytest.fixture
def copied(workplace, tmp_path):
    return Path(shutil.copytree(workplace / "runs" / "tiny" / "bundle", tmp_path / "copied"))


def test_info_refuses_a_configuration_without_held_out_years(copied):
    config = json.loads((copied / "config.json").read_text())
    del config["splits"]
    (copied / "config.json").write_text(json.dumps(config))
    assert "no 'splits'" in refusal(mlda("info", copied, cwd=copied))


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"reconstruction": 3}', '{"reconstruction": {"test": {"psl": {}}}}']
)
def test_info_refuses_damaged_scores(copied, text):
    (copied / "scores.json").write_text(text)
    assert "scores.json" in refusal(mlda("info", copied, cwd=copied))


def test_a_missing_matplotlib_shows_before_scoring(workplace, monkeypatch):
    def never(*_, **__):
        raise AssertionError("scored before it was known that nothing can be drawn")

    monkeypatch.setattr("mlda_core.evaluation.reconstruction.validate", never)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = refusal(mlda("validate", "runs/tiny/bundle", cwd=workplace))
    assert "pip install 'mlda-climate[train]'" in said


@pytest.mark.slow
def test_the_installed_command_does_the_same(tmp_path):
    assert "nowhere" in refusal(installed("info", "nowhere", cwd=tmp_path))


def test_a_wrong_option_is_named_with_the_usual_exit_code(tmp_path):
    done = mlda("info", "--colour", cwd=tmp_path)
    assert done.returncode == 2
    assert "--colour" in done.stderr
    assert "Traceback" not in done.stderr

"""``mlda assimilate``: observations in files to analyses in one netCDF file."""

from __future__ import annotations

import json
import subprocess

import netCDF4
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from climate import make_config
from typer.testing import CliRunner

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.calibrate import estimate
from mlda_core.assimilation.netcdf import provenance, to_dataset, writing
from mlda_core.bundle.bundle import add_statistics, load_bundle
from mlda_core.bundle.export import export_bundle
from mlda_core.bundle.statistics import Settings
from mlda_core.cli import console
from mlda_core.cli import main as cli
from mlda_core.observations.networks import NetworkSpec, places, synthesise
from mlda_core.observations.table import read, to_csv, to_netcdf
from mlda_core.vae.dataset import load_training_data
from mlda_core.vae.training import build_vae

MONTHS = ("1982-05", "1982-06", "1984-01")


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with a small bundle, ready to assimilate."""
    folder = tmp_path_factory.mktemp("assimilate")
    config = make_config(folder)
    data = load_training_data(config)
    export_bundle(build_vae(config, data).eval(), config, data, folder / "b", provenance={})
    bundle, settings = load_bundle(folder / "b"), Settings()
    add_statistics(bundle, estimate(bundle, data, settings), settings, None)
    return folder


@pytest.fixture(scope="module")
def bundle(workplace):
    return load_bundle(workplace / "b")


@pytest.fixture(scope="module")
def observed(bundle):
    """Observation tables of some months, every fifth row withheld."""
    where = places(NetworkSpec("stations", count=15), bundle)
    tables = {}
    for month in MONTHS:
        tables[month] = synthesise(where, bundle, bundle.target(month), int(month[5:]))
        tables[month].loc[::5, "withheld"] = True
    return tables


@pytest.fixture
def mlda(monkeypatch, workplace, tmp_path):
    """Run a command within this process, in a folder of its own."""
    monkeypatch.setattr(console.errors, "_width", 400)
    monkeypatch.setattr(console.out, "_width", 400)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b").symlink_to(workplace / "b")

    def run(*arguments):
        done = CliRunner().invoke(cli.app, ["assimilate", "b", *map(str, arguments)])
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    return run


def refusal(done):
    """Return the one sentence with which a command failed."""
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("mlda: ")]
    return line


def opened(path, **more):
    with xr.open_dataset(path, engine="netcdf4", **more) as file:
        return file.load()


def test_one_month_is_the_analysis_of_the_library_in_cf_units(mlda, bundle, observed, tmp_path):
    month = MONTHS[0]
    (tmp_path / "mine.csv").write_text(to_csv(observed[month]))
    done = mlda("--obs", "mine.csv", "--month", month, "--out", "new/mine.nc")
    assert done.returncode == 0, done.stderr
    found = opened(tmp_path / "new/mine.nc")
    table = read(tmp_path / "mine.csv", bundle).table
    analysis = Assimilator(bundle).run(table, month)
    climatology = bundle.climatology(5)
    for i, v in enumerate(bundle.variables):
        for name, expected in (
            (f"{v.name}_anomaly", analysis.anomalies[i] / v.scale),
            (f"{v.name}_spread", analysis.spread[i] / v.scale),
            (f"{v.name}_background", analysis.background[i] / v.scale),
            (f"{v.name}_latent", analysis.latent_only[i] / v.scale),
        ):
            assert found[name].attrs["units"] == v.units
            np.testing.assert_allclose(found[name][0], expected, rtol=1e-4, atol=1e-9)
        full = (analysis.anomalies[i] + climatology[i] - v.offset) / v.scale
        full = np.maximum(full, 0) if v.name == "pr" else full
        np.testing.assert_allclose(found[v.name][0], full, rtol=1e-5, atol=1e-9)
        assert found[v.name].attrs["standard_name"] == v.standard_name
    np.testing.assert_allclose(found["z"][0], analysis.z, rtol=1e-5, atol=1e-6)
    assert float(found["cost_prior"][0]) == pytest.approx(analysis.cost.prior, rel=1e-4)
    assert str(found["time"].values[0])[:10] == "1982-05-15"
    assert str(found["outcome"].values[0]) == analysis.outcome
    assert json.loads(found.attrs["settings"])["method"] == "vae"
    assert list(tmp_path.glob("new/*")) == [tmp_path / "new/mine.nc"]

    table = opened(tmp_path / "new/mine.nc", group="observations").to_dataframe()
    for column in ("value", "error_sd", "background_departure", "analysis_departure"):
        np.testing.assert_allclose(table[column], analysis.observations[column], rtol=1e-4)
    assert table["withheld"].tolist() == observed[month]["withheld"].tolist()
    assert table["used"].tolist() == (~observed[month]["withheld"]).tolist()
    assert analysis.outcome in done.stderr
    assert "There is no target: only withheld observations can be scored." in done.stdout


def test_an_output_repeats_itself(mlda, observed, tmp_path):
    """Its group of observations, with the settings it tells, makes the same file again."""
    month = MONTHS[0]
    to_netcdf(observed[month], tmp_path / "mine.nc")
    options = ("--month", month, "--method", "enoi", "--localisation", "0.5")
    assert mlda("--obs", "mine.nc", "--out", "one.nc", *options).returncode == 0
    assert mlda("--obs", "one.nc", "--out", "two.nc", *options).returncode == 0
    one, two = opened(tmp_path / "one.nc"), opened(tmp_path / "two.nc")
    xr.testing.assert_identical(one, two.assign_attrs(one.attrs))
    assert one.attrs["settings"] == two.attrs["settings"]
    assert "z" not in one


def test_many_months_by_a_column_of_times_or_a_folder_of_files(mlda, bundle, observed, tmp_path):
    (tmp_path / "folder").mkdir()
    for month, table in observed.items():
        (tmp_path / f"folder/obs_{month.replace('-', '')}.csv").write_text(to_csv(table))
    timed = pd.concat([t.assign(time=f"{m}-15") for m, t in observed.items()])
    (tmp_path / "timed.csv").write_text(to_csv(timed.sample(frac=1, random_state=0)))
    by_folder = mlda("--obs", "folder", "--out", "folder.nc", "--method", "eof")
    by_time = mlda("--obs", "timed.csv", "--out", "timed.nc", "--method", "eof")
    assert (by_folder.returncode, by_time.returncode) == (0, 0), by_folder.stderr + by_time.stderr
    one, two = opened(tmp_path / "folder.nc"), opened(tmp_path / "timed.nc")
    assert [str(t)[:7] for t in one["time"].values] == list(MONTHS)
    for v in bundle.variables:
        np.testing.assert_allclose(
            one[f"{v.name}_anomaly"], two[f"{v.name}_anomaly"], rtol=1e-3, atol=1e-5 / v.scale
        )
    alone = Assimilator(bundle).run(observed[MONTHS[2]], MONTHS[2], method="eof")
    np.testing.assert_allclose(one["tas_anomaly"][2], alone.anomalies[2], rtol=1e-4, atol=1e-5)
    table = opened(tmp_path / "folder.nc", group="observations").to_dataframe()
    counts = table.groupby("time").size()
    assert [str(t)[:7] for t in counts.index] == list(MONTHS)
    assert (
        counts.tolist()
        == [len(t) for t in observed.values()]
        == one["n_observations"].values.tolist()
    )
    assert all(f"{m}: solved in closed form" in by_folder.stderr for m in MONTHS)
    # What was written can be read again, month by month.
    again = mlda("--obs", "folder.nc", "--out", "again.nc", "--method", "eof")
    assert again.returncode == 0
    three = opened(tmp_path / "again.nc")
    np.testing.assert_allclose(three["psl_anomaly"], one["psl_anomaly"], rtol=1e-3, atol=0.1)


def test_one_month_of_many_can_be_chosen(mlda, observed, tmp_path):
    timed = pd.concat([t.assign(time=m) for m, t in observed.items()])
    (tmp_path / "timed.csv").write_text(to_csv(timed))
    options = ("--obs", "timed.csv", "--method", "climatology", "--out", "x.nc")
    assert mlda(*options, "--month", MONTHS[1]).returncode == 0
    assert [str(t)[:7] for t in opened(tmp_path / "x.nc")["time"].values] == [MONTHS[1]]
    said = refusal(mlda(*options, "--month", "2001-01"))
    assert "no observation of 2001-01; it holds 1982-05 to 1984-01" in said


def test_bad_rows_are_told_and_kept_in_the_file(mlda, observed, tmp_path):
    bad = "tas,99,0,1,1,False,\n" * 12
    (tmp_path / "mine.csv").write_text(to_csv(observed[MONTHS[0]]) + bad)
    options = ("--obs", "mine.csv", "--month", MONTHS[0], "--method", "eof", "--out", "x.nc")
    done = mlda(*options)
    assert done.returncode == 0
    n = len(observed[MONTHS[0]])
    assert f"Row {n + 1}: lat '99' is no latitude" in done.stderr
    assert "... and 2 rows more." in done.stderr
    found = opened(tmp_path / "x.nc")
    assert str(found["rejected"].values[0]).count("no latitude") == 12
    assert int(found["n_observations"][0]) == n


def test_scores_against_the_bundles_own_month_when_asked(mlda, bundle, observed, tmp_path):
    (tmp_path / "mine.csv").write_text(to_csv(observed["1982-05"]))
    options = ("--obs", "mine.csv", "--method", "enoi", "--out", "x.nc", "--against-bundle")
    done = mlda(*options, "--month", "1982-05")
    assert done.returncode == 0, done.stderr
    analysis = Assimilator(bundle).run(observed["1982-05"], "1982-05", method="enoi")
    weights, truth = bundle.normaliser.weights, bundle.target("1982-05")
    error = np.nansum(weights * (analysis.anomalies - truth) ** 2, axis=(1, 2))
    explained = 1 - error / np.nansum(weights * truth**2, axis=(1, 2))
    for v, skill, rmse in zip(bundle.variables, explained, np.sqrt(error), strict=True):
        (line,) = [x for x in done.stdout.splitlines() if f" {v.name} (" in x]
        assert f"{rmse:.2f} │" in line
        assert f"{skill:.2f} │" in line
    assert "fit, not skill" not in done.stdout
    (tmp_path / "mine.csv").write_text(to_csv(observed["1982-05"]))
    assert "fit, not skill" in mlda(*options, "--month", "1983-05").stdout
    assert "no month '2020-05'" in refusal(mlda(*options, "--month", "2020-05"))


@pytest.mark.parametrize("method", ["climatology", "vae-latent-only", "eof-latent-only"])
def test_every_method_is_told_without_numbers_that_it_has_not(mlda, observed, tmp_path, method):
    (tmp_path / "mine.csv").write_text(to_csv(observed["1982-05"]))
    done = mlda("--obs", "mine.csv", "--month", "1982-05", "--out", "x.nc", "--method", method)
    assert done.returncode == 0, done.stderr
    assert "nan" not in done.stdout + done.stderr
    assert ("chi-squared" in done.stderr) == (method != "climatology")


def test_a_month_that_the_bundle_does_not_hold_needs_no_target(mlda, observed, tmp_path):
    (tmp_path / "mine.csv").write_text(to_csv(observed["1982-05"].assign(withheld=False)))
    done = mlda("--obs", "mine.csv", "--month", "1850-05", "--method", "eof", "--out", "x.nc")
    assert done.returncode == 0, done.stderr
    assert "There is no target and nothing is withheld: nothing can be scored." in done.stdout
    assert str(opened(tmp_path / "x.nc")["time"].values[0])[:7] == "1850-05"


def test_an_earlier_analysis_is_the_background_of_another(mlda, bundle, observed, tmp_path):
    month = MONTHS[0]
    (tmp_path / "mine.csv").write_text(to_csv(observed[month]))
    (tmp_path / "none.csv").write_text("variable,lat,lon,value,error_sd\ntas,0,0,0,40\n")
    options = ("--month", month, "--method", "vae")
    assert mlda("--obs", "mine.csv", "--out", "first.nc", *options).returncode == 0
    # One observation of no weight: the analysis stays at the background.
    done = mlda("--obs", "none.csv", "--out", "next.nc", *options, "--background", "first.nc")
    assert done.returncode == 0, done.stderr
    first, following = opened(tmp_path / "first.nc"), opened(tmp_path / "next.nc")
    for v in bundle.variables:
        given, taken = (
            f[f"{v.name}_{k}"] for f, k in ((first, "anomaly"), (following, "background"))
        )
        np.testing.assert_allclose(taken, given, atol=0.05 * v.anomaly_limit / v.scale)
    said = refusal(mlda("--obs", "none.csv", "--out", "x.nc", *options, "--background", "mine.csv"))
    assert "mine.csv cannot be read as an analysis" in said
    assert not (tmp_path / "x.nc").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--month", "1982-05", "--method", "kriging"), "no method 'kriging'"),
        (("--month", "1982-13"), "'1982-13' is not a month"),
        (("--month", "0850-05"), "0850-05 is not within 1678 to 2261"),
        ((), "does not say which month it is of; give --month"),
        (("--month", "1982-05", "--localisation", "0"), "localisation is 0"),
        (("--month", "1982-05", "--background", "1900-01"), "no month '1900-01'"),
        (("--month", "1982-05", "--background", "nowhere.nc"), "nowhere.nc cannot be read"),
    ],
)
def test_mistakes_are_told_in_one_sentence_and_leave_nothing(
    mlda, observed, tmp_path, options, words
):
    (tmp_path / "mine.csv").write_text(to_csv(observed["1982-05"]))
    (tmp_path / "x.nc").write_text("of old")
    assert words in refusal(mlda("--obs", "mine.csv", "--out", "x.nc", *options))
    assert (tmp_path / "x.nc").read_text() == "of old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b", "mine.csv", "x.nc"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("mine.csv", "variable,lat,lon\n", "no column 'value'"),
        (
            "mine.csv",
            "variable,lat,lon,value\ntas,99,0,1\n",
            "no observation that can be used; the",
        ),
        ("mine.csv", "variable,lat,lon,value\n", "no observation that can be used."),
        ("folder/mine.csv", "variable,lat,lon,value\n", "name it such as 1997-12.csv"),
        ("folder/mine.doc", "", "holds no CSV or netCDF file"),
    ],
)
def test_files_without_observations_are_told_in_one_sentence(mlda, tmp_path, name, text, words):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    source = name.partition("/")[0]
    assert words in refusal(mlda("--obs", source, "--month", "1982-05", "--out", "x.nc"))
    assert not list(tmp_path.glob("x.nc*"))


def test_a_missing_file_is_named(mlda):
    assert "nowhere.csv" in refusal(
        mlda("--obs", "nowhere.csv", "--month", "1982-05", "--out", "x")
    )


# Going on


def test_an_interrupted_run_goes_on_where_it_was(bundle, observed, tmp_path):
    engine = Assimilator(bundle)
    runs = {m: engine.run(t, m, method="eof") for m, t in observed.items()}
    about = provenance(bundle, {"method": "eof"})

    def write(path, months, *, stop=None, notes=about):
        with writing(path, notes) as file:
            done = file.months
            for month in months:
                if month in done:
                    continue
                if month == stop:
                    raise KeyboardInterrupt
                file.add(to_dataset(runs[month], bundle, month), runs[month].observations)
        return done

    write(tmp_path / "whole.nc", MONTHS)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "x.nc", MONTHS, stop=MONTHS[2])
    assert not (tmp_path / "x.nc").exists()
    # Cut off in the middle of the third month: all but its time is there.
    with netCDF4.Dataset(tmp_path / "x.nc.part", "a") as part:
        part["psl"][2] = 0.0
        part["observations"]["value"][len(observed[MONTHS[0]]) * 2 + 3] = 99.0
    assert write(tmp_path / "x.nc", MONTHS) == MONTHS[:2]
    for group in (None, "observations"):
        whole, resumed = (opened(tmp_path / n, group=group) for n in ("whole.nc", "x.nc"))
        xr.testing.assert_identical(whole, resumed)
    # With other settings it begins anew.
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "y.nc", MONTHS, stop=MONTHS[1])
    assert write(tmp_path / "y.nc", MONTHS, notes={**about, "settings": "{}"}) == ()
    # And what is no netCDF is not trusted.
    (tmp_path / "z.nc.part").write_bytes(b"half a file")
    assert write(tmp_path / "z.nc", MONTHS) == ()

"""``mlda assimilate``: observations in files to analyses in one netCDF file."""

from __future__ import annotations

import json
from contextlib import suppress

import netCDF4
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from commands import mlda as run
from commands import refusal
from small import make_linear

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.calibrate import PATTERNS
from mlda_core.assimilation.netcdf import provenance, writing
from mlda_core.assimilation.regional_series import by_season
from mlda_core.assimilation.targeting import where_next
from mlda_core.bundle.bundle import load_bundle
from mlda_core.observations.networks import NetworkSpec, places, synthesise
from mlda_core.observations.table import read, to_csv, to_netcdf

MONTHS = ("1982-05", "1982-06", "1984-01")


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with a small bundle, ready to assimilate."""
    folder = tmp_path_factory.mktemp("assimilate")
    make_linear(folder, patterns=PATTERNS)
    return folder


@pytest.fixture(scope="module")
def bundle(workplace):
    return load_bundle(workplace / "made")


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
    """Run a command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b").symlink_to(workplace / "made")

    return lambda *words: run("assimilate", "b", *words)


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


@pytest.mark.slow
def test_members_of_the_posterior_are_written_too(mlda, bundle, observed, tmp_path):
    month = MONTHS[0]
    (tmp_path / "mine.csv").write_text(to_csv(observed[month]))
    done = mlda(
        "--obs", "mine.csv", "--month", month, "--out", "mine.nc", "--members", 6, "--seed", 2
    )
    assert done.returncode == 0, done.stderr
    found = opened(tmp_path / "mine.nc")
    table = read(tmp_path / "mine.csv", bundle).table
    ensemble = Assimilator(bundle).ensemble(table, month, members=6, seed=2)
    for i, v in enumerate(bundle.variables):
        member = found[f"{v.name}_member"]
        assert member.dims == ("time", "member", "lat", "lon")
        assert member.attrs["units"] == v.units
        np.testing.assert_allclose(
            member[0], ensemble.anomalies[:, i] / v.scale, rtol=1e-4, atol=1e-9
        )
    assert found["member"].values.tolist() == [1, 2, 3, 4, 5, 6]
    assert json.loads(found.attrs["ensemble"]) == {"members": 6, "sampler": "laplace", "seed": 2}
    assert "members is 1" in refusal(
        mlda("--obs", "mine.csv", "--month", month, "--out", "no.nc", "--members", 1)
    )
    assert "use laplace" in refusal(
        mlda(
            *("--obs", "mine.csv", "--month", month, "--out", "no.nc", "--members", 4),
            *("--method", "enoi", "--sampler", "perturbed"),
        )
    )
    assert not (tmp_path / "no.nc").exists()
    options = ("--obs", "mine.csv", "--month", month, "--out", "no.nc")
    for lonely in (("--seed", 3), ("--sampler", "perturbed")):
        assert "--members 50" in refusal(mlda(*options, *lonely))


@pytest.mark.parametrize(("first", "second"), [({"ensemble": "6"}, {}), ({}, {"ensemble": "6"})])
def test_a_part_of_a_run_with_other_members_is_not_gone_on_with(
    bundle, observed, tmp_path, first, second
):
    month, other = MONTHS[:2]
    engine = Assimilator(bundle)
    plan = {name: len(observed[name]) for name in (month, other)}
    about = provenance(bundle, {})
    # Ends before its plan: the rest is kept.
    with (
        suppress(RuntimeError),
        writing(tmp_path / "out.nc", {**about, **first}, plan) as file,
    ):
        analysis = engine.run(observed[month], month)
        file.add(analysis.to_dataset(month), analysis.observations)
    with (
        pytest.raises(RuntimeError, match="0 of 2 months"),
        writing(tmp_path / "out.nc", {**about, **second}, plan) as file,
    ):
        assert file.months == set()


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
    assert done.returncode == 3
    n = len(observed[MONTHS[0]])
    assert f"Row {n + 1}: lat '99' is no latitude" in done.stderr
    assert "... and 2 rows more." in done.stderr
    assert "; 24 used, 12 refused, 6 withheld; cost" in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert (
        last
        == f"12 of {n + 12} rows of observations were refused: what is written is of the others."
    )
    found = opened(tmp_path / "x.nc")
    assert str(found["rejected"].values[0]).count("no latitude") == 12
    assert int(found["n_observations"][0]) == n
    assert found.attrs["rows_refused"] == f"12 of {n + 12}"


@pytest.mark.parametrize(
    ("options", "n_bad", "code"),
    [
        ((), 0, 0),
        ((), 1, 3),
        (("--allow-refused",), 0, 0),
        (("--allow-refused",), 1, 0),
        (("--strict",), 0, 0),
        (("--strict",), 1, 2),
        (("--strict", "--allow-refused"), 0, 2),
    ],
)
def test_the_exit_code_says_whether_rows_were_refused(
    mlda, observed, tmp_path, options, n_bad, code
):
    text = to_csv(observed[MONTHS[0]].iloc[:4]) + "tas,99,0,1,1,False,\n" * n_bad
    (tmp_path / "mine.csv").write_text(text)
    (tmp_path / "x.nc").write_text("of old")
    given = ("--obs", "mine.csv", "--month", MONTHS[0], "--method", "climatology", "--out", "x.nc")
    done = mlda(*given, *options)
    assert done.returncode == code, done.stderr
    counted = "1 of 5 rows of observations was refused"
    assert (counted in done.stderr) == bool(n_bad)
    if code == 2:
        refusal(done)
        assert (tmp_path / "x.nc").read_text() == "of old"
        assert sorted(p.name for p in tmp_path.iterdir()) == ["b", "mine.csv", "x.nc"]
    else:
        assert opened(tmp_path / "x.nc").attrs["rows_refused"] == f"{n_bad} of {4 + n_bad}"


HEAD = "variable,lat,lon,value,error_sd\n"


@pytest.mark.slow
def test_options_of_reading_reach_the_observations(mlda, bundle, tmp_path):
    """Codes, repeated rows, and dates with two readings: refused or told, unless asked for."""
    options = ("--month", "1982-05", "--method", "enoi", "--out", "x.nc")

    def table():
        return opened(tmp_path / "x.nc", group="observations").to_dataframe()

    (tmp_path / "a.csv").write_text(HEAD + "psl,50,10,-9.99,1\npsl,51,40,2,1\n")
    assert mlda("--obs", "a.csv", *options).returncode == 3
    assert table()["value"].tolist() == [2.0]
    assert mlda("--obs", "a.csv", *options, "--keep-codes").returncode == 0
    assert table()["value"].tolist() == [-9.99, 2.0]

    (tmp_path / "b.csv").write_text(HEAD + "psl,50,10,3,1\n" * 9)
    done = mlda("--obs", "b.csv", *options)
    assert done.returncode == 0
    assert "Note: 8 rows repeat another's variable, place, time and value" in done.stderr
    assert len(table()) == 9
    done = mlda("--obs", "b.csv", *options, "--merge-repeated")
    assert "Note: 8 rows are merged with others" in done.stderr
    assert table()["value"].tolist() == [3.0]
    assert opened(tmp_path / "x.nc").attrs["rows_refused"] == "0 of 9"

    timed = "variable,lat,lon,value,error_sd,time\npsl,50,10,3,1,05/04/1982\n"
    (tmp_path / "c.csv").write_text(timed)
    assert "may have the day or the month first" in refusal(
        mlda("--obs", "c.csv", "--method", "enoi", "--out", "x.nc")
    )
    for option, month in (("--day-first", "1982-04"), ("--no-day-first", "1982-05")):
        done = mlda("--obs", "c.csv", "--method", "enoi", "--out", "x.nc", option)
        assert done.returncode == 0, done.stderr
        assert str(opened(tmp_path / "x.nc")["time"].values[0])[:7] == month


def test_anomalies_of_another_base_period_are_moved_once(mlda, bundle, tmp_path):
    (tmp_path / "a.csv").write_text(HEAD + "tas,50,10,1,1\n")
    options = ("--obs", "a.csv", "--month", "1982-05", "--method", "enoi", "--out", "x.nc")
    years = sorted({m[:4] for m in bundle.months})[-5:]
    period = f"{years[0]}-{years[-1]}"
    assert period not in bundle.base_period
    done = mlda(*options, "--base-period", period)
    assert done.returncode == 0, done.stderr
    found = opened(tmp_path / "x.nc", group="observations")["value"].values
    at = bundle.operator.locate([v.name for v in bundle.variables].index("tas"), [50.0], [10.0])
    own = [m for m in bundle.months if m[5:] == "05"]
    within = np.mean([bundle.target(m) for m in own if m[:4] in years], axis=0)
    base = np.mean([bundle.target(m) for m in own if bundle.split(m) == "train"], axis=0)
    assert found == pytest.approx(1.0 + bundle.operator.apply(at, within - base), abs=1e-5)
    assert abs(found[0] - 1.0) > 1e-3
    about = json.loads(opened(tmp_path / "x.nc").attrs["observations_options"])
    assert about["base_period"] == period


def test_a_gross_error_is_down_weighted_when_asked(mlda, bundle, observed, tmp_path):
    table = observed[MONTHS[0]].copy()
    table.loc[1, "value"] += 45.0
    (tmp_path / "mine.csv").write_text(to_csv(table))
    options = ("--obs", "mine.csv", "--month", MONTHS[0], "--method", "enoi", "--out", "x.nc")
    done = mlda(*options, "--robust")
    assert done.returncode == 0, done.stderr
    assert "the worst 2 (S" in done.stderr
    assert "and were down-weighted; 24 used" in done.stderr
    told = opened(tmp_path / "x.nc", group="observations").to_dataframe()
    analysis = Assimilator(bundle).run(table, MONTHS[0], method="enoi", robust=True)
    np.testing.assert_allclose(
        told["robust_weight"], analysis.observations["robust_weight"], rtol=1e-3
    )
    assert told["robust_weight"][1] < 0.01
    # And the file, read as observations again, makes itself again.
    again = mlda("--obs", "x.nc", "--method", "enoi", "--out", "y.nc", "--robust")
    assert again.returncode == 0, again.stderr
    one, two = (opened(tmp_path / name) for name in ("x.nc", "y.nc"))
    np.testing.assert_array_equal(one["psl"], two["psl"])
    assert "no prior to tell gross errors by" in refusal(
        mlda(*options[:4], "--method", "climatology", "--robust", "--out", "x.nc")
    )


ROW = HEAD + "tas,50,10,3,1\n"
OTHER = HEAD + "tas,40,20,2,1\n"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"1982-05.csv": ROW, "1982-05 (1).csv": ROW}, "1982-05 (1).csv is named as a copy"),
        ({"2024-05-02_mine_1982-05.csv": ROW}, "holds '2024-05-02' and '1982-05'"),
        ({"obs_198201-198212.csv": ROW}, "holds '198201' and '198212'"),
        ({"london_1982-05.csv": ROW, "paris_1982-05.csv": ROW}, "hold the same, byte by byte"),
        ({"1982-05.csv": ROW, "198205.csv": OTHER}, "are both of 1982-05; keep one"),
        (
            {"london_1982-05.csv": ROW + "tas,40,20,2,1\n", "paris_1982-05.csv": OTHER},
            "All that paris_1982-05.csv holds of 1982-05 stands in london_1982-05.csv too",
        ),
        (
            {
                "a.csv": "variable,lat,lon,value,time\ntas,50,10,3,1982-05\n",
                "b.csv": "variable,lat,lon,value,date\ntas,50,10,3,1982-05\n",
            },
            "All that b.csv holds of 1982-05 stands in a.csv too",
        ),
        ({"1982-05.csv": ROW, "1982-06.csv.gz": ROW}, "1982-06.csv.gz cannot be read as it is"),
    ],
)
def test_folders_that_would_count_twice_or_of_a_wrong_month_are_refused(
    mlda, tmp_path, files, words
):
    (tmp_path / "folder").mkdir()
    for name, text in files.items():
        (tmp_path / "folder" / name).write_text(text)
    said = refusal(mlda("--obs", "folder", "--method", "climatology", "--out", "x.nc"))
    assert words in said
    assert not list(tmp_path.glob("x.nc*"))


def test_what_lies_beside_the_observations_of_a_folder_is_left_out(mlda, tmp_path):
    (tmp_path / "folder" / "old").mkdir(parents=True)
    texts = {
        "london_1982-05.csv": ROW,
        "paris_1982-05.csv": OTHER,
        "README.txt": "The stations of my thesis.",
        "london_1982-05.csv~": ROW,
        "old/london_1982-05.csv": ROW,
    }
    for name, text in texts.items():
        (tmp_path / "folder" / name).write_text(text)
    (tmp_path / "folder/._london_1982-05.csv").write_bytes(b"\0\5\26\7Mac OS X\xff")
    done = mlda("--obs", "folder", "--method", "climatology", "--out", "x.nc")
    assert done.returncode == 0, done.stderr
    assert "Note: Of the folder, README.txt was left out" in done.stderr
    table = opened(tmp_path / "x.nc", group="observations").to_dataframe()
    assert sorted(table["value"]) == [2.0, 3.0]


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

    plan = {m: len(t) for m, t in observed.items()}

    def write(path, months, *, stop=None, notes=about, plan=plan):
        with writing(path, notes, plan) as file:
            done = set(file.months)
            for month in months:
                if month in done:
                    continue
                if month == stop:
                    raise KeyboardInterrupt
                file.add(runs[month].to_dataset(month), runs[month].observations)
        return done

    write(tmp_path / "whole.nc", MONTHS)
    assert opened(tmp_path / "whole.nc").attrs == about
    # By calendar month, as the command makes them: January of 1984 comes first.
    season = by_season(MONTHS)
    assert season != MONTHS
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "x.nc", season, stop=season[2])
    assert not (tmp_path / "x.nc").exists()
    # Cut off in the middle of the last month: all but its time is there.
    with netCDF4.Dataset(tmp_path / "x.nc.part", "a") as part:
        last = MONTHS.index(season[2])
        part["psl"][last] = 0.0
        first = sum(plan[m] for m in MONTHS[:last])
        part["observations"]["value"][first + 3] = 99.0
    assert write(tmp_path / "x.nc", season) == set(season[:2])
    for group in (None, "observations"):
        whole, resumed = (opened(tmp_path / n, group=group) for n in ("whole.nc", "x.nc"))
        xr.testing.assert_identical(whole, resumed)
    # With other settings, or other months, it begins anew.
    others = {"notes": {**about, "settings": "{}"}}, {"plan": {m: plan[m] for m in MONTHS[:2]}}
    for other in others:
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path / "y.nc", MONTHS, stop=MONTHS[1])
        chosen = other.get("plan", MONTHS)
        assert write(tmp_path / "y.nc", chosen, **other) == set()
    # And what is no netCDF is not trusted.
    (tmp_path / "z.nc.part").write_bytes(b"half a file")
    assert write(tmp_path / "z.nc", MONTHS) == set()


def test_where_next_prints_the_places_and_writes_them_without_values(
    mlda, bundle, observed, tmp_path
):
    month = MONTHS[0]
    (tmp_path / "mine.csv").write_text(to_csv(observed[month]))
    asked = ("--obs", "mine.csv", "--month", month, "--out", "mine.nc", "--where-next", "3")
    done = mlda(
        *asked, "--where-next-target", "tos:tropics", "--where-next-variable", "tas",
        "--where-next-out", "next.csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Wrote next.csv" in done.stdout
    found = where_next(
        Assimilator(bundle), observed[month], month, "tas", target="tos:tropics", count=3
    )
    written = pd.read_csv(tmp_path / "next.csv")
    assert written["value"].isna().all()
    assert list(written["time"]) == [month] * 3
    for name in ("lat", "lon", "error_sd"):
        assert written[name].to_numpy() == pytest.approx(found.best[name].to_numpy())
    for spread in found.best["spread"]:
        assert f"{spread:.3g}" in done.stdout
    # With values it is a table of observations like any other.
    filled = synthesise(found.best, bundle, bundle.target(month), int(month[5:]))
    (tmp_path / "more.csv").write_text(to_csv(written.assign(value=filled["value"])))
    again = mlda("--obs", "more.csv", "--month", month, "--out", "more.nc")
    assert again.returncode == 0, again.stderr


def test_where_next_takes_a_box_and_the_first_variable_by_default(mlda, observed, bundle, tmp_path):
    (tmp_path / "mine.csv").write_text(to_csv(observed[MONTHS[0]]))
    asked = ("--obs", "mine.csv", "--month", MONTHS[0], "--out", "mine.nc", "--where-next", "1")
    done = mlda(*asked, "--where-next-target", "tas:-20,40,300,30")
    assert done.returncode == 0, done.stderr
    done = mlda(*asked)
    assert done.returncode == 0, done.stderr
    first = bundle.variables[0].name
    assert f"{first} would lower the spread of {first}" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--where-next-target", "tas"), "say how many places"),
        (("--where-next", "2", "--where-next-target", "tas:1,2,3"), "not SOUTH,NORTH,WEST,EAST"),
        (("--where-next", "2", "--where-next-target", "tas:atlantis"), "no region 'atlantis'"),
        (("--where-next", "2", "--where-next-target", "zg"), "no variable 'zg'"),
        (("--where-next", "2", "--method", "climatology"), "no prior"),
        (("--where-next", "2", "--no-residual"), "without residual"),
        (("--where-next", "2", "--where-next-out", "mine.csv"), "which is read"),
        (("--where-next", "2", "--where-next-out", "mine.nc"), "what --out names too"),
    ],
)
def test_a_search_that_cannot_be_is_refused(mlda, observed, tmp_path, words, said):
    (tmp_path / "mine.csv").write_text(to_csv(observed[MONTHS[0]]))
    done = mlda("--obs", "mine.csv", "--month", MONTHS[0], "--out", "mine.nc", *words)
    assert said in refusal(done)
    assert not (tmp_path / "mine.nc").exists()

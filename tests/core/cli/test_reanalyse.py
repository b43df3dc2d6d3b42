"""``mlda reanalyse``: a record of many months to one Zarr store, whatever is killed in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
import xarray as xr
from commands import mlda as run
from commands import refusal
from dask.distributed import Client, LocalCluster
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.minimisation import NONLINEAR
from mlda_core.assimilation.regional_series import observer
from mlda_core.bundle.bundle import load_bundle
from mlda_core.cli.reanalyse import network_of
from mlda_core.observations.networks import NetworkSpec, places, synthesise
from mlda_core.observations.table import empty, read, to_csv
from mlda_core.reanalysis import work
from mlda_core.reanalysis.store import months_between, read_done, read_tables, write_month

MONTHS = months_between("1981-11", "1983-04")


BLANK, WITHHELD = "1982-02", "1982-03"


# The quickest method, where only what becomes of the months matters.
NETWORK = ("--network", "stations_8", "--months", "1981-11:1983-04", "--method", "enoi")


# Any free port, and no pages behind it.
QUIET = {"dashboard_address": "127.0.0.1:0", "scheduler_kwargs": {"dashboard": False}}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with a small bundle, and observations of two networks with a gap."""
    folder = tmp_path_factory.mktemp("reanalyse")
    bundle = make_small(folder, curved=0.002)
    assert 0.1 < bundle.settings.nonlinearity < NONLINEAR
    tables = []
    for month in MONTHS:
        count = 12 if month < "1983" else 7
        where = places(NetworkSpec("stations", count=count), bundle)
        target = bundle.target(month)
        table = synthesise(where, bundle, target, int(month[5:]), seed=[1, int(month[:4])])
        if month == WITHHELD:
            table.loc[::3, "withheld"] = True
        if month != BLANK:
            tables.append(table.assign(time=month))
    (folder / "obs.csv").write_text(to_csv(pd.concat(tables)))
    return folder


@pytest.fixture(scope="module")
def bundle(workplace):
    return load_bundle(workplace / "made")


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, **QUIET) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def mlda(monkeypatch, workplace, tmp_path, client):
    """Run the command within this process and on its cluster, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run_here(*words, out="x.zarr"):
        where = ("--scheduler", client.cluster.scheduler_address, "--out", out)
        return run("reanalyse", workplace / "made", *words, *where)

    return run_here


def stamps(store, rows):
    """When each chunk of some months was written."""
    found = {}
    for i in rows:
        files = [f for f in store.rglob("*") if f.name in {str(i), f"{i}.0.0"}]
        found |= {f: f.stat().st_mtime_ns for f in files if "observations" not in f.parts}
    return found


# What is written
@pytest.mark.slow
@pytest.mark.parametrize("method", ["vae", "enoi"])
def test_every_month_is_the_analysis_of_the_library(mlda, bundle, workplace, method, monkeypatch):
    # Months go by networks, and not one by one.
    monkeypatch.setattr(work, "_alone", None)
    # The decoder's priors take longest: one network will do, and two months that share it.
    months = MONTHS if method == "enoi" else months_between("1981-11", "1982-11")
    options = ("--method", method, "--spread", "--chunk", 2, "--months")
    done = mlda("--obs", workplace / "obs.csv", *options, f"{months[0]}:{months[-1]}")
    assert done.returncode == 0, done.stderr
    n = len(months)
    assert f"1 of {n} months have no observation" in done.stderr
    assert f"{n} of {n} months, {n} of them now at" in done.stdout
    assert (Path("x.zarr") / ".zmetadata").is_file()
    # The one that the worker has, for its priors: what is compared is another way through it.
    engine = work._engine(str(bundle.path), json.dumps(bundle.config["checksums"], sort_keys=True))
    with xr.open_zarr("x.zarr", consolidated=True, chunks=None) as found:
        assert [str(t)[:7] for t in found["time"].values] == list(months)
        assert found["done"].values.all()
        for i, month in enumerate(months):
            table = empty()
            if month != BLANK:
                table = read(workplace / "obs.csv", bundle, month=month).table
            made = engine.run(table, month, method=method)
            assert found["n_observations"].values[i] == len(table)
            assert found["n_used"].values[i] == made.statistics.n_used
            climatology = bundle.climatology(int(month[5:]))
            for k, v in enumerate(bundle.variables):
                full = (made.anomalies[k] + climatology[k] - v.offset) / v.scale
                full = np.maximum(full, 0) if v.non_negative else full
                scale = v.anomaly_limit / v.scale
                for name, expected in (
                    (v.name, full),
                    (f"{v.name}_anomaly", made.anomalies[k] / v.scale),
                    (f"{v.name}_spread", made.spread[k] / v.scale),
                ):
                    np.testing.assert_allclose(
                        found[name].values[i], expected, rtol=1e-5, atol=1e-5 * scale
                    )
                    assert found[name].attrs["units"] == v.units
                assert found[v.name].attrs["standard_name"] == v.standard_name
        assert json.loads(found.attrs["settings"])["method"] == method
        assert found.attrs["bundle"] == bundle.name
        assert found["tas"].encoding["chunks"] == (1, *bundle.grid.shape)


@pytest.mark.slow
def test_the_observations_stand_in_the_store(mlda, bundle, workplace):
    assert mlda("--obs", workplace / "obs.csv", "--months", "1981-12:1982-03").returncode == 0
    tables = read_tables(Path("x.zarr"), [0, 3])
    for i, month in ((0, "1981-12"), (3, WITHHELD)):
        expected = read(workplace / "obs.csv", bundle, month=month).table
        for column in tables[i]:
            assert tables[i][column].tolist() == expected[column].tolist()
    with xr.open_zarr("x.zarr", group="observations", chunks=None) as found:
        months, counts = np.unique([str(t)[:7] for t in found["time"].values], return_counts=True)
        assert months.tolist() == ["1981-12", "1982-01", "1982-03"]
        assert counts.sum() == found.sizes["observation"]


def spoilt(workplace, folder):
    """Observations with two bad rows of one month, and one that says no month."""
    text = (workplace / "obs.csv").read_text()
    bad = ("1982-01", "1982-01", "soon")
    head = text.splitlines()[0].split(",")
    row = {"variable": "tas", "lat": "99", "lon": "0", "value": "1", "error_sd": "1"}
    for month in bad:
        text += ",".join({**row, "time": month}.get(name, "") for name in head) + "\n"
    (folder / "spoilt.csv").write_text(text)
    return folder / "spoilt.csv"


@pytest.mark.slow
def test_refused_rows_are_counted_in_the_store_and_the_exit_code(mlda, workplace, tmp_path):
    given = ("--obs", spoilt(workplace, tmp_path), "--method", "enoi", "--months")
    done = mlda(*given, "1982-01:1982-01", "--strict")
    assert "rows of observations were refused and nothing is written" in refusal(done)
    assert not list(tmp_path.glob("x.zarr*"))
    done = mlda(*given, "1982-01:1982-01")
    assert done.returncode == 3, done.stderr
    table = read(workplace / "obs.csv", load_bundle(workplace / "made"), month="1982-01").table
    counted = f"3 of {len(table) + 3} rows of observations were refused"
    assert counted in done.stderr
    assert "lat '99' is no latitude" in done.stderr
    with xr.open_zarr("x.zarr", chunks=None) as found:
        assert found.attrs["rows_refused"] == "3"
        assert found.attrs["rows_read"] == str(len(table) + 3)
        assert json.loads(found.attrs["rows_refused_by_month"]) == {"1982-01": 2}
    # The same command again finds all done, and says so of what was refused then.
    again = mlda(*given, "1982-01:1982-01")
    assert again.returncode == 3
    assert counted in again.stderr
    assert mlda(*given, "1982-01:1982-01", "--allow-refused").returncode == 0
    assert "was begun though 3 of" in refusal(mlda(*given, "1982-01:1982-01", "--strict"))
    said = refusal(mlda(*given, "1982-01:1982-01", "--merge-repeated"))
    assert "was begun with its observations read by other options" in said
    # Refused rows of other months do not matter, those of no month do.
    other = mlda(*given, "1982-05:1982-05", out="y.zarr")
    assert "1 of " in other.stderr.splitlines()[-1]


def test_a_robust_reanalysis_weighs_each_month_by_itself(mlda, bundle, workplace, tmp_path):
    table = pd.read_csv(workplace / "obs.csv", keep_default_na=False)
    row = table.index[table["time"] == "1982-01"][1]
    table.loc[row, "value"] += 40.0
    (tmp_path / "obs.csv").write_text(to_csv(table))
    given = ("--obs", "obs.csv", "--method", "enoi", "--months", "1981-12:1982-01", "--robust")
    done = mlda(*given)
    assert done.returncode == 0, done.stderr
    with xr.open_zarr("x.zarr", chunks=None) as found:
        for i, month in enumerate(("1981-12", "1982-01")):
            here = read(tmp_path / "obs.csv", bundle, month=month).table
            plain, robust = (
                Assimilator(bundle).run(here, month, method="enoi", robust=r) for r in (False, True)
            )
            np.testing.assert_allclose(
                found["psl_anomaly"].values[i], robust.anomalies[0] * 100.0, rtol=1e-4, atol=1e-2
            )
            assert (np.nanmax(np.abs(plain.anomalies - robust.anomalies)) > 0.5) == (i == 1)


@pytest.mark.slow
def test_made_up_observations_of_the_bundles_own_months(mlda, bundle):
    done = mlda(*NETWORK)
    assert done.returncode == 0, done.stderr
    observe = observer(NetworkSpec("stations", count=8), bundle)
    made = Assimilator(bundle).run(observe("1982-07"), "1982-07", method="enoi")
    with xr.open_zarr("x.zarr", chunks=None) as found:
        assert "tas_spread" not in found
        np.testing.assert_allclose(
            found["tas_anomaly"].values[8], made.anomalies[2], rtol=1e-5, atol=1e-5
        )


@pytest.mark.slow
def test_a_rerun_does_the_rest_and_nothing_twice(mlda, workplace):
    assert mlda(*NETWORK).returncode == 0
    store = Path("x.zarr")
    with xr.open_zarr(store, chunks=None) as file:
        before = file.load()
    lost = [3, 10, 11]
    for i in lost:
        for file in stamps(store, [i]):
            file.unlink()
    kept = stamps(store, [i for i in range(18) if i not in lost])
    done = mlda(*NETWORK, "--chunk", 1)
    assert "18 of 18 months, 3 of them now" in done.stdout
    assert {f: f.stat().st_mtime_ns for f in kept} == kept
    with xr.open_zarr(store, chunks=None) as after:
        xr.testing.assert_identical(before, after.load())
    done = mlda(*NETWORK)
    assert "18 of 18 months, 0 of them now." in done.stdout
    assert {f: f.stat().st_mtime_ns for f in kept} == kept


@pytest.mark.slow
def test_what_fails_once_is_tried_again(mlda, monkeypatch):
    failures = [OSError("the disk hiccups")]

    def hiccup(*arguments):
        if failures:
            raise failures.pop()
        write_month(*arguments)

    monkeypatch.setattr(work, "write_month", hiccup)
    done = mlda(*NETWORK)
    assert done.returncode == 0, done.stderr
    assert read_done(Path("x.zarr")).all()
    assert not failures


@pytest.mark.slow
def test_what_fails_always_is_told_and_gone_on_with(mlda, monkeypatch):
    def broken(path, row, *rest):
        if row == 4:
            raise OSError("the disk is full")
        write_month(path, row, *rest)

    monkeypatch.setattr(work, "write_month", broken)
    said = refusal(mlda(*NETWORK, "--chunk", 1))
    assert "failed 3 times (OSError: the disk is full)" in said
    monkeypatch.undo()


@pytest.mark.slow
def test_a_month_that_cannot_be_assimilated_does_not_stop_the_rest(mlda, monkeypatch):
    make = work.assimilate

    def unfit(engine, tables, month, *rest):
        if 6 in tables:
            raise ValueError("The errors of these observations do not fit together.")
        return make(engine, tables, month, *rest)

    monkeypatch.setattr(work, "assimilate", unfit)
    done = mlda(*NETWORK, "--chunk", 1)
    assert "1 months could not be assimilated, such as 1982-05" in refusal(done)
    assert "1982-05: The errors of these observations do not fit together." in done.stderr
    assert np.flatnonzero(~read_done(Path("x.zarr"))).tolist() == [6]


@pytest.mark.slow
def test_a_cluster_started_by_hand_and_its_scheduler_killed(mlda, workplace, tmp_path):
    """As docs/reanalysis.md says: ``dask scheduler``, ``dask worker``, and its address."""
    options = ("--network", "stations_8", "--method", "enoi", "--months", "1981-01:1983-12")
    dask, file, store = Path(sys.executable).with_name("dask"), tmp_path / "s.json", "x.zarr"
    here = {"cwd": tmp_path, "start_new_session": True}
    words = [dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    scheduler = subprocess.Popen([*words, "--scheduler-file", file], **here)
    started = [scheduler]
    try:
        until = time.monotonic() + 60
        while not file.exists() or not file.read_text():
            assert scheduler.poll() is None
            assert time.monotonic() < until, "the scheduler does not come"
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        words = [dask, "worker", address, "--nworkers", "1", "--nthreads", "1", "--no-dashboard"]
        started.append(subprocess.Popen([*words, "--local-directory", tmp_path / "w"], **here))
        words = [sys.executable, "-m", "mlda_core.cli", "reanalyse", str(workplace / "made")]
        words += [*options, "--chunk", "1", "--scheduler", address, "--out", store]
        command = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, **here)
        started.append(command)
        wait_for(command, tmp_path / store, 3)
        scheduler.send_signal(signal.SIGKILL)
        _, said = command.communicate(timeout=60)
    finally:
        for process in reversed(started):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert command.returncode == 2
    # No log and no traceback: a bar, and the sentence.
    told = " ".join(said.split()).partition("mlda: ")
    assert not {"Traceback", "ERROR", "Error"} & set(told[0].replace(":", " ").split())
    assert told[2] == (
        "The scheduler was lost; run the same command again: it goes on with what is not done."
    )
    flags = read_done(tmp_path / store)
    assert 3 <= flags.sum() < 36
    kept = stamps(tmp_path / store, np.flatnonzero(flags))
    done = mlda(*options)
    assert f"36 of 36 months, {36 - flags.sum()} of them now" in done.stdout
    assert {f: f.stat().st_mtime_ns for f in kept} == kept


@pytest.mark.slow
def test_killed_workers_and_a_killed_command_lose_nothing(mlda, workplace, tmp_path):
    options = ("--network", "stations_8", "--method", "enoi", "--months", "1981-01:1983-12")
    words = [
        sys.executable,
        "-m",
        "mlda_core.cli",
        "reanalyse",
        str(workplace / "made"),
        *options,
    ]
    words += ["--workers", "2", "--chunk", "1", "--out", "x.zarr"]
    store, total = tmp_path / "x.zarr", 36
    command = subprocess.Popen(words, cwd=tmp_path, start_new_session=True)
    try:
        wait_for(command, store, 3)
        here = psutil.Process(command.pid).children(recursive=True)
        workers = [p for p in here if any("spawn_main" in word for word in p.cmdline())]
        assert len(workers) == 2
        workers[0].send_signal(signal.SIGKILL)
        # It takes no rerun: the other goes on, and Dask starts one in the lost one's place.
        so_far = int(read_done(store).sum())
        wait_for(command, store, so_far + 6)
    finally:
        # The scheduler lives in the command.
        os.killpg(command.pid, signal.SIGKILL)
        command.wait()
    flags = read_done(store)
    assert 9 <= flags.sum() < total
    kept = stamps(store, np.flatnonzero(flags))
    done = mlda(*options)
    assert done.returncode == 0, done.stderr
    assert f"{total} of {total} months, {total - flags.sum()} of them now" in done.stdout
    assert {f: f.stat().st_mtime_ns for f in kept} == kept
    assert mlda(*options, out="whole.zarr").returncode == 0
    with (
        xr.open_zarr(store, chunks=None) as pieces,
        xr.open_zarr(tmp_path / "whole.zarr", chunks=None) as whole,
    ):
        assert pieces["done"].values.all()
        for name in whole.data_vars:
            # A sum of single precision, in another order by other processes, near a zero.
            noise = 1e-6 * float(np.abs(whole[name]).max())
            np.testing.assert_allclose(
                pieces[name], whole[name], rtol=1e-4, atol=noise, err_msg=str(name)
            )


def wait_for(command, store, count, seconds=180):
    """Wait until a running command has done some months."""
    until = time.monotonic() + seconds
    while not store.exists() or read_done(store).sum() < count:
        assert command.poll() is None, "the command ended before it could be killed"
        assert time.monotonic() < until, "nothing goes on"
        time.sleep(0.02)


# What it refuses
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "Give either --obs"),
        (("--obs", "obs.csv", "--network", "sst_only"), "Give either --obs"),
        (("--network", "everywhere"), "kind is 'everywhere'"),
        (("--network", "none"), "observes nothing"),
        (("--network", "stations_0"), "count is 0"),
        (("--network", "sst_only", "--months", "1982"), "'1982' is not a period"),
        (("--network", "sst_only", "--months", "1982-05:1982-13"), "is not a period"),
        (("--network", "sst_only", "--months", "1982-05:1982-04"), "ends before it begins"),
        (("--network", "sst_only", "--months", "1882-05:1982-04"), "no month '1882-05'"),
        (("--obs", "obs.csv", "--months", "1582-05:1982-04"), "1582-05 is not within 1678"),
        (("--obs", "obs.csv", "--months", "1882-05:1882-06"), "no observation of 1882-05 to"),
        (("--network", "sst_only", "--method", "adam"), "method adam has no network to share"),
        (("--network", "sst_only", "--method", "kriging"), "no method 'kriging'"),
        (("--obs", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_mistakes_are_told_in_one_sentence_and_leave_nothing(mlda, workplace, options, words):
    Path("obs.csv").symlink_to(workplace / "obs.csv")
    assert words in refusal(mlda(*options))
    assert [p.name for p in Path().iterdir()] == ["obs.csv"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--obs", "a.csv", "--method", "enoi"), "begun with method 'eof', not 'enoi'"),
        (("--obs", "a.csv", "--method", "eof", "--spread"), "with spread False, not True"),
        (("--obs", "b.csv", "--method", "eof"), "begun of other observations"),
        (
            ("--obs", "a.csv", "--method", "eof", "--months", "1982-01:1982-02"),
            "begun over other months",
        ),
    ],
)
def test_another_reanalysis_does_not_go_on_in_the_same_store(mlda, workplace, options, words):
    text = (workplace / "obs.csv").read_text()
    Path("a.csv").write_text("".join(text.splitlines(keepends=True)[:60]))
    Path("b.csv").write_text("".join(text.splitlines(keepends=True)[:59]))
    assert mlda("--obs", "a.csv", "--method", "eof").returncode == 0
    said = refusal(mlda(*options))
    assert words in said
    assert "give the same again, or another --out" in said


@pytest.mark.slow
def test_a_store_of_another_bundle_or_of_others_is_refused(mlda):
    Path("x.zarr").mkdir()
    assert "is no store that 'mlda reanalyse' began" in refusal(mlda(*NETWORK))
    Path("x.zarr").rmdir()
    assert mlda(*NETWORK).returncode == 0
    file = Path("x.zarr") / ".zattrs"
    file.write_text(file.read_text().replace("weights.safetensors", "others.safetensors"))
    assert "begun of another bundle" in refusal(mlda(*NETWORK))


def test_a_cluster_that_is_not_there_is_named(workplace, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--network", "sst_only", "--out", "x.zarr", "--months", "1982-01:1982-01"]
    words += ["--scheduler", "nonsense://here:1"]
    said = refusal(run("reanalyse", workplace / "made", *words))
    assert "no Dask scheduler at 'nonsense://here:1'" in said


@pytest.mark.parametrize("package", ["dask", "zarr"])
def test_without_the_extra_it_says_what_to_install(mlda, monkeypatch, package):
    for name in [n for n in sys.modules if n == package or n.startswith(f"{package}.")]:
        monkeypatch.setitem(sys.modules, name, None)
    done = mlda(*NETWORK)
    assert done.returncode == 2
    assert "pip install 'mlda-climate[scale]'" in done.stderr
    assert not Path("x.zarr").exists()


def test_names_of_networks():
    assert network_of("historical_1900") == NetworkSpec("historical", year=1900)
    assert network_of("stations-30") == NetworkSpec("stations", count=30)
    assert network_of("sst-and-pressure") == NetworkSpec("sst_and_pressure")

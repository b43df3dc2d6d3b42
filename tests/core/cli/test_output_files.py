"""No command writes over what it reads, and what it writes is whole or not there."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr
from downloads import MONTHS, field, write_psl
from typer.testing import CliRunner

from mlda_core.cli.main import app
from mlda_core.cli.output_files import OutputError, files_of_bundle, refuse_inputs, whole

LAT, LON = np.arange(80, -81, -20.0), np.arange(0, 360, 30.0)


def refusal(*words):
    """Return the sentence with which a command refuses its output."""
    done = CliRunner(env={"COLUMNS": "400"}).invoke(app, [str(w) for w in words])
    assert done.exit_code == 2, done.output
    (line,) = [line for line in done.output.splitlines() if line.startswith("mlda: ")]
    assert line.rstrip().endswith(".")
    assert ". " not in line
    return line


@pytest.fixture
def given(tmp_path, monkeypatch):
    """A folder with one input of each kind, and what their bytes are."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "in"
    folder.mkdir()
    psl = field(MONTHS, LAT, LON, mean=1010, spread=5)
    write_psl(
        folder / "slp.mon.mean.nc", "slp", psl, LAT, LON, units="hPa", title="NCEP Reanalysis"
    )
    (folder / "obs.csv").write_text("variable,lat,lon,value\npsl,0,0,1\n")
    (folder / "sea.nc").write_bytes((folder / "slp.mon.mean.nc").read_bytes())
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    for path in files_of_bundle(bundle):
        path.write_text("{}")
    return folder


@contextmanager
def opened_elsewhere(path, mode):
    """Hold a netCDF file open in another process."""
    code = f"import netCDF4; f = netCDF4.Dataset({str(path)!r}, {mode!r}); print(1); input()"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline()
        yield
        other.communicate(b"\n")


# Each command with an input in the place of IN, and its output in that of OUT.
COMMANDS = {
    "data prepare": ("slp.mon.mean.nc", ["data", "prepare", "IN", "--out", "OUT"]),
    "data prepare --like": (
        "sea.nc", ["data", "prepare", "in/slp.mon.mean.nc", "--like", "IN", "--out", "OUT"],
    ),
    "data merge": ("sea.nc", ["data", "merge", "in/slp.mon.mean.nc", "IN", "--out", "OUT"]),
    "assimilate": ("obs.csv", ["assimilate", "bundle", "--obs", "IN", "--out", "OUT"]),
    "assimilate --background": (
        "sea.nc",
        ["assimilate", "bundle", "--obs", "in/obs.csv", "--background", "IN", "--out", "OUT"],
    ),
    "perturb": ("sea.nc", ["perturb", "bundle", "--sst", "IN", "--out", "OUT"]),
    "attribute": (
        "sea.nc", ["attribute", "bundle", "--variable", "pr", "--sst", "IN", "--out", "OUT"],
    ),
    "reanalyse": ("obs.csv", ["reanalyse", "bundle", "--obs", "IN", "--out", "OUT"]),
    "impact predict": (
        "sea.nc", ["impact", "predict", "bundle", "x", "--analyses", "IN", "--out", "OUT"],
    ),
    "validate --write-responses": (
        "obs.csv",
        ["validate", "bundle", "--perturbation", "--runs", "in", "--config", "IN",
         "--write-responses", "OUT"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("way", ["itself", "another spelling", "a link", "a hard link", "its part"])
def test_an_output_that_is_an_input_is_refused(given, command, way):
    name, words = COMMANDS[command]
    source = given / name
    output = source
    if way == "another spelling":
        output = f"in/../in/./{name}"
    elif way == "a link":
        output = given.parent / f"link{source.suffix}"
        output.symlink_to(source)
    elif way == "a hard link":
        output = given.parent / f"hard{source.suffix}"
        output.hardlink_to(source)
    elif way == "its part":
        # OUT.part is what is written to until all is there.
        output = given.parent / f"x{source.suffix}"
        output.with_name(output.name + ".part").symlink_to(source)
    before = {p: p.read_bytes() for p in given.iterdir()}
    replaced = {"IN": source, "OUT": output}
    message = refusal(*(replaced.get(w, w) for w in words))
    assert Path(output).name in message
    assert "which is read; give another name." in message
    assert {p: p.read_bytes() for p in given.iterdir()} == before


@pytest.mark.parametrize(
    "words",
    [
        ["assimilate", "bundle", "--obs", "in/obs.csv"],
        ["perturb", "bundle", "--sst", "globe:+1K"],
        ["attribute", "bundle", "--variable", "pr", "--detrend"],
        ["impact", "predict", "bundle", "x"],
    ],
)
def test_a_bundles_own_files_are_inputs(given, words):
    output = given.parent / "bundle" / "months.nc"
    assert "months.nc" in refusal(*words, "--out", output)
    assert output.read_text() == "{}"


def test_a_head_is_not_written_over_its_series(given):
    series = given / "series.csv"
    series.write_text("date,value\n")
    message = refusal("impact", "train", "bundle", series, "--out", given)
    assert "series.csv, which is read" in message
    assert series.read_text() == "date,value\n"


@pytest.mark.parametrize(
    "words",
    [["data", "prepare", "in"], ["assimilate", "bundle", "--obs", "in", "--month", "1997-12"]],
)
def test_an_output_among_the_inputs_of_the_next_time_is_refused(given, words):
    message = refusal(*words, "--out", given / "new.nc")
    assert "whose files are read" in message
    assert not (given / "new.nc").exists()
    refuse_inputs(given / "new" / "x.nc", [given], read=(".nc",))
    refuse_inputs(given / "notes.txt", [given], read=(".nc",))


def test_an_output_that_is_open_elsewhere_is_refused(given):
    output = given.parent / "out.nc"
    xr.Dataset({"a": 1}).to_netcdf(output, engine="netcdf4")
    for mode in ("r", "a"):
        with opened_elsewhere(output, mode):
            message = refusal("data", "prepare", given / "slp.mon.mean.nc", "--out", output)
            assert "open in another program" in message
    with xr.open_dataset(output) as data:
        assert int(data["a"]) == 1


def test_an_input_that_is_being_written_is_refused(given):
    path = given.parent / "slp.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("time", 1)
    with opened_elsewhere(path, "a"):
        message = refusal("data", "prepare", path, "--out", given.parent / "x.nc")
    assert "open for writing in another program" in message


def test_folders_that_cannot_be(given, monkeypatch):
    with pytest.raises(OutputError, match=r"obs\.csv, which is a file; give a folder\.$"):
        refuse_inputs(given / "obs.csv" / "x.nc", [])
    monkeypatch.setattr(os, "access", lambda path, _: str(path) != str(given))
    with pytest.raises(OutputError, match=r"cannot be written to; give another folder\.$"):
        refuse_inputs(given / "new" / "x.nc", [])
    monkeypatch.setattr(os, "access", lambda path, _: str(path) != str(given / "obs.csv"))
    with pytest.raises(OutputError, match=r"read-only; give another name\.$"):
        refuse_inputs(given / "obs.csv", [])


def half(output, error):
    """Begin to write, and fail."""
    with whole(output) as part:
        part.write_text("half")
        raise error


def test_what_is_written_is_whole_or_not_there(tmp_path):
    output = tmp_path / "new" / "x.nc"
    with whole(output) as part:
        part.write_text("all")
        assert not output.exists()
    assert output.read_text() == "all"
    for error, kind in (
        (OSError("no space"), OSError),
        (RuntimeError("NetCDF: full"), OutputError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ):
        with pytest.raises(kind):
            half(output, error)
        assert output.read_text() == "all"
        assert [p.name for p in output.parent.iterdir()] == ["x.nc"]
    with pytest.raises(OutputError, match="is a folder"), whole(tmp_path / "new"):
        pass


def test_what_a_link_points_to_is_replaced(tmp_path):
    target, link = tmp_path / "target.nc", tmp_path / "link.nc"
    target.write_text("old")
    link.symlink_to(target)
    with whole(link) as part:
        part.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_another_output_is_written_and_inputs_stay(given):
    before = {p: p.read_bytes() for p in given.iterdir()}
    output = given.parent / "out" / "psl.nc"
    words = ["data", "prepare", str(given / "slp.mon.mean.nc"), "--out", str(output)]
    for _ in range(2):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
    with xr.open_dataset(output) as data:
        assert data["psl"].sizes["time"] == MONTHS.size
    assert {p: p.read_bytes() for p in given.iterdir()} == before


def test_a_code_is_told_refused_and_taken_by_the_command_line(given):
    path, out = given.parent / "slp.nc", given.parent / "x.nc"
    psl = field(MONTHS, LAT, LON, mean=1010, spread=5)
    for code, said in ((-9999.0, False), (1e20, True)):
        psl[3, 2, 1] = code
        write_psl(path, "slp", psl, LAT, LON, units="hPa", title="NCEP Reanalysis")
        words = ["data", "prepare", path, "--out", out]
        if said:
            done = CliRunner(env={"COLUMNS": "400"}).invoke(app, [str(w) for w in words])
            assert done.exit_code == 0, done.output
            assert "1 values of 1e+20 in slp" in done.output
            continue
        assert "--missing -9999" in refusal(*words)
        done = CliRunner().invoke(app, [str(w) for w in (*words, "--missing", "-9999")])
        assert done.exit_code == 0, done.output
        with xr.open_dataset(out) as data:
            assert int(data["psl"].isnull().sum()) == 1

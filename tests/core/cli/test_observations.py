"""``mlda observations convert``: tables as they are published, on to ``mlda assimilate``."""

from __future__ import annotations

import re
import sys

import netCDF4
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from commands import mlda as run
from commands import refusal
from published import ghcnm_line, ghcnm_place, gsom_table, imma, isti_line, obs_seq
from small import make_linear

from mlda_core.assimilation.calibrate import PATTERNS
from mlda_core.bundle.bundle import load_bundle

LAT, LON = 11.25, 22.5


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with a small bundle, ready to assimilate."""
    folder = tmp_path_factory.mktemp("convert")
    make_linear(folder, patterns=PATTERNS)
    return folder


@pytest.fixture(scope="module")
def bundle(workplace):
    return load_bundle(workplace / "made")


@pytest.fixture
def mlda(monkeypatch, workplace, tmp_path):
    """Run a command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b").symlink_to(workplace / "made")

    return run


def climatology(bundle, name):
    """Return a variable's climatology of May at the place, display units."""
    v = [v.name for v in bundle.variables].index(name)
    row = np.flatnonzero(np.isclose(bundle.grid.lat, LAT))[0]
    column = np.flatnonzero(np.isclose(bundle.grid.lon, LON))[0]
    return float(bundle.climatology(5)[v, row, column])


def published(key, bundle):
    """Return files of an archive whose values of May 1982 are 1 above the climatology.

    The values are rounded as their archive does; it is said by how much at most.
    """
    air, rain, pressure = (climatology(bundle, k) + 1 for k in ("tas", "pr", "psl"))
    hundredths, tenths = round(air * 100), round(air * 10)
    if key == "ghcnm":
        months = [*[-9999] * 4, hundredths, hundredths + 100]
        line = ghcnm_line("ACW00011604", 1982, months)
        return {"v4.dat": line, "v4.inv": ghcnm_place("ACW00011604", LAT, LON, "SAVE")}
    if key == "isti":
        line = isti_line("SAVE", LAT, LON, "198205", tavg=hundredths)
        return {"merge_X_stage3": line}
    if key == "gsom":
        cells = (f"{rain * 31:.1f}", ",,,W", f"{air:.2f}", ",W")
        return {"o.csv": gsom_table([("X", "1982-05", str(LAT), str(LON), "SAVE", *cells)])}
    if key == "icoads":
        place = {"YR": 1982, "MO": 5, "LAT": 1125, "LON": 2250, "ID": "SHIP"}
        return {"IMMA1": imma(**place, AT=tenths, SLP=round(pressure * 10)) + "\n"}
    where = (LAT, LON, 0.0, -1)
    now = "1982-05-20T06:00:00"
    return {
        "obs_seq.out": obs_seq(
            [
                ("LAND_SFC_TEMPERATURE", *where, (air + 273.15, 0), now, 0.25),
                ("METAR_ALTIMETER", *where, (pressure, 0), now, 4.0),
            ]
        )
    }


# Half of the last decimal of each archive.
ROUNDING = {"ghcnm": 0.005, "isti": 0.005, "gsom": 0.006, "icoads": 0.05, "dart": 1e-6}


@pytest.mark.parametrize("suffix", ["csv", "nc"])
@pytest.mark.parametrize("key", sorted(ROUNDING))
def test_what_is_converted_goes_straight_into_an_analysis(mlda, bundle, tmp_path, key, suffix):
    files = published(key, bundle)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = mlda("observations", "convert", *files, "--out", f"mine.{suffix}")
    assert done.returncode == 0, done.stderr
    assert f"Wrote mine.{suffix}" in done.stdout
    done = mlda("assimilate", "b", "--obs", f"mine.{suffix}", "--month", "1982-05", "--out", "x.nc")
    assert done.returncode == 0, done.stderr
    with xr.open_dataset(tmp_path / "x.nc", group="observations", engine="netcdf4") as file:
        table = file.load().to_dataframe()
    expected = {"gsom": ["pr", "tas"], "icoads": ["psl", "tas"], "dart": ["psl", "tas"]}
    assert list(table["variable"]) == expected.get(key, ["tas"])
    # The anomaly is what was put above the climatology.
    np.testing.assert_allclose(table["value"], 1.0, atol=ROUNDING[key])
    np.testing.assert_allclose(table["lat"], LAT)
    if key == "dart":
        np.testing.assert_allclose(table["error_sd"], [2.0, 0.5])


def test_monthly_means_of_reports_go_into_an_analysis_with_their_errors(mlda, bundle, tmp_path):
    tenths = round((climatology(bundle, "tas") + 1) * 10)
    place = {"YR": 1982, "MO": 5, "LAT": 1125, "LON": 2250, "ID": "SHIP"}
    reports = [imma(**place, AT=tenths + (-1) ** i * 10) for i in range(12)]
    (tmp_path / "IMMA1").write_text("\n".join(reports))
    assert mlda("observations", "convert", "IMMA1", "--monthly", "5", "--out", "x.csv").stdout
    done = mlda("assimilate", "b", "--obs", "x.csv", "--month", "1982-05", "--out", "x.nc")
    assert done.returncode == 0, done.stderr
    with xr.open_dataset(tmp_path / "x.nc", group="observations", engine="netcdf4") as file:
        (row,) = file.load().to_dataframe().to_dict("records")
    assert row["value"] == pytest.approx(1.0, abs=0.05)
    assert row["error_sd"] == pytest.approx(np.std([1, -1] * 6, ddof=1) / np.sqrt(12))


def test_the_example_of_the_page_is_what_it_says(repo_root, monkeypatch, capsys):
    page = (repo_root / "docs" / "station-archives.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(repo_root)
    exec(compile(code, "station-archives.md", "exec"), {"__name__": "__main__"})  # noqa: S102
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[1:] for line in shown[1:4]] == [
        ["pr", "1997-02", "2.00", "mm/day"],
        ["tas", "1997-02", "271.65", "K"],
        ["tas", "1997-03", "275.65", "K"],
    ]
    assert shown[4] == "Counter({'PRCP with days missing': 1})"


def test_csv_and_netcdf_hold_the_same(mlda, bundle, tmp_path):
    for name, text in published("dart", bundle).items():
        (tmp_path / name).write_text(text)
    for suffix in ("csv", "nc"):
        assert mlda("observations", "convert", name, "--out", f"x.{suffix}").returncode == 0
    text = pd.read_csv(tmp_path / "x.csv", comment="#")
    assert (tmp_path / "x.csv").read_text().startswith("# title: Observations of DART obs_seq\n")
    with netCDF4.Dataset(tmp_path / "x.nc") as file:
        assert file.title == "Observations of DART obs_seq"
        assert file.source == "obs_seq.out"
        for column in ("variable", "lat", "lon", "value", "error_sd", "kind", "units", "label"):
            assert list(file[column][:]) == pytest.approx(list(text[column])), column
        dates = netCDF4.num2date(file["time"][:], file["time"].units, file["time"].calendar)
    assert [str(d)[:10] for d in dates] == ["1982-05-15", "1982-05-15"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b", "obs_seq.out", "x.csv", "x.nc"]


def test_the_summary_counts_what_is_there_and_what_was_left_out(mlda, tmp_path):
    place = {"YR": 1982, "MO": 5, "LAT": 1125, "LON": 2250, "ID": "SHIP"}
    reports = [imma(**place, AT=250 + i, AF=f) for i, f in enumerate("11777")]
    reports += [reports[0][:80]] * 12
    (tmp_path / "IMMA1").write_text("\n".join(reports))
    (tmp_path / "readme").write_text("ICOADS")
    done = mlda("observations", "convert", "IMMA1", "readme", "--out", "x.csv")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "ICOADS in IMMA: 2 of tas, 1982-05 to 1982-05",
        "Left out 3: tas: more than 4.5 sd above the climatology (trimming flag 7)",
        "Wrote x.csv",
    ]
    told = done.stderr.splitlines()
    assert "reports of a moment" in told[0]
    assert told[1] == "Lines that cannot be read, and were left out: 12"
    assert told[2].startswith("IMMA1, line 6: it ends after 80 characters")
    assert told[12:] == [
        "... and 2 more.",
        "Not read, for they hold no observations of this format: readme.",
    ]
    done = mlda("observations", "convert", "IMMA1", "--monthly", "2.5", "--out", "x.csv")
    assert "1 of tas" in done.stdout
    (row,) = pd.read_csv(tmp_path / "x.csv", comment="#").to_dict("records")
    assert (row["reports"], row["value"]) == (2, pytest.approx(298.2))
    kept = mlda("observations", "convert", "IMMA1", "--keep-flagged", "--out", "x.csv")
    assert "5 of tas" in kept.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--out", "x.xls"), "--out x.xls has no known suffix; name it .csv or .nc."),
        (("--out", "o.csv"), "--out o.csv is one of the files to read; give another name."),
        (("--out", "x.csv", "--format", "hadisd"), "--format knows ghcnm, gsom, isti, icoads, "),
        (("--out", "x.csv", "--months", "13"), "--months takes calendar months 1 to 12"),
        (("--out", "x.csv", "--years", "long"), "--years 'long' is not a list"),
        (("--out", "x.csv", "--region", "1:2:3"), "--region '1:2:3' is not south:north:west:east"),
        (("--out", "x.csv", "--region", "2:1:3:4"), "--region '2:1:3:4' is no box"),
        (("--out", "x.csv", "--variables", "slp"), "--variables knows tas, tos, psl, pr."),
        (("--out", "x.csv", "--variables", "psl"), "no observation remains; the files hold 1982"),
        (("--out", "x.csv", "--monthly", "2"), "holds monthly means already"),
    ],
)
def test_mistakes_are_told_in_one_sentence_and_leave_nothing(
    mlda, bundle, tmp_path, options, words
):
    text = published("gsom", bundle)["o.csv"]
    (tmp_path / "o.csv").write_text(text)
    assert words in refusal(mlda("observations", "convert", "o.csv", *options))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b", "o.csv"]
    assert (tmp_path / "o.csv").read_text() == text


def test_options_take_a_part(mlda, bundle, tmp_path):
    (tmp_path / "o.csv").write_text(published("gsom", bundle)["o.csv"])
    begin = ("observations", "convert", "o.csv", "--out", "x.csv")
    done = mlda(*begin, "--variables", "pr", "--years", "1980-1985", "--months", "4,5")
    assert "1 of pr, 1982-05" in done.stdout
    assert mlda(*begin, "--region", "0:20:-30:30").returncode == 0
    assert "no observation remains" in refusal(mlda(*begin, "--region", "0:20:30:300"))
    done = mlda(*begin, "--standard-units", "--variables", "tas")
    celsius = climatology(bundle, "tas") + 1
    (row,) = pd.read_csv(tmp_path / "x.csv", comment="#").to_dict("records")
    assert row["value"] == pytest.approx((celsius - 32) / 1.8 + 273.15, abs=0.01)


def test_a_missing_library_names_its_extra(mlda, bundle, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydartdiags", None)
    monkeypatch.setitem(sys.modules, "pydartdiags.obs_sequence.obs_sequence", None)
    (tmp_path / "obs_seq.out").write_text(published("dart", bundle)["obs_seq.out"])
    said = refusal(mlda("observations", "convert", "obs_seq.out", "--out", "x.csv"))
    assert "[archives]'" in said

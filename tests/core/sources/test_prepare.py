"""From downloaded files to the canonical dataset, or a sentence."""

import netCDF4
import numpy as np
import pytest
from downloads import MONTHS, since_1800, write_psl
from psl_files import CRV3, LAT, LON, PSL, R1, upright
from refusals import refusal

from mlda_core.sources.choices import Choices
from mlda_core.sources.prepare import read_files


@pytest.mark.parametrize(("calendar", "days"), [("360_day", 30), ("noleap", None)])
def test_other_calendars(crv3, calendar, days):
    path = crv3 / "prmsl.mon.mean.nc"
    with netCDF4.Dataset(path, "a") as data:
        data["time"].calendar = calendar
        data["time"].units = "days since 1999-11-01"
        lengths = (
            [30] * 16 if days else [30, 31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28]
        )
        data["time"][:] = np.cumsum([0, *lengths[:-1]])
    time = read_files([path])["time"].values
    assert [str(t)[:7] for t in time] == [str(m) for m in MONTHS]


def test_years_asked_for_alone(crv3):
    data = read_files([crv3], years=[2000], variables=["tas"])
    assert dict(data.sizes)["time"] == 12
    assert list(data.data_vars) == ["tas"]


def test_progress_counts_months_of_fields(crv3):
    seen = []
    read_files([crv3], progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (48, 48)


@pytest.mark.parametrize(
    ("name", "units"), [("prmsl", "degK"), ("prmsl", None), ("air", "Pa"), ("prate", "mm")]
)
def test_wrong_units_are_named(crv3, name, units):
    path = next(p for p in crv3.iterdir() if p.name.startswith({"air": "air"}.get(name, name)))
    with netCDF4.Dataset(path, "a") as data:
        if units is None:
            data[name].delncattr("units")
        else:
            data[name].units = units
    message = refusal(crv3)
    assert path.name in message
    assert name in message
    assert (units or "no units") in message


def test_a_missing_month_is_named(crv3):
    path = crv3 / "prmsl.mon.mean.nc"
    keep = np.delete(np.arange(16), 5)
    write_psl(path, "prmsl", PSL[keep], LAT, LON, units="Pa", attrs=CRV3, months=MONTHS[keep])
    message = refusal(crv3)
    assert "prmsl.mon.mean.nc" in message
    assert "2000-04" in message


def test_a_month_twice_is_named(crv3):
    again = crv3 / "prmsl.2001.nc"
    write_psl(again, "prmsl", PSL[-1:], LAT, LON, units="Pa", attrs=CRV3, months=MONTHS[-1:])
    message = refusal(crv3)
    assert "2001-02" in message
    assert "prmsl.2001.nc" in message
    assert "prmsl.mon.mean.nc" in message


def test_years_in_several_files_are_joined(tmp_path):
    for part in (slice(0, 7), slice(7, None)):
        write_psl(
            tmp_path / f"prmsl.{MONTHS[part][0]}.nc", "prmsl", PSL[part], LAT, LON, units="Pa",
            attrs=CRV3, months=MONTHS[part],
        )  # fmt: skip
    np.testing.assert_allclose(read_files([tmp_path])["psl"][0], upright(PSL), rtol=2e-7)


def test_six_hourly_files_are_refused(crv3):
    path = crv3 / "prmsl.mon.mean.nc"
    with netCDF4.Dataset(path, "a") as data:
        data["time"][:] = since_1800(MONTHS[:1]) + 6.0 * np.arange(16)
    message = refusal(path)
    assert "1999-11 16 times" in message


def test_files_of_two_sources_and_of_none(crv3, tmp_path):
    other = tmp_path / "slp.mon.mean.nc"
    write_psl(other, "slp", PSL / 100, LAT, LON, units="millibars", attrs=R1)
    message = refusal(crv3)
    assert "20crv3" in message
    assert "ncep" in message
    other.unlink()
    write_psl(other, "wind", PSL, LAT, LON, units="m s-1")
    assert "slp.mon.mean.nc" in refusal(crv3)
    assert "prmsl" in refusal(other, source="20crv3")


def test_periods_without_a_common_month(crv3):
    later = MONTHS + np.timedelta64(60, "M")
    write_psl(
        crv3 / "prmsl.mon.mean.nc", "prmsl", PSL, LAT, LON, units="Pa", attrs=CRV3, months=later
    )
    assert "no month in common" in refusal(crv3)


def test_absent_variables_years_files_and_sources(crv3, tmp_path):
    assert "'tos'" in refusal(crv3, variables=["tos"])
    assert "no month of the years" in refusal(crv3, years=[1850])
    assert "nowhere" in refusal(tmp_path / "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "empty" in refusal(empty)
    assert "reader" in refusal(crv3, source="merra")


def test_a_file_known_by_a_name_alone_is_asked_about(tmp_path):
    write_psl(tmp_path / "slp.nc", "slp", PSL / 100, LAT, LON, units="millibars")
    with netCDF4.Dataset(tmp_path / "slp.nc", "a") as data:
        for name in ("delta_t", "avg_period"):
            data["time"].delncattr(name)
    assert "--stamp start or --stamp end" in refusal(tmp_path)
    late = read_files([tmp_path], choices=Choices(stamp="end"))
    assert [str(t)[:7] for t in late["time"].values] == [str(m - 1) for m in MONTHS]

"""Observations in netCDF."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest
from observation_tables import MONTH, columns, netcdf, refused

from mlda_core.observations.table import ObservationError, read, read_months


def test_netcdf_errors_have_units_of_their_own(bundle, tmp_path):
    path = netcdf(
        tmp_path / "mine.nc",
        **columns(
            value=([200.0, 300.0, 400.0], {"units": "Pa"}),
            error_sd=([1.0, 1.0, 2.0], {"units": "hPa"}),
        ),
    )
    found = read(path, bundle, month=MONTH)
    assert found.table["value"].tolist() == pytest.approx([2.0, 3.0, 4.0])
    assert found.table["error_sd"].tolist() == pytest.approx([1.0, 1.0, 2.0])


NAT = np.iinfo(np.int64).min


@pytest.mark.parametrize(
    ("times", "attributes"),
    [
        # As xarray writes NaT, with and without saying so.
        ([14, NAT, 45], {"dtype": "i8", "units": "days since 1997-12-01", "_FillValue": NAT}),
        ([14, NAT, 45], {"dtype": "i8", "units": "days since 1997-12-01"}),
        ([14, np.nan, 45], {"units": "days since 1997-12-01"}),
        ([14, -999, 45], {"dtype": "i4", "units": "days since 1997-12-01", "_FillValue": -999}),
        (
            [14, -999, 45],
            {"dtype": "i4", "units": "days since 1997-12-01", "missing_value": "-999"},
        ),
        ([14, 9.969209968386869e36, 45], {"units": "days since 1997-12-01"}),
        ([0, 1e30, 1], {"units": "months since 1997-12-01"}),
        ([14, 1e15, 45], {"units": "days since 1997-12-01", "calendar": "noleap"}),
    ],
)
def test_a_netcdf_row_without_a_time_is_refused_alone(bundle, tmp_path, times, attributes):
    path = netcdf(tmp_path / "mine.nc", **columns(time=(times, dict(attributes))))
    found = read_months(path, bundle)
    assert list(found) == ["1997-12", "1998-01", ""] or sorted(found) == ["", "1997-12", "1998-01"]
    assert found["1997-12"].table["lat"].tolist() == [50.0]
    assert found["1998-01"].table["lat"].tolist() == [52.0]
    refused(found[""], 2, "its time is empty")


@pytest.mark.parametrize(
    ("values", "attributes", "right"),
    [
        ([2, -9999, 4], {"missing_value": -9999.0}, [2, 4]),
        ([2, -9999, 4], {"missing_value": "-9999"}, [2, 4]),
        ([2, 1e20, 4], {"dtype": "f4", "missing_value": np.float64(1e20)}, [2, 4]),
        ([2, -888, 4], {"dtype": "f4", "_FillValue": np.float32(-888)}, [2, 4]),
        ([2, 9.969209968386869e36, 4], {"dtype": "f4"}, [2, 4]),
        # Missing in packed terms, and in unpacked ones.
        ([200, -999, 400], {"dtype": "i2", "scale_factor": 0.01, "missing_value": -999}, [2, 4]),
        ([200, -999, 400], {"dtype": "i2", "scale_factor": 0.01, "missing_value": -9.99}, [2, 4]),
        ([2, 55, 4], {"valid_range": [-50.0, 50.0]}, [2, 4]),
        ([20, 30, 40], {"dtype": "i2", "scale_factor": "0.1"}, [2, 3, 4]),
    ],
)
def test_netcdf_values_are_missing_however_it_is_said(bundle, tmp_path, values, attributes, right):
    path = netcdf(tmp_path / "mine.nc", **columns(value=(values, dict(attributes))))
    found = read(path, bundle, month=MONTH)
    assert found.table["value"].tolist() == pytest.approx(right)
    assert [bad.row for bad in found.rejected] == ([2] if len(right) == 2 else [])


def test_a_single_time_is_of_all_rows_and_others_are_refused(bundle, tmp_path):
    for size, right in ((1, ["1997-12"]), (2, None)):
        path = tmp_path / f"{size}.nc"
        netcdf(path, **columns())
        with netCDF4.Dataset(path, "a") as file:
            file.createDimension("time", size)
            time = file.createVariable("time", "f8", ("time",))
            time.units = "days since 1997-12-01"
            time[:] = np.arange(size)
        if right:
            assert list(read_months(path, bundle)) == right
        else:
            with pytest.raises(ObservationError, match="'time' along another dimension"):
                read(path, bundle, month=MONTH)


def test_netcdf_of_somebody_else(bundle, tmp_path):
    """Fixed-length characters, a time axis, units as an attribute, a missing value."""
    with netCDF4.Dataset(tmp_path / "mine.nc", "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("obs", 3)
        file.createDimension("strlen", 3)
        file.createDimension("other", 7)
        names = file.createVariable("variable", "S1", ("obs", "strlen"))
        names[:] = np.array([list("psl")] * 3, "S1")
        for name, values in (("latitude", [10, 20, 30]), ("longitude", [0, 1, 2])):
            file.createVariable(name, "f4", ("obs",))[:] = values
        value = file.createVariable("value", "f4", ("obs",), fill_value=-9999.0)
        value.units = "Pa"
        value[:] = [100, -9999, 300]
        time = file.createVariable("time", "i4", ("obs",))
        time.units = "days since 1997-01-01"
        time[:] = [14, 14, 45]
        file.createVariable("level", "f4", ("other",))[:] = 0
    found, rejected, _ = read(tmp_path / "mine.nc", bundle, month="1997-01")
    assert found["value"].tolist() == [1.0]
    assert [r.row for r in rejected] == [2]
    assert "value is empty" in rejected[0].reason
    months = read_months(tmp_path / "mine.nc", bundle)
    assert list(months) == ["1997-01", "1997-02"]
    assert months["1997-02"].table["value"].tolist() == [3.0]
    with pytest.raises(ObservationError, match="2 months, 1997-01 to 1997-02; say which"):
        read(tmp_path / "mine.nc", bundle)

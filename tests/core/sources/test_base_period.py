"""Base periods of providers' anomalies."""

import pytest
import xarray as xr
from gridded_files import FROM_1951, prepared, refusal, warm, write

from mlda_core.sources.merge import merge


@pytest.mark.parametrize(
    ("attrs", "wanted"),
    [
        ({}, "1951-1980"),
        ({"base_period": "1961-1990"}, "1961-1990"),
        ({"long_name": "Temperature anomaly, base period: 1981 to 2010"}, "1981-2010"),
        ({"comment": "anomalies with respect to the 1961–1990 mean"}, "1961-1990"),
        ({"long_name": "Surface temperature anomaly", "comment": "Data cover 1880-2024"},
         "1951-1980"),
    ],
)  # fmt: skip
def test_the_base_period_of_an_anomaly_is_kept(tmp_path, attrs, wanted):
    path = write(tmp_path / "a.nc", "tempanomaly", 0.5, units="K", attrs=attrs, **FROM_1951)
    assert prepared(path)["tasa"].attrs["base_period"] == wanted
    full = write(tmp_path / "b.nc", "air", warm(), units="degC", attrs={"base_period": "1961-1990"})
    assert "base_period" not in prepared(full)["tas"].attrs


def test_different_base_periods_are_not_mixed(tmp_path):
    made = []
    for name, years in (("a", "1951-1980"), ("b", "1961-1990")):
        path = write(tmp_path / f"{name}.nc", "tempanomaly", 0.5, units="K",
                     attrs={"base_period": years}, **FROM_1951)  # fmt: skip
        made.append(tmp_path / f"made-{name}.nc")
        prepared(path).to_netcdf(made[-1])
    message = refusal(merge, made)
    assert "1951-1980" in message
    assert "1961-1990" in message
    with xr.open_dataset(made[1]) as data:
        other = data.load().rename(tasa="other")
    other["other"].attrs["standard_name"] = "air_temperature_anomaly"
    other.to_netcdf(tmp_path / "other.nc")
    joined = merge([made[0], tmp_path / "other.nc"])
    assert joined["tasa"].attrs["base_period"] == "1951-1980"

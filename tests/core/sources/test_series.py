"""All months of one variable, from several files."""

import netCDF4
import numpy as np
import pytest
from gridded_files import FROM_1951, refusal, write

from mlda_core.sources.gistemp import LAYOUT
from mlda_core.sources.netcdf import find_fields, open_source
from mlda_core.sources.prepare import read_files
from mlda_core.sources.series import Series


@pytest.fixture
def anomalies(tmp_path):
    """Write a year of anomalies from a base period."""

    def made(year, base_period):
        path = tmp_path / f"{year}.nc"
        write(path, "tempanomaly", 0.5, units="K", attrs={"base_period": base_period}, **FROM_1951)
        with netCDF4.Dataset(path, "a") as file:
            file["time"].units = f"days since {year}-01-01"
        return path

    return made


def test_a_series_is_of_its_files_one_grid_and_base_period(anomalies):
    paths = [anomalies(2021, "1951-1980"), anomalies(2022, "1951-1980")]
    fields = []
    for path in paths:
        with open_source(path) as data:
            fields += find_fields(path, data, LAYOUT)
    series = Series("tasa", tuple(fields), {np.datetime64("2021-01", "M"): (0, 0)})
    assert series.base_period == "1951-1980"
    assert series.grid is fields[0].grid
    found = read_files(paths)["tasa"]
    assert found.sizes["time"] == 24
    assert found.attrs["base_period"] == "1951-1980"


def test_files_from_several_base_periods_are_refused(anomalies):
    message = refusal(read_files, [anomalies(2021, "1951-1980"), anomalies(2022, "1961-1990")])
    for words in ("2022.nc has tempanomaly from 1961-1990", "2021.nc from 1951-1980"):
        assert words in message
    assert message.endswith("give files of one base period.")

"""Anomalies of other base periods."""

from __future__ import annotations

import netCDF4
import numpy as np
import pandas as pd
import pytest
from observation_tables import HEAD, MONTH, lines, netcdf, refused, told

from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.observations import base_period
from mlda_core.observations.table import ObservationError, TableOptions, read


@pytest.fixture(scope="module")
def real(repo_root) -> Bundle:
    return load_bundle(repo_root / "assets/bundles/real")


def test_the_base_period_of_the_model_itself_moves_nothing(bundle):
    for period in (bundle.base_period, "1979-2013", "1979 to 2013", "1979–2013"):
        options = TableOptions(base_period=period)
        found = read(lines(HEAD, "tas,50,10,3"), bundle, month=MONTH, options=options)
        assert found.table["value"].tolist() == [3.0]
        assert not found.notes


def test_gistemp_anomalies_are_moved_from_1951_1980(real):
    """Of which the bundle holds the truth: its full temperatures are anomalies from 1951-1980."""
    period, january = base_period.Period(1951, 1980), 1
    step = base_period.offset(real, january, period)
    row = [v.name for v in real.variables].index("tasa")
    within = [f"{y}-01" for y in range(1951, 1981)]
    whole = np.isfinite([real.target(m)[row] for m in within]).all(axis=0)
    assert whole.sum() > 2000
    # Months are packed in steps of 0.04 of the spread.
    np.testing.assert_allclose(step[row][whole], -real.climatology(january)[row][whole], atol=0.1)
    assert np.abs(step[row][whole]).mean() > 0.1
    place = real.operator.locate([row], [50.0], [10.0])
    right = 1.0 + real.operator.apply(place, step)[0]
    for text, options in (
        (lines("# base_period: 1951-1980", HEAD, "tasa,50,10,1.0"), TableOptions()),
        (lines(f"{HEAD},base_period", "tasa,50,10,1.0,1951-1980"), TableOptions()),
        (lines(HEAD, "tasa,50,10,1.0"), TableOptions(base_period="1951-1980")),
    ):
        found = read(text, real, month="1963-01", options=options)
        assert found.table["value"].tolist() == pytest.approx([right])
        told(found, "Anomalies of tasa from 1951-1980 are moved")


def test_a_base_period_of_netcdf_and_dataframe(real, tmp_path):
    made = {"variable": ["tasa"], "lat": [50.0], "lon": [10.0], "value": [1.0]}
    path = netcdf(tmp_path / "mine.nc", **made)
    with netCDF4.Dataset(path, "a") as file:
        file.setncattr("base_period", "1951-1980")
    frame = pd.DataFrame(made)
    frame.attrs["base_period"] = "1951-1980"
    text = lines(f"{HEAD},base_period", "tasa,50,10,1.0,1951-1980")
    values = [read(s, real, month=1).table["value"][0] for s in (path, frame, text)]
    assert values[0] == values[1] == values[2] != 1.0


def test_each_variable_has_the_base_period_that_the_model_names_for_it(real):
    """In words: 1880-2015, but pressure 1948-2013."""
    pressure, temperature = real.variables
    assert base_period.period_of_bundle(real, pressure) == (1948, 2013)
    assert base_period.period_of_bundle(real, temperature) == (1880, 2015)
    rows = ["psl,50,10,2,1948-2013", "tasa,50,10,1,1880-2015", "psl,51,10,2,1880-2015"]
    found = read(lines(f"{HEAD},base_period", *rows), real, month=1)
    assert found.table["value"].tolist() == [2.0, 1.0]
    # Of pressure, the years before 1948 are not there.
    refused(found, 3, "1880-2015", "too few")


def test_a_base_period_that_cannot_be_moved_is_refused(bundle, real):
    for period, words in (
        ("1850-1879", "too few"),
        ("1980-1951", "ends before it begins"),
        ("recent", "is no base period"),
        ("1951-1980 and 1961-1990", "is no base period"),
    ):
        text = lines(f"{HEAD},base_period,kind", f"tasa,50,10,1,{period},", "tasa,50,10,1,,")
        found = read(text, real, month=1)
        assert len(found.table) == 1
        refused(found, 1, words)
    text = lines(f"{HEAD},base_period", "tas,50,10,1,1991-2010")
    refused(read(text, bundle), 1, "needs a month")
    # A full value has no base period.
    text = lines(f"{HEAD},base_period,kind", "tas,50,10,1,1850-1879,absolute")
    assert not read(text, bundle, month=1).rejected
    with pytest.raises(ObservationError, match="leave one"):
        read(
            lines("# base period: 1951-1980", HEAD, "tasa,50,10,1"),
            real,
            month=1,
            options=TableOptions(base_period="1961-1990"),
        )


def test_two_halves_of_the_base_period_lie_either_side_of_it(bundle):
    """Of all members' climatology, one member's months give the difference without its own bias."""
    whole = base_period.offset(bundle, 7, base_period.Period(1979, 2013))
    assert np.nanmean(np.abs(whole[2])) < 0.1
    first, last = (
        base_period.offset(bundle, 7, base_period.Period(*years))
        for years in ((1979, 1995), (1997, 2013))
    )
    assert np.nanmean(first[2]) < 0 < np.nanmean(last[2])

"""Columns by their names: what each is taken for, and what is refused as a whole."""

from __future__ import annotations

import pytest
from observation_tables import HEAD, MONTH, lines, told

from mlda_core.observations.table import ObservationError, read

# What is refused as a whole, and the words that say why and what to do.
REFUSED = {
    "a workbook": (b"PK\x03\x04\x14\0", ["save the sheet as CSV"]),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1", ["save the sheet as CSV"]),
    "compressed": (b"\x1f\x8b\x08\0", ["unpack it"]),
    "GRIB": (b"GRIB\0\0\0\1", ["GRIB", "CSV or netCDF"]),
    "a page of the web": (b"<!DOCTYPE html><html>\n</html>", ["page of the web"]),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ["neither netCDF nor text"]),
    "nothing": (b"", ["is empty"]),
    "radians": (lines("variable,lat (rad),lon,value", "tas,0.8,0.1,1"), ["'rad'", "degrees north"]),
    "degrees west": (
        lines("variable,lat,lon (degW),value", "tas,8,1,1"),
        ["'degW'", "degrees east"],
    ),
    "another's time": (lines(f"{HEAD},start_time", "tas,8,1,1,1997-12"), ["start_time", "'time'"]),
    "dates by their cells": (lines(f"{HEAD},Datum", "tas,8,1,1,31.12.1997"), ["Datum", "'time'"]),
    "a year alone": (lines(f"{HEAD},year", "tas,8,1,1,1997"), ["'year'", "no month"]),
    "a month alone": (lines(f"{HEAD},month", "tas,8,1,1,12"), ["'month'", "no year"]),
    "two errors": (lines(f"{HEAD},sigma,std", "tas,8,1,1,1,1"), ["'sigma'", "'std'", "'error_sd'"]),
    "a variance": (
        lines(f"{HEAD},error_variance", "tas,8,1,1,1"),
        ["error_variance", "'error_sd'"],
    ),
    "percent": (lines(f"{HEAD},error (%)", "tas,8,1,1,1"), ["error (%)", "standard deviation"]),
    "two sigma": (lines(f"{HEAD},error (2 sigma)", "tas,8,1,1,1"), ["standard deviation"]),
    "95 %": (lines(f"{HEAD},uncertainty_95", "tas,8,1,1,1"), ["uncertainty_95", "'error_sd'"]),
    "an error of something": (lines(f"{HEAD},sampling_error", "tas,8,1,1,1"), ["sampling_error"]),
    "base periods at odds": (
        lines("# base period: 1951-1980", "# relative to 1961-1990", HEAD, "tas,8,1,1"),
        ["1951-1980, 1961-1990"],
    ),
}


@pytest.mark.parametrize(("source", "words"), REFUSED.values(), ids=REFUSED)
def test_a_table_that_is_not_clear_is_refused_in_a_sentence(bundle, source, words):
    with pytest.raises(ObservationError) as found:
        read(source, bundle, month=MONTH)
    for word in words:
        assert word in str(found.value)


@pytest.mark.parametrize(
    "name",
    [
        *("sigma", "obs_err", "obs_error", "error", "err", "std", "sd", "stdev", "uncertainty"),
        *(
            "error (1 sigma)",
            "unc",
            "stderr",
            "Std Dev",
            "OBS_ERR",
            "Obs. error",
            "uncertainty (K)",
            "error_sd",
        ),
    ],
)
def test_an_error_under_any_name_is_taken_and_told(bundle, name):
    found = read(lines(f"{HEAD},{name}", "tas,50,10,3,0.75"), bundle, month=MONTH)
    assert found.table["error_sd"].tolist() == [0.75]
    if name != "error_sd":
        told(found, f"'{name}' is taken as error_sd")


def test_the_error_that_is_named_so_wins_and_the_other_is_told(bundle):
    found = read(lines(f"{HEAD},std,error_sd", "tas,50,10,3,9,0.75"), bundle, month=MONTH)
    assert found.table["error_sd"].tolist() == [0.75]
    told(found, "left out: 'std'")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["variable", "lat", "lon"], ["no column 'value'", "variable, lat, lon, value"]),
        (["variable", "lat", "lon", "value", "err_95"], ["'err_95'", "'error_sd'"]),
        (["variable", "lat", "lon", "value", "witheld"], ["'witheld'", "'withheld'"]),
        (["variable", "lat", "latitude", "lon", "value"], ["two columns 'lat'"]),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_as_a_whole(bundle, columns, words):
    with pytest.raises(ObservationError) as found:
        read(",".join(columns) + "\n", bundle)
    for word in words:
        assert word in str(found.value)


def test_other_names_and_further_columns_are_taken(bundle):
    text = (
        "Variable, Latitude ,LONGITUDE,value,quality,analysis_departure\ntas,51,10,2.5,good,0.1\n"
    )
    found, rejected, _ = read(text, bundle)
    assert list(found["value"]) == [2.5]
    assert not rejected

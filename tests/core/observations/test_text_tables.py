"""Tables as text: encodings, separators, comments and counts of rows."""

from __future__ import annotations

import numpy as np
import pytest
from observation_tables import HEAD, MONTH, lines

from mlda_core.observations.table import read

# Each is one row of tas at 47.4 N 8.5 W with the anomaly -4.0 K and the error 0.5 K.
LAYOUTS = {
    "commas": lines("variable,lat,lon,value,error_sd", "tas,47.4,-8.5,-4.0,0.5"),
    "semicolons": lines("variable;lat;lon;value;error_sd", "tas;47,4;-8,5;-4,0;0,5"),
    "sep= of Excel": lines("sep=;", "variable;lat;lon;value;error_sd", "tas;47,4;-8,5;-4,0;0,5"),
    "sep= in quotes": lines('"sep=,"', "variable,lat,lon,value,error_sd", "tas,47.4,-8.5,-4,0.5"),
    "tabs, decimal commas": lines(
        "variable\tlat\tlon\tvalue\terror_sd", "tas\t47,4\t-8,5\t-4,0\t0,5"
    ),
    "quotes, decimal commas": lines(
        "variable,lat,lon,value,error_sd", 'tas,"47,4","-8,5","-4,0","0,5"'
    ),
    "bars": lines("variable|lat|lon|value|error_sd", "tas|47.4|-8.5|-4.0|0.5"),
    "blanks": lines("  variable  lat    lon  value error_sd", "  tas   47.4   -8.5  -4.0   0.5"),
    "blanks and tabs": lines("variable lat \t lon value\terror_sd", "tas 47.4\t-8.5 -4.0 0.5"),
    "trailing separators": lines(
        "variable;lat;lon;value;error_sd;;", "tas;47,4;-8,5;-4,0;0,5;;", ";;;;;;"
    ),
    "trailing separators in the rows alone": lines(
        "variable,lat,lon,value,error_sd", "tas,47.4,-8.5,-4.0,0.5,,"
    ),
    "old Macintosh": "variable,lat,lon,value,error_sd\rtas,47.4,-8.5,-4.0,0.5\r",
    "comments": lines(
        "# mine", "% yours", "variable,lat,lon,value,error_sd", "#", "tas,47.4,-8.5,-4,.5"
    ),
    "names in a comment": lines(
        "# variable lat lon value error_sd", "tas 47.4 -8.5 -4.0 0.5", "# the end"
    ),
    "a title above": lines(
        "Stations of Switzerland;;;;", "variable;lat;lon;value;error_sd", "tas;47,4;-8,5;-4;0,5"
    ),
    "Unicode minus": lines("variable,lat,lon,value,error_sd", "tas,47.4,−8.5,–4.0,0.5"),
    "hemispheres": lines("variable,lat,lon,value,error_sd", "tas,47.4N,8.5°W,-4.0,0.5"),
    "hemispheres before": lines("variable,lat,lon,value,error_sd", "tas,N47.4,W 8.5,-4.0,0.5"),
    "minutes": lines("variable,lat,lon,value,error_sd", "tas,47°24'N,8°30′ W,-4.0,0.5"),
    "seconds": lines("variable;lat;lon;value;error_sd", "tas;47 24 0 N;8:30:00 W;-4.0;0.5"),
    "west by a full turn": lines("variable,lat,lon,value,error_sd", "tas,47.4,351.5,-4.0,0.5"),
    "units in the names": lines(
        "variable,lat (deg),lon [degrees_east],value (degC),error_sd [K]", "tas,47.4,-8.5,-4,0.5"
    ),
    "units in the cells": lines("variable,lat,lon,value,error_sd", "tas,47.4,-8.5,-4.0 K,0.5K"),
    "a line of units": lines(
        "variable,lat,lon,value,error_sd", ",degN,degE,K,K", "tas,47.4,-8.5,-4.0,0.5"
    ),
    "degrees Celsius": lines(
        "variable,lat,lon,value,error_sd,units", "tas,47.4,-8.5,-4.0,0.5,degrees Celsius"
    ),
    "degrees Fahrenheit": lines("variable,lat,lon,value,error_sd,unit", "tas,47.4,-8.5,-7.2,.9,°F"),
    "capitals and standard name": lines(
        "VARIABLE,LATITUDE,LONGITUDE,VALUE,ERROR_SD", "air_temperature,47.4,-8.5,-4.0,0.5"
    ),
    "names of a program": lines("Variable,Lat,Lon,Value,ObsErr", "TAS,47.4,-8.5,-4.0,0.5"),
    "a line's end in quotes": lines(
        'variable,"lat\n(deg)",lon,value,error_sd', "tas,47.4,-8.5,-4,0.5"
    ),
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_a_layout_is_read(bundle, text):
    table, rejected, _ = read(text, bundle, month=MONTH)
    assert not rejected
    assert table["variable"].tolist() == ["tas"]
    np.testing.assert_allclose(
        table[["lat", "lon", "value", "error_sd"]], [[47.4, 351.5, -4.0, 0.5]], rtol=1e-12
    )


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("utf-16-le", ""),
        ("utf-16-be", ""),
        ("utf-32", ""),
        ("cp1252", "Windows-1252"),
    ],
)
def test_an_encoding_is_read(bundle, tmp_path, encoding, note):
    text = lines(f"{HEAD},label", "tas,47.4,8.5,1.5,Zürich – Süd", "tas,10.0,20.0,2.5,Bogotá")
    path = tmp_path / "mine.csv"
    path.write_bytes(text.encode(encoding))
    found = read(path, bundle, month=MONTH)
    assert found.table["label"].tolist() == ["Zürich – Süd", "Bogotá"]
    assert found.table["value"].tolist() == [1.5, 2.5]
    assert any("Windows-1252" in n for n in found.notes) == bool(note)


def test_rows_are_counted_as_the_user_counts_them(bundle):
    text = (
        "# stations of mine\nvariable,lat,lon,value\ntas,51,10,1\ntas,51\n\ntas,x,10,1\ntas,5,5,2\n"
    )
    found, rejected, _ = read(text, bundle)
    assert list(found["value"]) == [1.0, 2.0]
    assert [r.row for r in rejected] == [2, 3]
    assert "2 cells" in rejected[0].reason
    assert str(rejected[1]) == "Row 3: lat 'x' is no latitude, a number from -90 to 90."


@pytest.mark.parametrize(
    "text",
    [
        "variable,lat,lon,value\ntas,51.5,10,-2.5\n",
        "variable;lat;lon;value\ntas;51,5;10;-2,5\n",
        "variable\tlat\tlon\tvalue\r\ntas\t51.5\t10\t-2.5\r\n",
        '"variable","lat","lon","value"\n"tas","51.5","10","-2.5"\n',
    ],
)
def test_separators_and_decimals_of_all_spreadsheets(bundle, tmp_path, text):
    path = tmp_path / "mine.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    for source in (path, text, path.read_bytes()):
        found, rejected, _ = read(source, bundle)
        assert not rejected
        assert found.loc[0, ["lat", "lon", "value"]].tolist() == [51.5, 10.0, -2.5]

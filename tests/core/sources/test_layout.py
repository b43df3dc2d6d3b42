"""Units of canonical variables."""

import numpy as np
import pytest
from gridded_files import FROM_1951, prepared, refusal, write


@pytest.mark.parametrize(
    ("name", "units", "given", "variable", "wanted"),
    [
        ("air", "degrees Celsius", 15.0, "tas", 288.15),
        ("air", "degree Celsius", 15.0, "tas", 288.15),
        ("air", "deg C", 15.0, "tas", 288.15),
        ("air", "°C", 15.0, "tas", 288.15),
        ("air", "degrees K", 288.15, "tas", 288.15),
        ("air", "degrees Kelvin", 288.15, "tas", 288.15),
        ("air", "degrees F", 59.0, "tas", 288.15),
        ("slp", "HPa", 1013.0, "psl", 101_300.0),
        ("slp", "millibars", 1013.0, "psl", 101_300.0),
        ("slp", "kPa", 101.3, "psl", 101_300.0),
        ("prate", "mm/dy", 3.0, "pr", 3 / 86_400),
        ("prate", "mm/d", 3.0, "pr", 3 / 86_400),
        ("prate", "kg m**-2 s**-1", 3e-5, "pr", 3e-5),
        ("prate", "Kg/m^2/s", 3e-5, "pr", 3e-5),
        ("prate", "m s-1", 3e-8, "pr", 3e-5),
    ],
)
def test_units_as_they_are_written(tmp_path, name, units, given, variable, wanted):
    path = write(tmp_path / "a.nc", name, given, units=units)
    np.testing.assert_allclose(prepared(path, source="ncep")[variable], wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("units", "words"),
    [("mm/year", "a year"), ("mm/season", "UDUNITS"), ("degrees", "angle"), ("K", "no units of")],
)
def test_units_that_cannot_be_meant(tmp_path, units, words):
    path = write(tmp_path / "a.nc", "prate", 3.0, units=units)
    message = refusal(prepared, path, source="ncep")
    assert "a.nc" in message
    assert f"'{units}'" in message
    assert words in message


@pytest.mark.parametrize(
    ("units", "factor"), [("K", 1), ("degC", 1), ("C", 1), ("degrees Celsius", 1), ("degF", 5 / 9)]
)
def test_an_anomaly_has_no_zero_point(tmp_path, units, factor):
    path = write(tmp_path / "a.nc", "tempanomaly", 0.5, units=units, **FROM_1951)
    data = prepared(path, source="gistemp")
    np.testing.assert_allclose(data["tasa"], 0.5 * factor, rtol=1e-6)

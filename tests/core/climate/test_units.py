"""Units as the world spells them: every accepted spelling is right, and none has an angle."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlda_core.climate.units import UnitsError, are_per_month, read_units, to_display
from mlda_core.climate.variables import DEFAULTS, Variable

_C, _K, _F = (1.0, 0.0), (1.0, -273.15), (5 / 9, -160 / 9)
_DAY = 86_400.0
# Scale and offset to the display units: hPa, degC, mm/day.
SPELLINGS = {
    "tas": {
        _C: "degC|deg C|deg_C|deg. C|degrees C|degree C|degrees_C|oC|°C|° C|º C|℃|C|c|Celsius"
            "|celsius|degrees Celsius|degree Celsius|degree_Celsius|degrees_Celsius|Degrees Celsius"
            "|degreesC|centigrade|degrees centigrade|(degC)|[C]|degCelsius|celcius",
        _K: "K|k|kelvin|Kelvin|kelvins|degK|deg K|deg_K|degrees K|degree K|degrees Kelvin"
            "|degrees_kelvin|degree_Kelvin|[K]|° K",
        _F: "degF|deg F|degrees F|degrees_F|°F|F|fahrenheit|Fahrenheit|degrees Fahrenheit"
            "|degree_fahrenheit",
    },
    "psl": {
        (1.0, 0.0): "hPa|hpa|HPa|HPA|mb|MB|Mb|mbar|mbars|millibar|millibars|hectopascal"
                    "|hectopascals|hPascal|100 Pa",
        (0.01, 0.0): "Pa|pa|PA|pascal|Pascals|pascals|N m-2|N/m^2|kg m-1 s-2",
        (10.0, 0.0): "kPa|kpa|KPa",
        (1013.25, 0.0): "atm",
        (33.86388640341, 0.0): "inHg|inhg",
        (1.33322387415, 0.0): "mmHg|mmhg|mm_Hg",
    },
    "pr": {
        (1.0, 0.0): "mm/day|mm/d|mm/dy|mm day-1|mm d-1|mm dy-1|mm day^-1|mm day**-1|mm*day^-1"
                    "|MM/DAY|mm per day|mm / day|mm·day⁻¹|kg m-2 day-1|kg/m2/day|millimeters/day"
                    "|mmday-1",
        (_DAY, 0.0): "kg m-2 s-1|kg m**-2 s**-1|kg m^-2 s^-1|kg/m^2/s|Kg/m^2/s|kg/m2/s|kg/(m^2 s)"
                     "|kg m⁻² s⁻¹|kg.m-2.s-1|kgm-2s-1|mm/s|mm s-1|mm/sec",
        (1000 * _DAY, 0.0): "m s-1|m s**-1|m/s|m/sec",
        (24.0, 0.0): "mm/h|mm/hr|mm hr-1|mm hour-1|kg m-2 h-1",
        (1000.0, 0.0): "m/day|m day-1",
        (10.0, 0.0): "cm/day|CM/day",
        (25.4, 0.0): "inch/day|in/day|inches/day|inches per day",
    },
}  # fmt: skip
MONTHLY = {
    1.0: "mm/month|mm/mon|mm month-1|mm mon-1|mm month^-1|mm month**-1|mm per month|mm/mth"
         "|mm.month-1|kg m-2 month-1|kg m-2 mon-1|kg/m2/month|mm months-1",
    10.0: "cm/month",
    25.4: "in/month|inches/month",
}  # fmt: skip
ACCEPTED = [
    (name, spelling, scale, offset)
    for name, table in SPELLINGS.items()
    for (scale, offset), spellings in table.items()
    for spelling in spellings.split("|")
]
PER_MONTH = [(s, scale) for scale, spellings in MONTHLY.items() for s in spellings.split("|")]
TASA = Variable(
    "tasa", "Surface temperature", "surface_temperature_anomaly", "K", "K", "K", 1.0, 0.0, 4.0,
    (-4.0, 4.0), "RdBu_r", "RdBu_r",
)  # fmt: skip
values = st.floats(-1e4, 1e4, allow_nan=False)


@pytest.mark.parametrize(("name", "spelling", "scale", "offset"), ACCEPTED)
@settings(max_examples=5, deadline=None)
@given(value=values)
def test_value_times_factor_plus_offset(name, spelling, scale, offset, value):
    for text in (spelling, f"  {spelling} "):
        by, plus = to_display(text, DEFAULTS[name])
        assert value * by + plus == pytest.approx(value * scale + offset, rel=1e-9, abs=1e-8)


@pytest.mark.parametrize(("spelling", "scale"), PER_MONTH)
@pytest.mark.parametrize("days", [28, 29, 30, 31])
def test_an_amount_a_month_is_divided_by_the_days_of_that_month(spelling, scale, days):
    assert are_per_month(spelling)
    by, plus = to_display(spelling, DEFAULTS["pr"], days=days)
    assert by == pytest.approx(scale / days, rel=1e-12)
    assert plus == 0
    with pytest.raises(UnitsError, match="needs the month"):
        to_display(spelling, DEFAULTS["pr"])


def test_days_change_no_other_units():
    for name, spelling, scale, _ in ACCEPTED:
        assert not are_per_month(spelling)
        assert to_display(spelling, DEFAULTS[name], days=28)[0] == pytest.approx(scale, rel=1e-9)


@pytest.mark.parametrize("spelling", [s for name, s, *_ in ACCEPTED if name == "tas"])
def test_an_anomaly_has_no_zero_point(spelling):
    scale, offset = to_display(spelling, TASA)
    assert offset == 0
    assert 0.5 * scale in (0.5, pytest.approx(5 / 18))


WORDS = [
    "degrees", "degree", "deg", "°", "rad", "radian", "arcmin", "grad", "turn", "steradian", "sr",
    "K", "kelvin", "C", "celsius", "F", "Pa", "hPa", "mb", "mm", "m", "kg", "day", "month", "s",
    "percent", "%", "ppm", "mol", "north", "1", "10", "0.01", "1e-3", "-1", "2", "^-1", "m-2",
]  # fmt: skip
TEXTS = st.lists(
    st.tuples(st.sampled_from(WORDS), st.sampled_from([" ", "/", ".", "*", "_", ""])),
    min_size=1, max_size=4,
).map(lambda parts: "".join(word + joint for word, joint in parts).strip("/.*_"))  # fmt: skip


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(TEXTS | st.text(max_size=12))
def test_no_accepted_spelling_has_an_angle(text):
    try:
        unit = read_units(text).unit
    except UnitsError:
        return
    assert not re.search(r"\brad", unit.definition), text
    for name, sizes in {"tas": {1, 5 / 9}, "psl": None, "pr": None}.items():
        try:
            scale, offset = to_display(text, DEFAULTS[name], days=30)
        except UnitsError:
            continue
        assert np.isfinite([scale, offset]).all()
        assert scale > 0
        if sizes:
            # A hundredth or a tenth of a kelvin is the only fraction of a degree there is.
            number = re.match(r"[\d.e-]+", text.strip())
            assert any(np.isclose(scale, s) for s in sizes) or number, text


@pytest.mark.parametrize(
    ("name", "units", "words"),
    [
        ("tas", "degrees", "angle"),
        ("tas", "radian K", "angle"),
        ("tas", "percent K", "ratio"),
        ("tas", "10 degC", "no unit"),
        ("tas", "hPa", "no units of 2 m air temperature"),
        ("psl", "degrees Pa", "angle"),
        ("psl", "K", "no units of sea-level pressure"),
        ("psl", "smoots", "UDUNITS"),
        ("psl", "EPa", "nobody means"),
        ("pr", "mm/year", "a year"),
        ("pr", "mm yr-1", "a year"),
        ("pr", "mm/season", "UDUNITS"),
        ("pr", "day/m", "no units of precipitation"),
        ("pr", "-1 mm/day", "nobody means"),
        ("tas", "K 10", "no way to write a temperature"),
        ("tas", "K-1", "temperature"),
        ("pr", "mm", "no units of precipitation"),
        ("pr", "mm month", "no amount a month"),
        ("pr", "mm/month/month", "no amount a month"),
        ("pr", "", "UDUNITS"),
        ("psl", "hours since 1900-01-01", "UDUNITS"),
    ],
)
def test_what_cannot_be_meant_is_refused(name, units, words):
    with pytest.raises(UnitsError, match=words) as caught:
        to_display(units, DEFAULTS[name])
    assert ". " not in str(caught.value)

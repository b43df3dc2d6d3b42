"""The table of variables and its JSON form."""

import json

import matplotlib as mpl
import numpy as np
import pytest

from mlda_core.climate.variables import DEFAULTS, Variable
from mlda_core.sources.speedy import UNITS


def test_order_and_names_of_the_design():
    assert list(DEFAULTS) == ["psl", "tos", "tas", "pr"]
    assert all(name == variable.name for name, variable in DEFAULTS.items())


@pytest.mark.parametrize(
    ("name", "canonical", "displayed"),
    [("psl", 101325.0, 1013.25), ("tos", 273.15, 0.0), ("tas", 300.15, 27.0), ("pr", 1e-5, 0.864)],
)
def test_display_units(name, canonical, displayed):
    variable = DEFAULTS[name]
    assert canonical * variable.scale + variable.offset == pytest.approx(displayed, abs=1e-9)


def test_units_are_those_of_the_source():
    for name, variable in DEFAULTS.items():
        assert variable.units == UNITS[name]


def test_anomalies_have_differences_units():
    # 1 degC of anomaly would be read as 274.15 K: differences of temperature are in K.
    assert [v.anomaly_units for v in DEFAULTS.values()] == ["hPa", "K", "K", "mm/day"]


@pytest.mark.parametrize("name", DEFAULTS)
def test_anomaly_colours_diverge_from_a_light_middle(name):
    colours = mpl.colormaps[DEFAULTS[name].anomaly_cmap](np.linspace(0, 1, 5))[:, :3]
    brightness = colours @ [0.2126, 0.7152, 0.0722]
    assert brightness.argmax() == 2
    assert brightness[0] < 0.6
    assert brightness[-1] < 0.6
    assert mpl.colormaps[DEFAULTS[name].field_cmap]


@pytest.mark.parametrize("name", DEFAULTS)
def test_json_round_trip(name):
    variable = DEFAULTS[name]
    assert Variable.from_dict(json.loads(json.dumps(variable.to_dict()))) == variable


def test_unknown_and_missing_settings_are_named():
    values = DEFAULTS["pr"].to_dict()
    with pytest.raises(ValueError, match="colour"):
        Variable.from_dict({**values, "colour": "blue"})
    del values["scale"]
    with pytest.raises(ValueError, match=r"'pr'.*scale"):
        Variable.from_dict(values)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("transform", "sqrt", "transform 'sqrt'; use one of none, power, gamma."),
        ("domain", "ocean", "domain 'ocean'; use one of globe, sea, land."),
        ("domain", [], "domain []; use one of"),
        ("scale", "1", "scale '1'; it must be a number."),
        ("scale", 0, "scale 0; it must be other than 0."),
        ("anomaly_limit", -1.0, "anomaly_limit -1.0; it must be above 0."),
        ("field_limits", [1.0], "field_limits (1.0,); it must be two numbers, the lower first."),
        ("field_limits", 3, "field_limits 3; it must be two numbers"),
        ("non_negative", "no", "non_negative 'no'; it must be true or false."),
        ("label", 3, "label 3; it must be text."),
    ],
)
def test_values_that_no_variable_has_are_refused(name, value, words):
    with pytest.raises(ValueError, match="Variable 'pr'") as caught:
        Variable.from_dict({**DEFAULTS["pr"].to_dict(), name: value})
    assert words in str(caught.value)

"""Colour bars: names, units and ticks."""

import re
from dataclasses import replace

import pytest

from app.maps.legends import key_html, legend_html, legend_ticks
from mlda_core.climate.variables import DEFAULTS


@pytest.mark.parametrize("variable", DEFAULTS.values(), ids=DEFAULTS)
@pytest.mark.parametrize("full", [True, False])
def test_legends_name_the_units_and_end_at_the_limits(variable, full):
    text = legend_html(variable, full=full)
    assert variable.label in re.sub("<.*?>", "", text)
    assert ("anomaly" in text) is not full
    low, high = variable.field_limits if full else (-variable.anomaly_limit, variable.anomaly_limit)
    ticks = legend_ticks(low, high, full=full)
    assert (ticks[0], ticks[-1]) == (low, high)


def test_a_record_of_anomalies_is_no_full_temperature():
    given = replace(DEFAULTS["tas"], name="tasa", standard_name="surface_temperature_anomaly")
    assert "<span>anomaly as recorded, " in legend_html(given, full=True)
    assert "as recorded" not in legend_html(given, full=False)
    assert "as recorded" not in legend_html(DEFAULTS["tas"], full=True)


def test_a_key_says_of_what_a_probability_is():
    plain = key_html(DEFAULTS["pr"], "probability")
    said = key_html(DEFAULTS["pr"], "probability", said="above <3 mm/day")
    assert "<span>above &lt;3 mm/day</span>0<i" in said
    assert "probability, above &lt;3 mm/day: 0 to 100 %" in said
    assert "<span>" not in plain

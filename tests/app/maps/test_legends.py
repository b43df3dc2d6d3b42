"""Colour bars: names, units and ticks."""

from dataclasses import replace

import pytest

from app.maps.legends import legend_html, legend_ticks
from mlda_core.climate.variables import DEFAULTS


@pytest.mark.parametrize("variable", DEFAULTS.values(), ids=DEFAULTS)
@pytest.mark.parametrize("full", [True, False])
def test_legends_name_the_units_and_end_at_the_limits(variable, full):
    text = legend_html(variable, full=full)
    # It breaks between words, not at a hyphen or before a unit.
    plain = text.replace("\N{NON-BREAKING HYPHEN}", "-").replace("\N{NO-BREAK SPACE}", " ")
    assert variable.label in plain
    assert ("anomaly" in text) is not full
    low, high = variable.field_limits if full else (-variable.anomaly_limit, variable.anomaly_limit)
    ticks = legend_ticks(low, high, full=full)
    assert (ticks[0], ticks[-1]) == (low, high)


def test_a_record_of_anomalies_is_no_full_temperature():
    given = replace(DEFAULTS["tas"], name="tasa", standard_name="surface_temperature_anomaly")
    assert "<i>anomaly as recorded, " in legend_html(given, full=True)
    assert "as recorded" not in legend_html(given, full=False)
    assert "as recorded" not in legend_html(DEFAULTS["tas"], full=True)

"""Colours, limits and words of a picture."""

import pytest

from mlda_core.climate.variables import DEFAULTS
from mlda_core.plotting import look_of
from mlda_core.plotting.look import SPREAD_CMAP, Look, PlotError


def test_an_unknown_kind_of_look_is_refused():
    with pytest.raises(PlotError, match="no kind 'sum'"):
        look_of(DEFAULTS["tas"], "sum")


@pytest.mark.parametrize(
    ("kind", "label", "limits"),
    [
        ("anomaly", "2 m air temperature, anomaly (K)", (-5.0, 5.0)),
        ("field", "2 m air temperature (°C)", (-50.0, 40.0)),
        ("spread", "2 m air temperature, standard deviation (K)", (0.0, 2.5)),
    ],
)
def test_title_units_and_limits_are_of_what_is_shown(kind, label, limits):
    made = look_of(DEFAULTS["tas"], kind)
    assert (made.label, made.limits) == (label, limits)
    diverges = limits[0] == -limits[1]
    assert (made.cmap == DEFAULTS["tas"].anomaly_cmap) == diverges
    assert (made.cmap == SPREAD_CMAP) == (kind == "spread")


def test_without_units_there_are_no_brackets():
    assert Look("Cells", "", "Blues", (0.0, 1.0)).label == "Cells"

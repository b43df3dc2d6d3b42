"""Where the colours of each kind of map end."""

import pytest

from mlda_core.climate.scales import colour_limits, round_end, written_units
from mlda_core.climate.variables import DEFAULTS


@pytest.mark.parametrize(("value", "round_"), [(0.037, 0.03), (2.0, 2.0), (8, 10), (0, 1), (1, 1)])
def test_ends_are_round(value, round_):
    assert round_end(value) == round_


@pytest.mark.parametrize(
    ("kind", "psl", "pr"),
    [
        ("anomaly", (-12.0, 12.0), (-5.0, 5.0)),
        ("difference", (-12.0, 12.0), (-5.0, 5.0)),
        ("influence", (-6.0, 6.0), (-2.5, 2.5)),
        ("spread", (0.0, 6.0), (0.0, 5.0)),
        ("response", (-3.0, 3.0), (-6.0, 6.0)),
        ("field", (980.0, 1040.0), (0.0, 16.0)),
    ],
)
def test_each_kind_has_limits_of_its_own(kind, psl, pr):
    assert colour_limits(DEFAULTS["psl"], kind) == psl
    assert colour_limits(DEFAULTS["pr"], kind) == pr


def test_an_unknown_kind_is_refused_by_name():
    with pytest.raises(ValueError, match="no kind 'sum'; use one of anomaly, field"):
        colour_limits(DEFAULTS["psl"], "sum")


def test_units_are_written_as_people_write_them():
    assert written_units("degC") == "°C"
    assert written_units("mm/day") == "mm/day"

"""What values of a variable are possible."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mlda_core.climate.possible import POSSIBLE, possible, possible_in, possible_of
from mlda_core.climate.time_step import DAY, MONTH
from mlda_core.climate.variables import DEFAULTS, Variable
from mlda_core.sources.layout import CANONICAL


def test_every_canonical_variable_has_limits_and_real_fields_lie_within():
    assert set(CANONICAL) | {"zg500", "ua850", "va850"} == set(POSSIBLE)
    for name, limits in POSSIBLE.items():
        ranges = [limits.extremes, limits.mean, limits.globe or limits.mean]
        for outer, inner in pairwise(ranges):
            assert outer[0] <= inner[0] < inner[1] <= outer[1], name
        assert name not in CANONICAL or limits.units == CANONICAL[name].units
        assert name not in DEFAULTS or limits.units == DEFAULTS[name].units


def test_the_documented_limits_are_those_of_the_program():
    docs = (Path(__file__).parents[3] / "docs/data.md").read_text(encoding="utf-8")
    shown = {"hPa": 0.01, "h": 1 / 3600, "mm/day": 86_400}
    table = docs[docs.index("| possible |") :].split("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    assert [row[0] for row in rows] == [f"`{name}`" for name in POSSIBLE]
    for (_, units, *cells), limits in zip(rows, POSSIBLE.values(), strict=True):
        offset = -273.15 if units == "degC" else 0.0
        for cell, pair in zip(cells, limits[1:], strict=True):
            wanted = [] if pair is None else [v * shown.get(units, 1) + offset for v in pair]
            assert [float(v) for v in cell.split(" to ") if v] == pytest.approx(wanted, abs=5e-3)


def test_observed_values_are_held_against_the_same_extremes():
    tas = DEFAULTS["tas"]
    values = [15.0, -89.0, 288.15, -999.0, np.nan, np.inf]
    assert list(possible(tas, values)) == [True, True, False, False, True, False]
    assert list(possible(DEFAULTS["psl"], [1013.0, 101_300.0, -99.9])) == [True, False, False]
    assert list(possible(DEFAULTS["pr"], [0.0, 30.0, -9.99])) == [True, True, False]


def test_a_configuration_states_limits_of_its_own_variables():
    plain = {**DEFAULTS["tas"].to_dict(), "name": "ta10"}
    assert possible_of(Variable.from_dict(plain)) is None
    assert possible(Variable.from_dict(plain), [1e9]).all()
    stated = Variable.from_dict({**plain, "extremes": [-100.0, 20.0]})
    assert list(possible(stated, [25.0, -60.0])) == [False, True]
    assert Variable.from_dict(stated.to_dict()) == stated
    assert "extremes" not in Variable.from_dict(plain).to_dict()
    with pytest.raises(ValueError, match=r"extremes \(3.0, 2.0\); it must be two numbers"):
        Variable.from_dict({**plain, "extremes": [3.0, 2.0]})


def test_a_day_can_go_beyond_every_months_mean():
    for name, month in POSSIBLE.items():
        day = possible_in(name, DAY)
        assert possible_in(name, MONTH) == month
        assert day.extremes[0] <= month.extremes[0] < month.extremes[1] <= day.extremes[1]
        assert day[2:] == month[2:]
    assert possible_in("ta10", DAY) is None
    # Foc-Foc, La Reunion, 8 January 1966: 1825 mm.
    assert possible_in("pr", DAY).extremes[1] * 86_400 > 1825 > POSSIBLE["pr"].extremes[1] * 86_400
    assert possible_of(DEFAULTS["pr"], DAY).extremes[1] == pytest.approx(2000)

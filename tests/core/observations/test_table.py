"""Observations: the one edge where rows are checked, converted and refused with a reason."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from observation_tables import table
from quickest import quickest

from mlda_core.climate.units import to_display
from mlda_core.climate.variables import DEFAULTS
from mlda_core.observations.table import COLUMNS, ObservationError, empty, read

ROOT = Path(__file__).parents[3]


def test_a_checked_table_has_the_columns_types_and_index_of_the_contract(bundle):
    found, rejected, _ = read(table({}, {"lon": -170, "withheld": "yes", "label": "B"}), bundle)
    assert not rejected
    assert tuple(found.columns) == COLUMNS == tuple(empty().columns)
    assert list(found.index) == [0, 1]
    assert list(found["withheld"]) == [False, True]
    assert list(found["lon"]) == [10.0, 190.0]
    assert list(found["label"]) == ["", "B"]
    assert found.dtypes.equals(empty().dtypes)
    assert found["withheld"].dtype == bool


def test_checking_twice_changes_nothing(bundle):
    once = read(table({}, {"variable": "tos", "lat": -5, "lon": 200, "withheld": 1}), bundle).table
    again, rejected, _ = read(once, bundle, month=7)
    pd.testing.assert_frame_equal(again, once)
    assert not rejected


def test_nothing_is_a_table_too(bundle):
    found, rejected, _ = read(empty(), bundle)
    pd.testing.assert_frame_equal(found, empty())
    assert not rejected
    pd.testing.assert_frame_equal(read("variable,lat,lon,value\n", bundle)[0], empty())


def test_the_given_table_stays_as_it_was(bundle):
    given = table({}, {"lat": 95.0})
    before = given.copy()
    read(given, bundle)
    pd.testing.assert_frame_equal(given, before)


@pytest.mark.parametrize(
    ("variable", "units", "given", "shown"),
    [("tas", "K", 273.15, 0.0), ("tas", "degF", 212.0, 100.0), ("psl", "Pa", 101_325, 1013.25)],
)
def test_an_offset_belongs_to_absolute_values_alone(variable, units, given, shown):
    scale, offset = to_display(units, DEFAULTS[variable])
    assert given * scale + offset == pytest.approx(shown)


@pytest.mark.parametrize("month", ["1997-13", "97-12", "December", 0, 13])
def test_a_month_that_is_none_is_refused(bundle, month):
    with pytest.raises(ObservationError, match="month"):
        read(table(), bundle, month=month)


# Any table
@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "variable": st.sampled_from(["tas", "psl", "tos", "pr", "x", ""]),
                "lat": st.floats(-100, 100) | st.just("?"),
                "lon": st.floats(-1000, 1000),
                "value": st.floats(-20, 20) | st.sampled_from(["", "NaN", "1e999"]),
                "error_sd": st.floats(-1, 5) | st.just(""),
                "withheld": st.sampled_from(["", "true", "No", 1, 0.0, "perhaps"]),
                "kind": st.sampled_from(["", "absolute", "anomaly", "?"]),
                "units": st.sampled_from(["", "K", "hPa", "mm/day", "nonsense"]),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_every_row_is_either_kept_or_refused_once_and_what_is_kept_is_sound(bundle, rows):
    found, rejected, _ = read(pd.DataFrame(rows), bundle, month=4)
    refused = [r.row for r in rejected]
    assert refused == sorted(set(refused))
    assert len(found) + len(refused) == len(rows)
    kept = [r for i, r in enumerate(rows, 1) if i not in refused]
    assert [r["variable"] for r in kept] == list(found["variable"])
    assert np.isfinite(found[["lat", "lon", "value", "error_sd"]].to_numpy()).all()
    assert (found["error_sd"] > 0).all()
    assert ((found["lon"] >= 0) & (found["lon"] < 360)).all()
    names = [v.name for v in bundle.variables]
    index = [names.index(v) for v in found["variable"]]
    assert bundle.operator.observable(index, found["lat"], found["lon"]).all()


def test_ten_thousand_rows_are_quick_enough_for_a_page(bundle):
    rows = pd.concat([table()] * 10_000, ignore_index=True)
    assert len(read(rows, bundle, month=1).table) == 10_000
    # 0.12 s on one core, and a fifth of it for 500: read row by row it would be a twentieth.
    few = quickest(lambda: read(rows.head(500), bundle, month=1), 3)
    assert quickest(lambda: read(rows, bundle, month=1), 2) < 12 * few


@pytest.mark.slow
def test_starting_loads_neither_pandera_nor_units():
    program = (
        "import sys, mlda_core.bundle.bundle, mlda_core.observations.networks\n"
        "print([m for m in ('pandera', 'cf_units', 'scipy.spatial') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"

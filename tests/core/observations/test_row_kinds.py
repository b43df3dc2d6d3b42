"""The columns of kinds: only where rows are no values at places."""

from __future__ import annotations

import pandas as pd
from kind_rows import HEAD

from mlda_core.observations.row_kinds import KIND_COLUMNS, is_plain, stacked, without_kinds
from mlda_core.observations.table import COLUMNS, read

PLAIN = pd.DataFrame({"value": [1.0, 2.0]})


def of_kinds(*rows):
    kinds, areas = zip(*rows, strict=True)
    return pd.DataFrame({"value": range(len(rows)), "kind": kinds, "area": areas})


def test_a_table_of_values_has_no_columns_of_kinds(linear):
    plain = read("variable,lat,lon,value\ntas,50,10,1\n", linear, month=7).table
    said = read(f"{HEAD}tas,50,10,1,,value,\n", linear, month=7).table
    assert tuple(said.columns) == COLUMNS
    assert said.equals(plain)


def test_a_value_of_a_region_is_not_plain():
    table = of_kinds(("value", ""), ("value", "tropics"), ("report", ""))
    assert is_plain(table).tolist() == [True, False, False]
    assert is_plain(PLAIN).tolist() == [True, True]
    assert is_plain(PLAIN.iloc[:0]).tolist() == []


def test_the_columns_go_only_if_no_row_needs_them():
    mixed = of_kinds(("value", ""), ("report", ""))
    assert without_kinds(mixed) is mixed
    assert without_kinds(PLAIN) is PLAIN
    assert without_kinds(mixed.iloc[:1]).columns.tolist() == ["value"]
    assert without_kinds(mixed.iloc[:0]).columns.tolist() == ["value"]


def test_rows_of_tables_without_kinds_are_values_below_those_with():
    mixed = of_kinds(("report", ""), ("mean", "north"))
    both = stacked([PLAIN, mixed])
    assert both["kind"].tolist() == ["value", "value", "report", "mean"]
    assert both["area"].tolist() == ["", "", "", "north"]
    assert both.index.tolist() == [0, 1, 2, 3]
    assert not set(KIND_COLUMNS) & set(stacked([PLAIN, PLAIN]).columns)
    assert set(KIND_COLUMNS).isdisjoint(PLAIN.columns)
    assert stacked([mixed]) is mixed

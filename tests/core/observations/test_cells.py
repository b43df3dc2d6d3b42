"""Cells of a table before they are checked."""

import numpy as np
import pandas as pd
import pytest

from mlda_core.observations.cells import Cells, columns_of, quoted, shown


@pytest.mark.parametrize(
    "cell", ["", "  ", "NA", "n/a", "#N/A", "NaT", "null", "None", "-", "---", ".", None, np.nan,
             np.float32("nan"), np.ma.masked, pd.NA, pd.NaT],
    ids=repr,
)  # fmt: skip
def test_every_notation_of_nothing_is_empty(cell):
    assert shown(cell) == ""


@pytest.mark.parametrize(
    ("cell", "text"),
    [(" tas ", "tas"), (0, "0"), (-9.99, "-9.99"), (np.False_, "False")],
)
def test_other_cells_are_their_text(cell, text):
    assert shown(cell) == text


def test_a_cell_in_a_message_is_one_short_line():
    assert quoted("1013 hPa") == "1013 hPa"
    assert quoted("a\x00b\nc") == "a?b?c"
    long = quoted("9" * 500)
    assert len(long) == 40
    assert long.endswith("…")


def test_columns_keep_their_cells_as_they_are():
    names, columns = columns_of({"variable": [b"tas", "psl"], 3: [[1, 2], None]})
    assert names == ("variable", "3")
    assert columns[0].tolist() == ["tas", "psl"]
    assert columns[1].dtype == object
    assert columns[1].tolist() == [[1, 2], None]


def test_a_table_knows_whether_its_rows_have_months():
    given = {"variable": ["tas"], "lat": [50], "lon": [10], "value": [1]}
    for more, timed in (({}, False), ({"time": ["1997-12"]}, True)):
        cells = Cells("mine", *columns_of(given | more), rows=np.array([1]))
        assert cells.has_times is timed
        assert len(cells) == 1

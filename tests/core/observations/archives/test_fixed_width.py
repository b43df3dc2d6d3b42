"""Columns of fixed width."""

import numpy as np

from mlda_core.observations.archives import fixed_width
from mlda_core.observations.archives.fixed_width import chunks, cut, decimals, integers, name, years


def test_columns_are_counted_from_1_and_short_lines_padded():
    found = cut(["ACW1 1981 -89", "AE"], {"id": (1, 4), "year": (6, 9), "value": (10, 13)})
    assert {k: v.tolist() for k, v in found.items()} == {
        "id": ["ACW1", "AE"], "year": ["1981", ""], "value": ["-89", ""],
    }  # fmt: skip


def test_numbers_are_read_blanks_missing_and_the_rest_marked():
    text = np.array(["12", "-3.5", "+4.", "", "1e3", "1 2", "nan", "0x1"])
    values, bad = decimals(text)
    np.testing.assert_array_equal(values, [12, -3.5, 4, *[np.nan] * 5])
    assert bad.tolist() == [False] * 4 + [True] * 4
    values, bad = integers(text[:4])
    np.testing.assert_array_equal(values, [12, np.nan, np.nan, np.nan])
    assert bad.tolist() == [False, True, True, False]
    values, bad = years(np.array(["1599", "1600", "2099", "2100", "19X1", ""]))
    np.testing.assert_array_equal(values, [np.nan, 1600, 2099, *[np.nan] * 3])
    assert bad.tolist() == [True, False, False, True, True, False]


def test_lines_keep_their_numbers_in_chunks(monkeypatch):
    monkeypatch.setattr(fixed_width, "_CHUNK", 2)
    found = [(n.tolist(), part) for n, part in chunks(["a\r", "", "", "  ", "b", "c"])]
    assert found == [([1], ["a"]), ([5, 6], ["b", "c"])]


def test_names_are_utf_8_where_they_can_be():
    assert name("MALM\xc3\x96 ") == "MALMÖ"
    assert name(" MALM\xd6") == "MALMÖ"

"""Rows that are kept, and those that are refused with a reason."""

from __future__ import annotations

import numpy as np
import pytest
from observation_tables import only_reason


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"variable": "foo"}, ["variable 'foo'", "psl, tos, tas, pr"]),
        ({"variable": None}, ["variable is empty"]),
        ({"lat": 95}, ["lat '95'", "-90 to 90"]),
        ({"lat": np.nan}, ["lat is empty"]),
        ({"lat": "north"}, ["lat 'north'"]),
        ({"lon": np.inf}, ["lon 'inf'"]),
        ({"value": "1013 hPa"}, ["'hPa' are no units of 2 m air temperature"]),
        ({"value": np.inf}, ["value 'inf'"]),
        ({"value": "1\x00\n2" + "9" * 500}, ["value '1??2999", "…' is no number"]),
        ({"value": "NA"}, ["value is empty"]),
        ({"units": "m" + "*m" * 3000}, ["m*m*m", "…' are no units"]),
        ({"error_sd": 0}, ["error_sd '0'", "above 0"]),
        ({"error_sd": -1}, ["error_sd '-1'"]),
        ({"error_sd": "big"}, ["error_sd 'big'"]),
        ({"withheld": "maybe"}, ["withheld 'maybe'", "true nor false"]),
        ({"kind": "relative"}, ["kind 'relative'", "anomaly or absolute"]),
        ({"units": "furlong"}, ["'furlong'", "give K"]),
        ({"units": "hPa"}, ["'hPa'", "2 m air temperature"]),
        ({"variable": "tos"}, ["no sea surface temperature at 51.00°N 10.00°E", "land"]),
        ({"variable": "psl", "value": 1013.2}, ["1013 hPa", "at most 120", "kind or units"]),
        ({"kind": "absolute"}, ["absolute", "needs a month"]),
    ],
)
def test_a_bad_row_is_refused_by_number_and_reason_and_the_rest_kept(bundle, cells, words):
    reason = only_reason(bundle, **cells)
    for word in words:
        assert word in reason
    assert reason[-1] != "."
    assert len(reason) < 200
    assert reason.isprintable()

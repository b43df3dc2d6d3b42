"""The difference of two places, or of the means of two regions."""

from __future__ import annotations

import pytest
from kind_rows import kind_rows, why_refused

from mlda_core.observations.kinds.difference import KIND


def test_a_difference_from_the_row_s_own_place_keeps_that_place(linear):
    table = kind_rows(
        linear, "psl,60,10,-4,2,difference,minus 40 10\npsl,,,1,1,difference,north minus south\n"
    )
    assert table["kind"].tolist() == [KIND.key] * 2
    assert (table["lat"][0], table["lon"][0]) == (60.0, 10.0)
    # Of two regions it is shown in the middle of the first.
    assert table["lat"][1] == 60.0


BAD = {
    "of one": ("difference,nino34", "'FIRST minus SECOND'"),
    "absolute": ("absolute difference,minus 40 0", "give its anomaly"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_what_is_no_difference_of_two_anomalies_is_refused(linear, case):
    cells, words = BAD[case]
    assert words in why_refused(linear, f"tas,50,10,1,,{cells}")

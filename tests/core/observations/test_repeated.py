"""Repeated rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from observation_tables import HEAD, MONTH, lines, told

from mlda_core.observations.table import TableOptions, read


def test_repeated_rows_are_told_and_merged_on_request(bundle):
    rows = ["tas,50,10,3.0,1.0,A"] * 9 + [
        "tas,50,10,5.0,2.0,A",
        "psl,50,10,1.0,1.0,A",
        "tas,51,10,1.0,1,B",
    ]
    text = lines(f"{HEAD},error_sd,label", *rows)
    found = read(text, bundle, month=MONTH)
    assert len(found.table) == 12
    told(
        found, "8 rows repeat another's", "1 row has another value", "at 1 place", "merge_repeated"
    )
    merged = read(text, bundle, month=MONTH, options=TableOptions(merge_repeated=True))
    assert merged.table["variable"].tolist() == ["tas", "psl", "tas"]
    # Nine copies count once; 3 and 5 are averaged, with the root mean square of 1 and 2.
    assert merged.table["value"].tolist() == [4.0, 1.0, 1.0]
    assert merged.table["error_sd"].tolist() == pytest.approx([np.sqrt(2.5), 1.0, 1.0])
    told(merged, "9 rows are merged", "stays that of one observation")


def test_copies_merge_to_one_row_with_one_error(bundle):
    text = lines(f"{HEAD},error_sd", *["tas,50,10,3.0,1.0"] * 9)
    merged = read(text, bundle, month=MONTH, options=TableOptions(merge_repeated=True)).table
    once = read(lines(f"{HEAD},error_sd", "tas,50,10,3.0,1.0"), bundle, month=MONTH).table
    pd.testing.assert_frame_equal(merged, once)


def test_what_differs_in_time_is_no_copy_but_one_place(bundle):
    """Two days with one value are averaged like any; a withheld row is never merged into others."""
    rows = [
        "tas,50,10,3,1,no,1997-12-01",
        "tas,50,10,3,1,no,1997-12-02",
        "tas,50,10,6,1,no,1997-12-03",
    ]
    rows += ["tas,50,10,9,1,yes,1997-12-04"]
    text = lines(f"{HEAD},error_sd,withheld,date", *rows)
    merged = read(text, bundle, month=MONTH, options=TableOptions(merge_repeated=True)).table
    assert merged["value"].tolist() == [4.0, 9.0]
    assert merged["withheld"].tolist() == [False, True]
    told(read(text, bundle, month=MONTH), "both assimilated and withheld")

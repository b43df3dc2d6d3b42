"""The mean over a region or a box."""

from __future__ import annotations

import pytest
from kind_rows import kind_rows, why_refused

from mlda_core.observations.kinds.mean import KIND


def test_the_place_of_a_mean_is_the_middle_of_its_area(linear):
    row = kind_rows(linear, "psl,,,3,1,Mean,40 60 350 30\n").iloc[0]
    assert row["kind"] == KIND.key
    assert (row["lat"], row["lon"]) == (50.0, 10.0)


BAD = {
    "nothing": ("", "kind mean needs an area"),
    "a place": ("50 10", "is a place"),
    "nowhere": ("atlantis", "area 'atlantis' is none"),
    "a box without area": ("10 10 0 20", "has no area"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_a_mean_of_what_is_no_area_is_refused(linear, case):
    area, words = BAD[case]
    assert words in why_refused(linear, f"tas,50,10,1,,mean,{area}")

"""Numbers and places in cells, as the world writes them."""

from __future__ import annotations

import numpy as np
import pytest
from observation_tables import HEAD, MONTH, lines, refused

from mlda_core.observations.table import read

# Cells of the column value (psl, absolute, hPa), and the numbers that they are; None is refused.
NUMBERS = {
    "English thousands": (['"1,013.2"', '"1,013"', "998.5"], [1013.2, 1013.0, 998.5]),
    "German thousands": (['"1.013,2"', "1.013", '"998,5"'], [1013.2, 1013.0, 998.5]),
    "French thousands": (['"1 013,2"', '"1\u00a0013,2"', '"1\u202f013"'], [1013.2, 1013.2, 1013.0]),
    "Swiss thousands": (["1'013.2", "1’013", "998.5"], [1013.2, 1013.0, 998.5]),
    "by the column": (['"1013,2"', '"1013,25"', '"998,5"'], [1013.2, 1013.25, 998.5]),
    "a point is a decimal point": (["1013.250", "998.125"], [1013.25, 998.125]),
    "nothing tells": (['"1,013"', '"1,009"'], [None, None]),
    "both ways in one column": (['"1,013"', "1013.2", '"1013,2"'], [None, 1013.2, 1013.2]),
    "powers": (["1.0132e3", "10132E-1"], [1013.2, 1013.2]),
    "no numbers": (["1,01,3", "0x3f5", "1_013", "1013-", "(1013)", "١٠١٣"], [None] * 6),
}


@pytest.mark.parametrize(("cells", "right"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_read_by_what_their_column_tells(bundle, cells, right):
    rows = [f"psl,{40 + i},10,{cell},absolute" for i, cell in enumerate(cells)]
    found = read(lines(f"{HEAD},kind", *rows), bundle, month=MONTH)
    expected = {40.0 + i: value for i, value in enumerate(right) if value is not None}
    assert found.table["lat"].tolist() == list(expected)
    assert [bad.row for bad in found.rejected] == [i for i, v in enumerate(right, 1) if v is None]
    places = bundle.operator.locate([0] * len(expected), list(expected), [10.0] * len(expected))
    normal = bundle.operator.apply(places, bundle.climatology(12))
    np.testing.assert_allclose(found.table["value"] + normal, list(expected.values()), atol=1e-3)


def test_a_number_with_two_readings_says_both_and_the_remedy(bundle):
    found = read(lines(HEAD, 'psl,40,10,"1,013"'), bundle, month=MONTH)
    refused(found, 1, "may be 1.013 or 1013", "without a separator of thousands")


def test_another_column_tells_the_decimal_mark(bundle):
    """A comma in a latitude is a decimal comma: no latitude has five digits."""
    found = read(lines("variable;lat;lon;value", "tas;47,375;8,541;1,250"), bundle, month=MONTH)
    assert found.table.loc[0, ["lat", "lon", "value"]].tolist() == [47.375, 8.541, 1.25]


@pytest.mark.parametrize(
    ("lat", "lon", "words"),
    [
        ("-33S", "18", "a sign and a hemisphere"),
        ("8.5W", "18", "no latitude"),
        ("47.4", "8.5N", "no longitude"),
        ("47 24", "8.5", "degrees and minutes"),
        ("47°75'N", "8.5", "no latitude"),
        ("95N", "8.5", "no latitude"),
        ("47.4", "-999.9", "no longitude"),
    ],
)
def test_a_place_that_is_not_clear_is_refused(bundle, lat, lon, words):
    found = read(lines(HEAD, f"tas,{lat},{lon},1.0"), bundle, month=MONTH)
    refused(found, 1, words)

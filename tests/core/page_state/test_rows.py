"""Observations one by one: what they have to be, and how links carry them."""

import pytest

from mlda_core.page_state.rows import (
    LABEL,
    MAX_ROWS,
    MAX_TEXT,
    InvalidObservationError,
    Row,
    check_row,
    pack_rows,
    plain_changes,
    plain_rows,
    read_changes,
    read_numbers,
    read_rows,
    unpack_rows,
)
from mlda_core.page_state.settings import InvalidStateError

ROWS = (
    Row("tas", 51.5, 359.9),
    Row("psl", -12.4, 130.8, -2.0, 0.5, True, "Darwin", "1997-12", True),
    Row("tos", 0.0, 200.0, withheld=True),
)


def test_a_row_is_written_no_longer_than_it_must_be_and_read_as_it_was():
    written = plain_rows(ROWS)
    assert [len(row) for row in written] == [3, 9, 6]
    assert read_rows(written) == ROWS
    changes = plain_changes([(7, ROWS[0]), (2, ROWS[1])])
    assert read_changes(changes) == ((2, ROWS[1]), (7, ROWS[0]))
    assert read_numbers([3, 1, 3]) == {1, 3}


def test_a_link_carries_rows_as_long_as_it_may_be():
    plain = {"own": plain_rows(ROWS)}
    text = pack_rows(plain)
    assert 0 < len(text) <= MAX_TEXT
    assert unpack_rows(text, ["own", "changed"]) == plain
    with pytest.raises(InvalidStateError, match="copy the whole link"):
        unpack_rows(text, ["changed"])
    with pytest.raises(InvalidStateError, match="copy the whole link"):
        unpack_rows(text[: len(text) // 2], ["own"])
    many = [Row("tas", i / 7, i / 3) for i in range(600)]
    assert pack_rows({"own": plain_rows(many)}) == ""


def test_a_place_is_rounded_as_in_a_link_and_goes_once_round_the_globe():
    assert check_row(Row("tas", 1.23456, -0.1)) == Row("tas", 1.235, 359.9)
    assert check_row(Row("tas", 0, 719.99999)).lon == 0
    assert len(check_row(Row("tas", 0, 0, label="x" * 99)).label) == LABEL
    # What is sampled belongs to no month.
    assert check_row(Row("tas", 0, 0, month="1997-12", absolute=True)).month == ""
    assert check_row(Row("tas", 0, 0, 1.0, month="1997-12")).month == "1997-12"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Row("tas", 91, 0), "latitude"),
        (Row("tas", 0, "west"), "longitude"),
        (Row("tas", 0, 0, float("nan")), "value"),
        (Row("tas", 0, 0, 1.0, 0.0), "error"),
        (Row(None, 0, 0), "lacks its variable; give it one"),
        (Row("tas", 0, 0, 1.0, month="12/1997"), "'12/1997' is not of the form YYYY-MM; correct"),
    ],
)
def test_what_is_no_observation_is_refused_in_a_sentence(row, words):
    with pytest.raises(InvalidObservationError, match=words):
        check_row(row)


@pytest.mark.parametrize(
    ("read", "given"),
    [
        (read_numbers, [1, True]),
        (read_numbers, [-1]),
        (read_numbers, "1"),
        (read_rows, [["tas", 0]]),
        (read_rows, [["tas", *[0] * 30]]),
        (read_rows, [("tas", 0, 0)]),
        (read_rows, [["tas", 0, 0]] * (MAX_ROWS + 1)),
        (read_changes, [["tas", 0, 0]]),
        (read_changes, [[1, "tas", 0, 0], [1, "tas", 5, 5]]),
    ],
)
def test_damaged_rows_are_refused_with_the_remedy(read, given):
    with pytest.raises(InvalidObservationError, match="save the state again"):
        read(given)

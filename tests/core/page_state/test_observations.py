"""Observations as plain data: what a gesture does to them."""

import pytest

from mlda_core.page_state.observations import ObservationSettings, delete, edit, place, withhold
from mlda_core.page_state.rows import InvalidObservationError, Row, check_row, plain_rows

ROW = Row("tas", 51.5, 359.875)


def test_withholding_and_restoring_rows_of_a_network_and_of_ones_own():
    start = place(ObservationSettings(), ROW)
    held = withhold(start, [3, 4, -1], held=True)
    assert held.withheld == {3, 4}
    assert held.own[0].withheld
    assert withhold(held, [3, 4, -1], held=False) == start


def test_deleting_forgets_what_else_was_done_to_a_row():
    start = withhold(edit(place(ObservationSettings(), ROW), 5, ROW), [5], held=True)
    gone = delete(start, [5, -1])
    assert gone.deleted == {5}
    assert not gone.withheld
    assert not gone.changed
    assert not gone.own


def test_an_edited_row_stays_in_its_place_and_withheld():
    start = withhold(ObservationSettings(), [7], held=True)
    moved = edit(start, 7, ROW._replace(lat=10.0))
    assert dict(moved.changed)[7].lat == 10.0
    assert moved.withheld == {7}
    own = withhold(place(place(ObservationSettings(), ROW), ROW), [-2], held=True)
    assert [r.withheld for r in edit(own, -2, ROW._replace(value=1.0)).own] == [False, True]


def test_another_network_has_other_rows():
    start = withhold(place(ObservationSettings(), ROW), [1], held=True)
    more = start.adjust({"count": 300})
    assert not more.withheld
    assert more.own == (ROW,)
    assert start.adjust({"kind": "sst_only"}).own == (ROW,)
    valued = ROW._replace(value=1.0)
    custom = ObservationSettings(kind="custom", own=(ROW, valued))
    assert custom.adjust({"kind": "sst_only"}).own == (valued,)
    assert start.adjust({"error": 0.5}).withheld == {1}


def test_settings_tell_what_has_to_be_done_again():
    start = ObservationSettings()
    assert start.adjust({"method": "eof"}).observed == start.observed
    assert start.adjust({"method": "eof"}).analysed != start.analysed
    shown = start.adjust({"column": "spread", "live": False, "hatch": 0.3})
    assert shown.analysed == start.analysed
    assert start.adjust({"noise": 2}).observed != start.observed


def test_longitudes_are_turned_and_values_kept_as_a_link_keeps_them():
    row = check_row(Row("tas", 51.50049, -0.1251, 0.0))
    assert (row.lat, row.lon, row.value) == (51.5, 359.875, 0.0)
    assert ObservationSettings.from_dict(place(ObservationSettings(), row).to_dict()).own == (row,)


@pytest.mark.parametrize(
    ("values", "culprit"),
    [
        ({"count": 0}, "stations"),
        ({"count": 1e9}, "stations"),
        ({"count": True}, "stations"),
        ({"error": float("inf")}, "error"),
        ({"kind": ["stations"]}, "network"),
        ({"region": [10, 5, 0, 20]}, "empty"),
        ({"region": "all"}, "region"),
        ({"variables": "tas"}, "variables"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(values, culprit):
    with pytest.raises(InvalidObservationError, match=culprit) as caught:
        ObservationSettings().adjust(values)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "row",
    [
        ROW._replace(lat=91.0),
        ROW._replace(lat=float("nan")),
        ROW._replace(value=float("inf")),
        ROW._replace(error_sd=0.0),
        ROW._replace(variable=3),
        ROW._replace(lon="east"),
    ],
)
def test_what_is_no_observation_is_refused(row):
    with pytest.raises(InvalidObservationError):
        place(ObservationSettings(), row)


def test_kinds_of_rows_survive_a_link_and_a_file():
    kinds = (
        Row("tas", 50.0, 10.0, -2.0, label="diary", month="1997-12", kind="report"),
        Row("pr", 50.0, 10.0, kind="report(2)"),
        Row("psl", 50.0, 5.0, 3.0, 1.0, kind="mean", area="40 60 0 10"),
        Row("psl", 50.0, 5.0, 3.0, 1.0),
    )
    made = ObservationSettings(own=tuple(check_row(row) for row in kinds))
    linked = ObservationSettings().adjust(ObservationSettings.from_parts(made.to_parts()))
    assert linked.own == made.own
    assert ObservationSettings.from_dict(made.to_dict()).own == made.own
    # A row of a value is written as before there were kinds.
    assert len(plain_rows(made.own)[3]) == 5


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Row("tas", 50, 10, 3.0, kind="report"), "whole number from -2 to 2"),
        (Row("tas", 50, 10, 0.5, kind="report"), "whole number"),
        (Row("tas", 50, 10, 1.0, kind="foo"), "no kind of observation"),
        (Row("tas", 50, 10, 1.0, kind="mean"), "needs an area"),
    ],
)
def test_a_row_of_a_kind_that_cannot_be_is_refused(row, words):
    with pytest.raises(InvalidObservationError, match=words):
        check_row(row)

"""Kinds of observation on the page: sampled, listed and marked."""

from __future__ import annotations

import numpy as np
import pytest
from small import make_small

from app.tools.kinds import MARKS, chosen, key_words, mark_of, offered, said
from app.tools.two_places import First, box_between, difference_row, mean_row, needs_two
from mlda_core.observations.kinds import KINDS
from mlda_core.observations.table import to_csv
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.rows import InvalidObservationError, Row, check_row
from mlda_core.page_state.tables import read_rows, resolve

MONTH = "1982-07"
ROWS = (
    Row("tas", 50.0, 10.0, kind="report"),
    Row("tas", 40.0, 20.0, -2.0, month=MONTH, kind="report"),
    Row("psl", 40.0, 20.0, kind="lower_bound"),
    Row("psl", 40.0, 20.0, 3.0, month=MONTH, kind="mean", area="north"),
    Row("psl", 40.0, 25.0),
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("small"), curved=0.0)


@pytest.fixture(scope="module")
def table(bundle):
    settings = ObservationSettings(kind="none", own=tuple(check_row(row) for row in ROWS))
    return resolve(settings, bundle, MONTH)


def test_every_kind_has_a_marker_of_its_own():
    assert set(MARKS) == set(KINDS)
    assert len({shape for shape, _ in MARKS.values()}) == len(MARKS)
    assert len({sign for _, sign in MARKS.values()}) == len(MARKS)
    assert mark_of("student_t(8)") == MARKS["student_t"][0]
    assert mark_of("value") == "circle"


def test_what_is_offered_can_be_chosen():
    for code, _ in offered():
        kind, value = chosen(code)
        # What a second click makes of a kind that needs one.
        first = First(kind, "tas", 50.0, 10.0)
        row = Row("tas", 50, 10, value, kind=kind)
        if needs_two(kind):
            row = mean_row("tas", box_between(first, 40.0, 30.0))
            row = row if kind == "mean" else difference_row(first, 40.0, 30.0)
        assert check_row(row).kind == kind
    assert {kind for kind, _ in map(chosen, [code for code, _ in offered()])} == {"", *KINDS} - {
        "value"
    }
    assert chosen(None) == ("", None)
    assert chosen("report:-2") == ("report", -2.0)
    for code in ("mode", "report:9", ["value"]):
        with pytest.raises(InvalidObservationError):
            chosen(code)


def test_reports_are_sampled_as_classes_and_areas_keep_their_value(table, bundle):
    rows = table.plain
    assert rows["kind"].tolist() == ["report", "report", "lower_bound", "mean", "value"]
    value = rows["value"].to_numpy()
    assert value[0] in (-2, -1, 0, 1, 2)
    assert value[1] == -2
    assert value[3] == 3
    assert table.sampled == 3
    assert np.isfinite(rows["error_sd"]).all()
    words = [
        said(row, next(v for v in bundle.variables if v.name == row["variable"]))
        for row in rows.to_dict("records")
    ]
    assert words[1:] == ["much colder", "at least", "mean of north", ""]
    assert "◆ report in words" in key_words(rows)


def test_rows_of_values_have_no_column_of_kinds(bundle):
    plain = ObservationSettings(kind="none", own=(check_row(ROWS[-1]),))
    assert "kind" not in resolve(plain, bundle, MONTH).plain
    assert key_words(resolve(plain, bundle, MONTH).plain) == ""


def test_what_was_saved_is_read_again(table, bundle):
    own, reading = read_rows(to_csv(table.plain), bundle, MONTH)
    assert not reading.rejected
    assert [row.kind for row in own] == ["report", "report", "lower_bound", "mean", ""]
    again = resolve(ObservationSettings(kind="none", own=own), bundle, MONTH)
    np.testing.assert_allclose(again.plain["value"], table.plain["value"], rtol=1e-6)

"""The table of observations that is edited in place."""

import numpy as np
import pandas as pd
import pytest
from visiting import SOME

from app.tools.observation_table import FEW, ObservationTable


def test_other_rows_begin_at_the_top_of_the_table_and_an_edited_one_does_not_move_it(visit):
    v = visit(f"{SOME}&live=0")
    listing = v.observer.listing
    rows = v.rows.copy()
    told = list(listing.widget.tags)
    rows["value"] += 1.0
    listing.show(rows, None, [])
    listing.show(rows.iloc[:-1], None, [])
    assert listing.widget.tags == told
    # A few cells are patched; a new table would be drawn from its top.
    sent = []
    listing.widget.param.watch(sent.append, "value")
    rows = rows.iloc[:-1].copy()
    rows.loc[1, "value"] += 1.0
    listing.show(rows, None, [])
    assert listing.widget.value["value"][1] == round(rows["value"][1], 3)
    assert not sent
    listing.show(rows.iloc[:2], None, [])
    assert listing.widget.tags != told


@pytest.fixture
def listing():
    return ObservationTable({"psl": "SLP"}, ["Sea-level pressure"])


def rows(count=3):
    return pd.DataFrame(
        {
            "variable": "psl",
            "lat": np.linspace(-30.0, 30.0, count),
            "lon": np.linspace(10.0, 350.0, count),
            "value": 1.23456,
            "error_sd": 0.5,
            "withheld": False,
        }
    )


def test_a_file_with_reports_takes_the_place_of_as_many_values(listing):
    listing.show(rows(), None, [])
    told = rows().assign(value=["colder", "1.2", "warmer"])
    listing.show(told, None, [])
    assert listing.widget.value["value"].tolist() == ["colder", "1.2", "warmer"]
    listing.show(rows(), None, [])
    assert listing.widget.value["value"].tolist() == [1.235] * 3


def test_places_are_as_people_write_them_and_unknown_misfits_empty(listing):
    listing.show(rows(), None, [])
    shown = listing.widget.value
    assert shown["variable"].tolist() == ["SLP"] * 3
    assert shown["lon"].tolist() == [10.0, -180.0, -10.0]
    assert shown["value"].tolist() == [1.235] * 3
    assert shown["misfit"].isna().all()
    listing.show(rows(), np.array([1.0, -2.346, np.nan]), [])
    assert listing.widget.value["misfit"].tolist()[:2] == [1.0, -2.35]
    listing.show(rows(0), None, [])
    assert len(listing.widget.value) == 0


def test_a_few_changed_rows_are_patched_and_many_are_another_table(listing):
    listing.show(rows(FEW + 1), None, [])
    sent = []
    listing.widget.param.watch(sent.append, "value")
    for count, tables in ((FEW, 0), (FEW + 1, 1)):
        changed = rows(FEW + 1)
        changed.loc[: count - 1, "value"] = 9.0 + count
        listing.show(changed, None, [])
        assert len(sent) == tables
        assert listing.widget.value["value"].tolist()[:count] == [9.0 + count] * count


def test_the_first_misfits_are_another_table_and_later_ones_a_patch(listing):
    """A table that the browser still builds loses patches."""
    listing.show(rows(), None, [])
    sent = []
    listing.widget.param.watch(sent.append, "value")
    for misfits, tables in (([1.0, 2.0, 3.0], 1), ([1.5, 2.0, 3.0], 1)):
        listing.show(rows(), np.array(misfits), [])
        assert len(sent) == tables
        assert listing.widget.value["misfit"].tolist() == misfits


def test_rows_are_chosen_by_the_visitor_alone(listing):
    heard, edited = [], []
    listing.listen(lambda *cell: edited.append(cell), heard.append)
    listing.show(rows(), None, [2, 0])
    assert listing.widget.selection == [0, 2]
    assert heard == []
    listing.widget.selection = [1]
    assert heard == [[1]]
    listing.close()
    listing.widget.selection = []
    assert heard == [[1]]
    assert edited == []

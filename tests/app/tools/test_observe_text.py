"""What the tool Observe says of its network, its rows and its analysis."""

import pytest
from visiting import SOME

from app.tools.observe_text import counts, network_words, reading, row_name, value_words
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.rows import Row


def test_a_network_is_named_with_what_was_added_to_it():
    placed = (Row("tas", 0.0, 0.0), Row("psl", 0.0, 0.0))
    assert network_words(ObservationSettings(count=40, own=placed)) == (
        "40 stations and 2 own observations"
    )
    assert network_words(ObservationSettings(kind="none", own=placed)) == "2 own observations"
    assert network_words(ObservationSettings(kind="historical", year=1850)) == "Stations of 1850"


@pytest.mark.slow
def test_rows_are_counted_named_and_read(visit):
    v = visit(f"{SOME}&live=0")
    table, observer = v.observer.table, v.observer
    found = counts(table, chosen=2, hidden=1200)
    assert (found["n"], found["chosen"]) == (len(table), 2)
    assert found["hidden"].startswith("1,200")
    assert row_name(table, 3, observer.names).startswith("4: ")
    said = reading(table, 3, v.session.bundle, observer.names, None)
    assert said.startswith(row_name(table, 3, observer.names))
    assert "±" in said
    assert reading(table, None, v.session.bundle, observer.names, None) == ""
    assert reading(table, len(table), v.session.bundle, observer.names, None) == ""
    assert "sampled" in value_words(v.session.state.observations, table)

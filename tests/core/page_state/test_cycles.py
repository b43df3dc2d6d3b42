"""What a session cycles: links, files, and what is refused."""

import pytest

from mlda_core.page_state.cycles import CycleSettings, InvalidCycleError, withheld_on, withhold
from mlda_core.page_state.serialize import from_json, from_query, to_json, to_query
from mlda_core.page_state.settings import InvalidStateError
from mlda_core.page_state.snapshot import Limits, Snapshot

LIMITS = Limits("daily", ("1997-01-01", "1997-01-02"), 4)
FULL = CycleSettings(
    method="letkf",
    stations=30,
    first="1997-01-01",
    changes=(("1997-01-05", "europe"), ("1997-01-12", "")),
    view="background_error",
    variable="psl",
    over="asia",
    alone=("psl", 50.5, 340.0, "1997-01-03"),
)


def test_link_and_file_carry_everything():
    snapshot = Snapshot("1997-01-02", tool="cycle", cycles=FULL)
    query = to_query(snapshot)
    assert "cycle_without=1997-01-05:europe,1997-01-12:" in query
    assert from_query(query, LIMITS).cycles == FULL
    assert from_json(to_json(snapshot, LIMITS), LIMITS).cycles == FULL
    assert CycleSettings().to_parts() == {}


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ("cycle_from=1997-02-30", "'1997-02-30' is not a day"),
        ("cycle_stations=31", "There is no number of stations '31'; choose one of 30, 100, 300."),
        ("cycle_without=1997-01-05:atlantis", "Nothing can be withheld in 'atlantis'"),
        ("cycle_without=1997-01-05:europe,1997-01-04:", "are not in order"),
        ("cycle_without=" + ",".join(["1997-01-05:europe"] * 13), "changes 13 times"),
        ("cycle_alone=psl,91,0,1997-01-05", "latitude of the single observation '91'"),
        ("cycle_alone=psl,1", "must be a variable, a latitude"),
        ("cycle_view=none", "There is no view of the cycle 'none'"),
        ("cycled=a-b", "cycled method"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(parts, said):
    with pytest.raises(InvalidStateError) as caught:
        from_query(f"?month=1997-01-01&tool=cycle&{parts}", LIMITS)
    assert said in str(caught.value)


def test_a_change_on_a_day_ends_those_that_were_to_come():
    made = withhold(CycleSettings(), "1997-01-05", "europe")
    made = withhold(made, "1997-01-12", "")
    assert made.changes == (("1997-01-05", "europe"), ("1997-01-12", ""))
    assert [withheld_on(made, f"1997-01-{d}") for d in ("04", "05", "11", "12")] == [
        *("", "europe", "europe", ""),
    ]
    assert withhold(made, "1997-01-08", "asia").changes[-1] == ("1997-01-08", "asia")
    assert withhold(made, "1997-01-05", "").changes == ()
    # The same again changes nothing.
    assert withhold(made, "1997-01-07", "europe").changes == (("1997-01-05", "europe"),)


def test_settings_are_checked_one_by_one():
    with pytest.raises(InvalidCycleError):
        CycleSettings().adjust({"changes": [["1997-01-01"]]})
    assert CycleSettings().adjust({"alone": None}).alone is None

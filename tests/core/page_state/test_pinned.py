"""A pinned state: what of a state it holds, in links and files, and what is refused."""

import json

import pytest

from mlda_core.page_state.pinned import pin_of, pin_words, rests_on_analysis
from mlda_core.page_state.serialize import (
    from_json,
    from_query,
    pin_fits,
    read_pin,
    to_json,
    to_query,
)
from mlda_core.page_state.settings import InvalidStateError
from mlda_core.page_state.snapshot import MAX_PINNED, Limits, Origin, Snapshot

LIMITS = Limits("speedy", ("1997-11", "1997-12"), 4, link="other")
DECODED = Snapshot("1997-12", model="own", z=(0.0, 1.0, 2.0, -1.5), origin=Origin("draw", seed=3))
ANALYSED = Snapshot("1997-11")
ANALYSED = ANALYSED.replace(
    theme="dark",
    tool="explore",
    observations=ANALYSED.observations.adjust(
        {"method": "enoi", "count": 40, "error": 0.5, "withheld": [1], "column": "spread"}
    ),
)


def with_pin(text, **values):
    """Return a state that shows what is pinned."""
    made = Snapshot("1997-12", pinned=text)
    return made.replace(observations=made.observations.adjust({"beside": "pinned", **values}))


def many(count):
    """Return a state whose rows by hand are too many for a link."""
    rows = [["tas", lat * 0.031 % 90, lat * 7.77 % 360, 0.01 * lat, 0.5] for lat in range(count)]
    observed = ANALYSED.observations.adjust({"own": rows})
    return ANALYSED.replace(observations=observed)


def test_a_decoded_state_is_its_month_and_its_latent_vector():
    text = pin_of(DECODED, LIMITS)
    assert text.startswith("month=1997-12&z=")
    assert "other" not in text, "the bundle is that of the page"
    read = read_pin(text, LIMITS)
    assert (read.month, read.model, read.z) == ("1997-12", "own", DECODED.z)
    assert pin_words(read) == "latent state, 1997-12"
    assert not rests_on_analysis(read)


def test_an_analysis_is_what_it_is_made_of_and_nothing_of_how_it_is_shown():
    read = read_pin(pin_of(ANALYSED, LIMITS), LIMITS)
    assert read.observations.analysed == ANALYSED.observations.analysed
    assert (read.observations.column, read.theme, read.tool) == ("model", "light", "observe")
    assert pin_words(read) == "Ensemble OI analysis, 1997-11"


def test_a_member_and_a_moved_analysis_say_which():
    shown = ANALYSED.observations.adjust({"column": "member", "member": 4})
    read = read_pin(pin_of(ANALYSED.replace(observations=shown), LIMITS), LIMITS)
    assert read.observations.member == 4
    assert pin_words(read) == "member 4, Ensemble OI, 1997-11"
    moved = ANALYSED.replace(model="own", z=DECODED.z, origin=Origin("analysis", edited=True))
    read = read_pin(pin_of(moved, LIMITS), LIMITS)
    assert rests_on_analysis(read)
    assert read.observations.analysed == ANALYSED.observations.analysed
    assert pin_words(read) == "Ensemble OI analysis, moved by hand, 1997-11"


@pytest.mark.parametrize("pinned", [DECODED, ANALYSED, ANALYSED.replace(model="code")])
def test_links_and_files_hold_it(pinned):
    state = with_pin(pin_of(pinned, LIMITS), column="difference")
    assert pin_fits(state)
    assert from_query(to_query(state, LIMITS), LIMITS) == state
    assert from_json(to_json(state, LIMITS), LIMITS) == state


def test_what_is_too_long_for_a_link_is_left_to_the_file():
    state = with_pin(pin_of(many(500), LIMITS))
    assert not pin_fits(state)
    assert from_json(to_json(state, LIMITS), LIMITS) == state
    assert len(read_pin(state.pinned, LIMITS).observations.own) == 500
    left = from_query(to_query(state, LIMITS), LIMITS)
    assert (left.pinned, left.observations.beside) == ("", "target")


def test_more_than_a_file_holds_is_refused():
    with pytest.raises(InvalidStateError, match=r"^With 9\d+ observations .* cannot be pinned; "):
        pin_of(many(9000), LIMITS)


def test_a_state_that_lacks_what_it_shows_is_written_without():
    state = with_pin("")
    assert "beside" not in to_query(state, LIMITS)
    assert json.loads(to_json(state, LIMITS))["observing"].get("beside", "target") == "target"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("month=2000-01", "The pinned state cannot be made: There is no month '2000-01'"),
        ("z=abc", "The pinned state cannot be made: The link's latent vector is "),
        ("method=magic", "The pinned state cannot be made: There is no method 'magic'"),
        ("pin=month%3D1997-12", "A pinned state cannot hold another one"),
        ("?pin=" * 3000, "A pinned state cannot hold another one"),
        ("beside=pinned", "The pinned state cannot be made: The link lacks its pinned state"),
        ("ä", "The pinned state is damaged"),
        ("z=" + "A" * MAX_PINNED, "The pinned state is damaged"),
        (7, "The pinned state is damaged"),
        (["month=1997-12"], "The pinned state is damaged"),
    ],
)
def test_what_is_wrong_with_it_is_said_in_one_sentence(text, words):
    saved = json.loads(to_json(Snapshot("1997-12"), LIMITS))
    with pytest.raises(InvalidStateError) as refused:
        from_json(json.dumps(saved | {"pinned": text}), LIMITS)
    said = str(refused.value)
    assert said.startswith(words)
    assert "\n" not in said


def test_one_without_its_pinned_state_is_refused():
    with pytest.raises(InvalidStateError, match=r"^The link lacks its pinned state; "):
        from_query("month=1997-12&beside=pinned", LIMITS)
    saved = json.loads(to_json(Snapshot("1997-12"), LIMITS))
    saved["observing"]["beside"] = "pinned"
    with pytest.raises(InvalidStateError, match=r"^The file lacks its pinned state; "):
        from_json(json.dumps(saved), LIMITS)

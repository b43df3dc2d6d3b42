"""Whatever comes from outside as a file or a link is a state or is refused in one sentence."""

import base64
import copy
import json
import zlib
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlda_core.page_state.observations import ROWS
from mlda_core.page_state.perturbations import edit
from mlda_core.page_state.rows import read_changes
from mlda_core.page_state.serialize import from_json, from_query, to_json, to_query
from mlda_core.page_state.settings import InvalidStateError, declared
from mlda_core.page_state.snapshot import Limits, Snapshot

MONTHS = tuple(f"{y}-{m:02d}" for y in (1996, 1997) for m in range(1, 13))
LIMITS = Limits("speedy", MONTHS, 4, impacts=("elbe",))
# The first that is no float, and one of as many digits as JSON takes.
BEYOND = 10**309, 10**4299
ROW = ["tas", 10.0, 20.0, 1.0, 0.5, 1, "a label", "1997-12", 1]
WHOLE = Snapshot("1997-12", model="own", z=(0.0, 1.0, 2.0, 3.0))
WHOLE = WHOLE.replace(
    observations=WHOLE.observations.adjust(
        {
            "region": [-10, 10, 0, 90],
            "variables": ["tas"],
            "withheld": [1],
            "deleted": [2],
            "changed": [[3, *ROW], [4, "psl", 0, 0]],
            "own": [ROW, ["psl", 0, 0]],
        }
    ),
    perturbations=WHOLE.perturbations.adjust(
        {
            "patches": [
                {"kelvin": 1, "box": [-10, 10, 0, 90]},
                {"kelvin": -1, "polygon": [[0, 0], [10, 0], [10, 10]], "enabled": False},
                {"region": "nino34"},
            ],
            "within": [-10, 10, 0, 90],
        }
    ),
)
FILE = json.loads(to_json(WHOLE, LIMITS)) | {
    "origin": {"kind": "walk", "ends": ["1996-01", "draw 7"], "percent": 40, "edited": True}
}
URLS = sorted(
    {
        parameter.metadata["url"]
        for cls in (Snapshot, type(WHOLE.observations), type(WHOLE.perturbations))
        for parameter in declared(cls).values()
        if parameter.metadata["url"]
    }
    | {"z", "upon", "rows", "bundle"}
)

numbers = (
    st.integers()
    | st.floats()
    | st.sampled_from((0, -1, 1, 360, 720, 1e308, *BEYOND, *(-v for v in BEYOND)))
)
# With halves of surrogate pairs, which JSON can escape and UTF-8 cannot say.
text = st.text(st.characters(), max_size=8) | st.text(st.characters(categories=["Cs"]), max_size=2)
plain = st.none() | st.booleans() | numbers | text
words = st.sampled_from(
    ("", "tas", "nino34", "custom", "1997-12", "own", "draw", "walk 1 to 2, 3 %")
)
names = st.sampled_from(sorted(FILE) + sorted(FILE["observing"]) + ["kelvin", "box", "polygon"])
values = st.recursive(
    plain | words,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(names | st.text(max_size=4), inner, max_size=4)
        # As rows and boxes are.
        | st.lists(words | numbers, min_size=3, max_size=10)
    ),
    max_leaves=12,
)


def places(value, path=()):
    """Return the paths of all values within one."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = [path] if path else []
    for key, item in inner:
        here = (*path, key)
        found += places(item, here) if isinstance(item, dict | list) else [here]
    return found


PLACES = places(FILE)


@st.composite
def damaged_files(draw):
    """A good file with one to three of its values replaced, at any depth."""
    made = copy.deepcopy(FILE)
    for path in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3)):
        inside = made
        try:
            for key in path[:-1]:
                inside = inside[key]
            inside[path[-1]] = draw(numbers | values)
        except (TypeError, KeyError, IndexError):
            # What stood there was replaced before.
            continue
    return made


@st.composite
def packed_rows(draw):
    """Rows of a link, packed as a page packs them."""
    keys = st.sampled_from((*ROWS, "kind"))
    rows = draw(st.dictionaries(keys, values | st.lists(values, max_size=4), max_size=4))
    return packed(rows)


def packed(rows):
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(rows).encode())).decode()


texts = (
    st.text(max_size=12)
    | plain.map(str)
    | st.lists(numbers.map(str) | words, max_size=6).map(",".join)
    | st.lists(numbers.map(str) | words, max_size=6).map(":".join)
    | st.binary(max_size=24).map(lambda data: "~" + base64.urlsafe_b64encode(data).decode() + ":1")
    | packed_rows()
)


def refused(read, text):
    """Read a text; where it is a state, that can be written again. Return why it is refused."""
    try:
        state = read(text, LIMITS)
    except InvalidStateError as error:
        return str(error)
    to_json(state, LIMITS)
    to_query(state, LIMITS)
    return ""


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(values | st.dictionaries(names, values).map(lambda given: FILE | given))
def test_any_json_is_a_state_or_refused(data):
    refused(from_json, json.dumps(data))


@pytest.mark.slow
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(damaged_files())
def test_any_damage_of_a_file_is_read_or_refused(data):
    refused(from_json, json.dumps(data))


@pytest.mark.slow
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(URLS), texts, min_size=1, max_size=4))
def test_any_link_is_a_state_or_refused(parts):
    refused(from_query, urlencode(parts, errors="replace"))


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(packed_rows())
def test_any_rows_of_a_link_are_read_or_refused(rows):
    refused(from_query, urlencode({"rows": rows}))


@pytest.mark.parametrize("digits", [308, 309, 4300, 5000])
@pytest.mark.parametrize("name", ["stations", "spacing", "seed", "noise", "error", "reach"])
def test_a_number_of_many_digits_is_refused_in_a_link(name, digits):
    words = refused(from_query, f"{name}={'9' * digits}")
    assert "999" in words or "spacing" in words
    assert len(words) < 200


@pytest.mark.parametrize("key", ["box", "within", "over", "sea"])
def test_a_place_of_many_digits_is_refused_in_a_link(key):
    much = "9" * 400
    separator = "," if key == "box" else ":"
    box = separator.join(("-10", "10", "0", much))
    assert refused(from_query, f"{key}={box}{':1' if key == 'sea' else ''}")
    assert refused(from_query, f"sea=nino34:{much}")


@pytest.mark.parametrize("much", BEYOND, ids=["310 digits", "4300 digits"])
@pytest.mark.parametrize("name", ["error", "localisation", "hatch"])
def test_an_integer_beyond_every_float_is_refused_in_a_file(name, much):
    words = refused(from_json, json.dumps(FILE | {"observing": {name: much}}))
    assert "is not a number from" in words


def test_a_change_of_the_sea_beyond_every_float_is_refused():
    with pytest.raises(InvalidStateError, match="is not a number from"):
        edit(Snapshot().perturbations, 0, kelvin=BEYOND[0])
    patches = {"perturbing": {"patches": [{"region": "nino34", "kelvin": BEYOND[0]}]}}
    assert "K" in refused(from_json, json.dumps(FILE | patches))


@pytest.mark.parametrize(
    ("changed", "culprit"),
    [
        ([[]], "damaged"),
        ([[1]], "damaged"),
        ([[True, *ROW]], "damaged"),
        ([[1, "tas"]], "damaged"),
        # Of one number, with a value and without one.
        ([[1, *ROW], [1, "tas", 10.0, 20.0]], "twice"),
    ],
)
def test_changes_that_cannot_be_are_refused(changed, culprit):
    with pytest.raises(InvalidStateError, match=culprit):
        read_changes(changed)
    assert culprit in refused(from_query, urlencode({"rows": packed({"changed": changed})}))


def test_changes_are_in_the_order_of_their_numbers():
    rows = [[5, "tas", 0, 0], [2, *ROW], [11, "psl", 1, 1, 2.0]]
    assert [number for number, _ in read_changes(rows)] == [2, 5, 11]


@pytest.mark.parametrize(
    "observing", [{"variables": ["\ud800"]}, {"own": [["tas", 1, 1, 1, 1, 0, "\udfff"]]}]
)
def test_text_that_cannot_be_written_again_is_refused(observing):
    assert refused(from_json, json.dumps(FILE | {"observing": observing}))
    assert refused(from_query, urlencode({"rows": packed(observing)}))
    whole = {"own": [["tas", 1, 1, 1, 1, 0, "\U0001f30a"]]}
    assert not refused(from_json, json.dumps(FILE | {"observing": whole}))


def test_deep_nesting_is_refused():
    for depth in (10, 500, 900, 5000, 100_000):
        deep = "[" * depth + "]" * depth
        for key in ("month", "z", "origin", "fields", "impact", "bundle", "version"):
            text = json.dumps(FILE | {key: "DEEP"}).replace('"DEEP"', deep)
            assert refused(from_json, text)
        for key in FILE["observing"]:
            text = json.dumps(FILE | {"observing": {key: "DEEP"}}).replace('"DEEP"', deep)
            assert refused(from_json, text)

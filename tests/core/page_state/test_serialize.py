"""A state as JSON and as a URL, both ways, and what is refused."""

import base64
import contextlib
import json
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.rows import Row
from mlda_core.page_state.serialize import (
    from_json,
    from_query,
    pack,
    rows_fit,
    to_json,
    to_query,
    unpack,
)
from mlda_core.page_state.settings import InvalidStateError
from mlda_core.page_state.snapshot import Limits, Origin, Snapshot, snap

MONTHS = tuple(f"{y}-{m:02d}" for y in (1996, 1997) for m in range(1, 13))
LIMITS = Limits("speedy", MONTHS, 100)
Z = tuple(np.linspace(-3, 3, 100).astype(np.float32).tolist())


@given(arrays.arrays(np.float64, 100, elements=st.floats(-7.99, 7.99)))
def test_packing_keeps_a_latent_vector_to_one_part_in_4096(z):
    assert np.abs(unpack(pack(z), 100) - z).max() <= 0.5 / 4096 + 1e-6


@given(arrays.arrays(np.float64, 100, elements=st.floats(-9, 9)))
def test_a_snapped_vector_survives_a_link_exactly(z):
    assert np.array_equal(unpack(pack(snap(z)), 100), snap(z))


def test_a_packed_vector_fits_a_url():
    assert len(pack(Z)) < 300


def test_url_round_trip():
    snapshot = Snapshot(
        "1996-03", z=Z, model="own", projection="north", fields="full", theme="dark", seed=12,
        asked=("tas", -12.25, 359.99), members="spaghetti",
    )  # fmt: skip
    back = from_query("?" + to_query(snapshot), LIMITS)
    assert np.abs(np.subtract(back.z, Z)).max() < 2e-4
    assert back.replace(z=Z, origin=None) == snapshot


def test_a_url_without_z_is_the_analysis_or_the_code_of_the_month():
    query = to_query(Snapshot("1996-03", z=Z, model="code"))
    assert query == "month=1996-03&model=code"
    assert from_query(query, LIMITS).model == "code"
    assert to_query(Snapshot("1996-03")) == "month=1996-03"
    assert from_query("month=1996-03", LIMITS).model == "analysis"


def test_an_empty_url_is_the_first_view():
    assert from_query("", LIMITS) == Snapshot("1997-12")


@pytest.mark.parametrize(
    ("query", "culprit"),
    [
        ("month=1850-01", "1850-01"),
        ("month=%3Cscript%3E", "<script>"),
        ("z=AAAAAA", "2 numbers"),
        ("z=!!!!", "damaged"),
        ("z=é", "damaged"),
        ("projection=mercator", "mercator"),
        ("fields=none", "none"),
        ("theme=pink", "pink"),
        ("tool=delete", "delete"),
        ("seed=-1", "-1"),
        ("seed=nan", "nan"),
        ("seed=99999999999999999999", "99999"),
        ("model=own", "latent vector"),
        ("network=moon", "moon"),
        ("stations=many", "many"),
        ("stations=1.5", "whole number"),
        ("error=nan", "error"),
        ("residual=2", "residual"),
        ("box=1,2,3", "region"),
        ("rows=!!!", "damaged"),
        ("rows=AAAA", "damaged"),
        ("method=magic", "magic"),
        ("ask=tas,95,0", "latitude"),
        ("ask=tas,5,east", "longitude"),
        ("ask=tas", "place asked about"),
        ("members=soup", "soup"),
        ("&".join(f"a{i}=1" for i in range(60)), "too many"),
    ],
)
def test_a_bad_url_is_refused_in_one_sentence(query, culprit):
    with pytest.raises(InvalidStateError, match=culprit) as caught:
        from_query(query, LIMITS)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.slow
@given(st.text(max_size=60))
def test_no_url_does_more_than_be_refused(query):
    with contextlib.suppress(InvalidStateError):
        from_query(query, LIMITS)


def test_json_round_trip():
    snapshot = Snapshot("1996-07", z=Z, model="own", origin=Origin("draw", seed=3), seed=4)
    back = from_json(to_json(snapshot, LIMITS), LIMITS)
    assert np.abs(np.subtract(back.z, Z)).max() < 1e-5
    assert back.replace(z=Z) == snapshot


def test_json_that_names_no_bundle_is_taken():
    data = json.loads(to_json(Snapshot("1996-07", z=Z, model="own"), LIMITS))
    del data["bundle"]
    assert from_json(json.dumps(data), LIMITS).month == "1996-07"


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        ({"format": "other"}, "not a saved state"),
        ({"version": 99}, "99"),
        ({"version": 1, "follow": "yes"}, "follow"),
        ({"model": "best"}, "best"),
        ({"observing": 3}, "damaged"),
        ({"observing": {"kind": "moon"}}, "moon"),
        ({"observing": {"own": [["tas", 99, 0]]}}, "latitude"),
        ({"observing": {"changed": [[[1], "tas", 9, 0]]}}, "damaged"),
        ({"observing": {"colour": 1}}, "colour"),
        ({"bundle": "other"}, "'other'.*'speedy'"),
        ({"bundle": None}, "'None'.*'speedy'"),
        ({"month": "2050-01"}, "2050-01"),
        ({"month": 7}, "7"),
        ({"z": [1.0, 2.0]}, "100"),
        ({"z": ["a"] * 100}, "not a number"),
        ({"z": [float("nan")] * 100}, "leaves"),
        ({"z": [99.0] * 100}, "leaves"),
        ({"z": None, "model": "own"}, "lacks"),
        ({"projection": ["north"]}, "projection"),
        ({"seed": 1.5}, "seed"),
        ({"seed": True}, "seed"),
    ],
)
def test_bad_json_is_refused_in_one_sentence(change, culprit):
    data = json.loads(to_json(Snapshot("1996-07", z=Z, model="own"), LIMITS)) | change
    with pytest.raises(InvalidStateError, match=culprit) as caught:
        from_json(json.dumps(data), LIMITS)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", "[" * 100_000, "x" * 2_000_000])
def test_what_is_no_state_is_refused(text):
    with pytest.raises(InvalidStateError):
        from_json(text, LIMITS)


def observed(rows=3):
    own = tuple(
        Row("tas", 1.5 * i % 80, i % 360 + 0.125, None, None, i % 2 == 0) for i in range(rows)
    )
    return ObservationSettings(
        kind="historical",
        year=1930,
        region=(-30.0, 30.0, 120.0, 290.0),
        variables=("psl", "tas"),
        error=0.4,
        withheld=frozenset({1, 5}),
        deleted=frozenset({2}),
        changed=((3, Row("psl", 10.0, 20.0, 4.5, 1.0, label="Darwin, NT")),),
        own=own,
        method="eof",
        residual=False,
        live=False,
        column="spread",
    )


def test_observations_survive_a_link_and_a_file():
    snapshot = Snapshot("1996-03", observations=observed())
    assert rows_fit(snapshot)
    assert from_query("?" + to_query(snapshot), LIMITS) == snapshot
    assert from_json(to_json(snapshot, LIMITS), LIMITS) == snapshot


def test_a_link_stays_short_and_says_what_it_leaves_out():
    rng = np.random.default_rng(1)
    own = tuple(
        Row("tas", lat, lon, value)
        for lat, lon, value in rng.uniform(0, 80, (3000, 3)).round(3).tolist()
    )
    snapshot = Snapshot("1996-03", observations=ObservationSettings(own=own))
    assert not rows_fit(snapshot)
    query = to_query(snapshot)
    assert len(query) < 2000
    assert from_query(query, LIMITS).observations == ObservationSettings()
    assert from_json(to_json(snapshot, LIMITS), LIMITS) == snapshot


def test_a_link_cannot_unfold_without_end():
    bomb = base64.urlsafe_b64encode(zlib.compress(b"[" * 10_000_000)).decode()
    with pytest.raises(InvalidStateError, match="damaged"):
        from_query("rows=" + bomb, LIMITS)


def test_a_file_from_before_observations_has_none():
    data = json.loads(to_json(Snapshot("1996-07", z=Z, model="own"), LIMITS))
    old = {k: v for k, v in data.items() if k not in ("model", "observing", "tool")}
    back = from_json(json.dumps(old | {"version": 1, "follow": False}), LIMITS)
    assert back.model == "own"
    assert back.observations.kind == "none"


ORIGINS = [
    Origin("analysis", edited=True),
    Origin("code", month="1997-12", edited=True),
    Origin("prior"),
    Origin("draw", seed=7),
    Origin("walk", ends=("1997-12", "draw 7"), percent=40),
    Origin("link"),
    Origin("file", edited=True),
]


@pytest.mark.parametrize("origin", ORIGINS, ids=lambda origin: origin.kind)
def test_a_file_keeps_where_a_latent_vector_came_from(origin):
    snapshot = Snapshot("1996-07", z=Z, model="own", origin=origin)
    assert from_json(to_json(snapshot, LIMITS), LIMITS).origin == origin


@pytest.mark.parametrize(
    "origin",
    [
        7,
        {"kind": "moon"},
        {"kind": "walk", "ends": ["1997-12"]},
        {"kind": "walk", "percent": 140},
        {"kind": "draw", "seed": -1},
        {"kind": "draw"},
        {"kind": "prior", "edited": "yes"},
        {"kind": "link", "colour": "red"},
    ],
)
def test_a_damaged_origin_is_refused(origin):
    data = json.loads(to_json(Snapshot("1996-07", z=Z, model="own"), LIMITS))
    with pytest.raises(InvalidStateError, match=r"origin|seed"):
        from_json(json.dumps(data | {"origin": origin}), LIMITS)

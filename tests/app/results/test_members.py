"""The part Members of the results panel, without a browser."""

import types

import numpy as np
import pytest
from visiting import Visit

from app.charts.members import COLUMNS

SOME = "?network=stations&stations=20&tool=observe"


@pytest.fixture(scope="module")
def v(speedy):
    one = Visit(speedy, SOME)
    one.settle()
    one.send(type="foot", value=["members"])
    one.settle(lambda visit: "image" in visit.session.verification.foot.members, limit=120)
    yield one
    one.session.close()


@pytest.fixture
def foot(v):
    return v.session.verification.foot


def test_stamps_of_all_and_a_click_shows_one(v, foot):
    ensemble = v.work.ensemble()
    assert foot.members["n"] == len(ensemble)
    chart = v.session.verification.view.views["members"].stamps
    assert chart.figure.tags == [0, COLUMNS, 0, 5, 2.0]
    assert chart._image.data["image"][0] is foot.members["image"]
    chart._tapped(types.SimpleNamespace(x=3.5, y=chart.rows - 1.5))
    assert v.session.state.observations.member == 14
    assert v.session.state.observations.column == "member"
    assert np.array_equal(v.view.fields, ensemble.anomalies[13], equal_nan=True)
    assert chart._frame.data["x"] == [3.5]
    before = foot.members["image"]
    foot.variable = "psl"
    assert foot.members["image"] is not before
    assert foot.members["variable"] == "psl"
    foot.variable = "tas"


def test_the_two_that_differ_most_are_flipped(v, foot):
    one, other = v.work.ensemble().most_different()
    v.send(type="column", value="model")
    v.send(type="members-flip")
    assert v.session.state.observations.member == one + 1
    v.send(type="members-flip")
    assert v.session.state.observations.member == other + 1
    v.send(type="members-flip")
    assert v.session.state.observations.member == one + 1
    v.send(type="column", value="model")


def test_spaghetti_follows_level_variable_and_projection(v, foot):
    v.send(type="members-mode", value="spaghetti")
    lines = foot.members["lines"]
    assert all(lines[name] for name in ("members", "analysis", "target"))
    assert len(lines["members"]) > len(lines["analysis"])
    level = foot.members["level"]
    v.send(type="members-level", value=0.5)
    assert foot.members["level"] == 0.5 != level
    assert foot.members["lines"] != lines
    v.send(type="members-level", value=500.0)
    assert not any(foot.members["lines"].values())
    assert "anywhere" in foot.members["words"]
    v.send(type="members-level", value=level)
    assert foot.members["lines"] == lines
    v.send(type="projection", value="north")
    assert foot.members["projection"] == "north"
    v.send(type="undo")
    v.send(type="members-mode", value="stamps")


def test_a_link_says_as_what_they_are_shown(v, foot, speedy):
    v.send(type="members-mode", value="spaghetti")
    query = v.session.bar.query
    assert "members=spaghetti" in query
    one = Visit(speedy, f"?{query}")
    try:
        one.settle(lambda visit: "lines" in visit.session.verification.foot.members, limit=120)
        assert one.session.verification.foot.opened == ["members"]
        one.send(type="foot", value=["series"])
        assert "members=" not in one.session.bar.query
        assert one.session.verification.foot.opened == ["series"]
        # Back in the browser: what the link says is shown again.
        one.send(type="visit", query=f"?{query}")
        assert set(one.session.verification.foot.opened) == {"series", "members"}
        one.send(type="visit", query=SOME)
        assert one.session.verification.foot.opened == ["series"]
    finally:
        one.session.close()
    # Looking is no step of the work.
    v.send(type="obs-put", variable="psl", lat="10", lon="190")
    v.send(type="members-mode", value="stamps")
    v.send(type="undo")
    assert v.session.state.members == "stamps"
    v.settle(lambda visit: visit.work.ensemble() is not None, limit=120)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "members-mode", "value": "soup"},
        {"type": "members-level", "value": "high"},
        {"type": "member-shown", "value": 51},
        {"type": "threshold", "value": None},
    ],
)
def test_what_no_control_sends_is_refused(v, message):
    v.send(**message)
    assert v.session.bar.failed


def test_a_probability_of_one_s_own_threshold(v, speedy):
    v.send(type="column", value="probability")
    v.send(type="event", value="over")
    v.send(type="threshold", value=0.5)
    ensemble = v.work.ensemble()
    fields = v.view.column().fields
    for i, variable in enumerate(speedy.variables):
        expected = 100 * ensemble.probability(variable.name, 0.5)
        assert np.array_equal(fields[i], expected, equal_nan=True)
    v.send(type="event", value="under")
    under = v.view.column().fields
    assert under[0] == pytest.approx(100 - fields[0], abs=1e-3)
    v.send(type="threshold", value=2.0)
    assert (v.view.column().fields[0] >= under[0] - 1e-6).all()
    assert v.observer.heading.threshold == 2.0
    assert "threshold=2" in v.session.bar.query
    v.send(type="column", value="model")


def test_without_members_it_is_said_why(v, foot):
    v.send(type="observing", name="method", value="climatology")
    v.settle()
    assert "no posterior" in foot.members["words"]
    v.send(type="members-flip")
    assert v.session.bar.failed
    v.send(type="observing", name="method", value="vae")
    v.settle()

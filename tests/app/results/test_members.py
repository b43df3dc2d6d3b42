"""The part Members of the results panel, without a browser."""

import types

import numpy as np
import pytest
from visiting import Visit

from app.charts.members import COLUMNS
from app.maps.member_maps import stamps
from app.results.members import legend

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


@pytest.mark.slow
def test_stamps_of_all_and_a_click_shows_one(v, foot):
    ensemble = v.view.ensemble()
    assert foot.members["n"] == len(ensemble)
    chart = v.session.verification.view.views["members"].stamps
    assert chart.figure.tags == [0, COLUMNS, 0, 5, 2.0]
    assert chart._names.data["text"] == ["target", "analysis", *map(str, range(1, 51))]
    # Target and analysis stand first, and are no members.
    first = stamps(
        np.stack([v.session.bundle.target("1997-12")[2], v.work.analysis.anomalies[2]]),
        v.session.bundle.grid, "robinson", 5.0, 2,
    )  # fmt: skip
    height, width = first.shape[0], first.shape[1] // 2
    assert (foot.members["image"][-height:, : 2 * width] == first).all()
    for x in (0.5, 1.5):
        chart._tapped(types.SimpleNamespace(x=x, y=chart.rows - 0.5))
        assert v.session.state.observations.column == "model"
    assert "K" in v.session.verification.view.views["members"].scale.object
    assert chart._image.data["image"][0] is foot.members["image"]
    chart._tapped(types.SimpleNamespace(x=3.5, y=chart.rows - 1.5))
    assert v.session.state.observations.member == 13
    assert v.session.state.observations.column == "member"
    assert np.array_equal(v.view.fields, ensemble.anomalies[12], equal_nan=True)
    assert chart._frame.data["x"] == [3.5]
    before = foot.members["image"]
    foot.variable = "psl"
    assert foot.members["image"] is not before
    assert foot.members["variable"] == "psl"
    foot.variable = "tas"


@pytest.mark.slow
def test_the_two_that_differ_most_are_flipped(v, foot):
    one, other = v.view.ensemble().most_different()
    v.send(type="column", value="model")
    v.send(type="members-flip")
    assert v.session.state.observations.member == one + 1
    v.send(type="members-flip")
    assert v.session.state.observations.member == other + 1
    v.send(type="members-flip")
    assert v.session.state.observations.member == one + 1
    v.send(type="column", value="model")


@pytest.mark.slow
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
    assert "nowhere" in foot.members["words"]
    v.send(type="members-level", value=level)
    assert foot.members["lines"] == lines
    v.send(type="projection", value="north")
    assert foot.members["projection"] == "north"
    v.send(type="undo")
    v.send(type="members-mode", value="stamps")


@pytest.mark.slow
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
    v.settle(lambda visit: visit.view.ensemble() is not None, limit=120)


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
    ensemble = v.view.ensemble()
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


@pytest.mark.parametrize(
    ("absent", "words"),
    [
        ((), "(thin), analysis (orange), target (plain)"),
        (("analysis",), "(thin), target (plain); none in the analysis"),
        (("analysis", "target"), "(thin); none in the analysis or the target"),
        (("members", "analysis", "target"), "3.0 K is nowhere in the members"),
        (("members", "analysis"), "nowhere in the members, but in the target"),
    ],
)
def test_the_legend_names_only_lines_that_are_there(absent, words):
    lines = {name: [] if name in absent else [0] for name in ("members", "analysis", "target")}
    assert words in legend("3.0 K", "50 members by Laplace", lines)

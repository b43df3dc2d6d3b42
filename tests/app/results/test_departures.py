"""The parts Ranks and Densities of the results panel, without a browser."""

import numpy as np
import pytest
from visiting import Visit

from app.maps.projections import to_map
from mlda_core.assimilation.densities import densities_at
from mlda_core.climate.regions import REGIONS
from mlda_core.evaluation.rank_histogram import observation_ranks
from mlda_core.page_state.analyses import engine_of

SOME = "?network=stations&stations=40&tool=observe"


@pytest.fixture(scope="module")
def v(speedy):
    one = Visit(speedy, SOME)
    one.settle()
    yield one
    one.session.close()


@pytest.fixture
def foot(v):
    yield v.session.verification.foot
    v.send(type="foot", value=[])


def drawn(visit):
    return not visit.work.run and "chart" in visit.session.verification.foot.densities


def click(v, variable, lat, lon):
    v.session.verification.foot.densities = {}
    x, y = to_map("robinson", np.array([float(lon)]), np.array([float(lat)]))
    v.send(type="obs-ask-place", variable=variable, x=float(x[0]), y=float(y[0]))


@pytest.mark.slow
def test_a_question_about_a_place_opens_its_densities(v, foot, speedy):
    click(v, "tas", 12.0, 200.0)
    assert foot.opened == ["densities"]
    v.settle(drawn)
    task = v.work.task
    expected = densities_at(
        engine_of(speedy), task.observations, task.month, "tas", (12.0, 200.0)
    )  # fmt: skip
    before, after = foot.densities["chart"].curves
    assert before.x == pytest.approx(expected.prior.x, abs=0.05)
    assert after.y == pytest.approx(expected.posterior.y, rel=0.05, abs=0.01)
    assert foot.densities["chart"].marks[0].value == pytest.approx(expected.target, abs=0.02)
    for value in (expected.posterior.mean, expected.target):
        assert f"{abs(value):.1f}"[:3] in foot.densities["words"]
    nearest = expected.nearest
    assert [line.split(":")[0] for line in foot.densities["nearest"]] == [
        str(row + 1) for row in nearest["row"]
    ]
    # Where it is is outlined on the maps.
    (box,) = v.session.verification.outlined()
    assert box[0] < 12.0 < box[1]
    assert box[2] < 200.0 < box[3]
    assert [c.name for c in v.session.verification.view.views["densities"].chart._shown.curves] == [
        "before", "after",
    ]  # fmt: skip


def test_a_link_keeps_the_place_and_its_variable(v, foot, speedy):
    click(v, "tas", 12.0, 200.0)
    v.send(type="density-variable", value="psl")
    query = v.session.bar.query
    assert "ask=psl,12,200" in query
    one = Visit(speedy, f"?{query}")
    try:
        one.settle()
        shown = one.session.verification.foot
        assert shown.opened == ["densities"]
        one.settle(drawn)
        assert shown.densities["where"] == "place"
        assert shown.densities["variable"] == "psl"
        v.settle(drawn)
        assert shown.densities["words"] == foot.densities["words"]
    finally:
        one.session.close()
    # Looking is no step of the work: undo takes the station back, and leaves the question.
    v.send(type="obs-put", variable="psl", lat="10", lon="190")
    v.send(type="undo")
    v.settle()
    assert v.session.state.asked == ("psl", 12.0, 200.0)
    assert foot.opened == ["densities"]
    # Of a region there is no place; it comes back with the choice, and goes with the part.
    v.send(type="density-where", value="region")
    assert "ask=" not in v.session.bar.query
    v.send(type="density-where", value="place")
    assert "ask=psl" in v.session.bar.query
    v.send(type="foot", value=[])
    assert "ask=" not in v.session.bar.query


@pytest.mark.slow
def test_a_link_that_asks_about_what_the_bundle_lacks_says_so(speedy):
    one = Visit(speedy, f"{SOME}&ask=zg,12,200")
    try:
        one.settle()
        assert one.session.state.asked is None
        assert "zg" in one.session.bar.status
        assert one.session.verification.foot.opened == []
    finally:
        one.session.close()


@pytest.mark.slow
def test_a_region_s_mean_follows_the_foot_and_the_observations(v, foot, speedy):
    v.send(type="foot", value=["densities"])
    v.send(type="foot-region", value="nino34")
    foot.densities = {}
    v.send(type="density-where", value="region")
    v.send(type="density-variable", value="tos")
    v.settle(drawn)
    task = v.work.task
    expected = densities_at(
        engine_of(speedy), task.observations, task.month, "tos", REGIONS["nino34"]
    )
    _, after = foot.densities["chart"].curves
    assert after.x == pytest.approx(expected.posterior.x, abs=1e-6)
    assert REGIONS["nino34"].short in foot.densities["words"]
    # One more observation there: a narrower density.
    v.send(type="obs-put", variable="tos", lat="0", lon="215")
    v.settle(
        lambda visit: (
            drawn(visit)
            and visit.session.verification.foot.densities["chart"].curves[1] is not after
        )
    )
    now = foot.densities["chart"].curves[1]
    assert np.ptp(now.x) < 0.9 * np.ptp(after.x)
    assert "within" in foot.densities["nearest"][0]
    v.send(type="undo")
    v.send(type="foot-region", value="globe")
    v.settle()


@pytest.mark.slow
def test_before_a_place_is_clicked_it_is_said_what_to_do(speedy):
    one = Visit(speedy, SOME)
    try:
        one.settle()
        one.send(type="foot", value=["densities"])
        one.send(type="density-where", value="place")
        assert "click a map" in one.session.verification.foot.densities["words"]
    finally:
        one.session.close()


def test_where_a_variable_is_not_nothing_is_asked(v, foot):
    click(v, "tos", 50.0, 90.0)
    assert v.session.bar.failed
    assert foot.opened == []
    for message in (
        {"type": "density-where", "value": "moon"},
        {"type": "density-variable", "value": "zg"},
    ):
        v.send(**message)
        assert v.session.bar.failed


@pytest.mark.slow
def test_ranks_are_those_of_the_members(v, foot):
    for row in range(0, 20, 2):
        v.send(type="obs-toggle", variable=v.rows["variable"].iloc[row], row=row)
    v.settle()
    v.send(type="foot", value=["ranks"])
    v.settle(lambda visit: "withheld" in visit.session.verification.foot.ranks, limit=90)
    found = observation_ranks(v.view.ensemble())
    assert foot.ranks["withheld"] == found.frequencies("withheld").tolist()
    assert foot.ranks["used"] == found.frequencies("used").tolist()
    assert foot.ranks["chance"] == {kind: found.chance(kind) for kind in ("withheld", "used")}
    assert "10 withheld" in foot.ranks["words"]
    view = v.session.verification.view.views["ranks"]
    assert list(view.chart._sources["used"].data["top"]) == foot.ranks["used"]
    for _ in range(10):
        v.send(type="undo")
    v.settle()


KINDS = """variable,lat,lon,value,error_sd,kind,area
tas,55,60,much colder,,report,
tas,20,200,-3,1,upper_bound,
tas,,,0.5,0.3,mean,-30 -10 100 140
"""


@pytest.mark.slow
def test_what_was_reported_is_said_in_its_words_and_drawn_where_it_lies(speedy):
    one = Visit(speedy, "?network=none&tool=observe")
    try:
        one.settle()
        one.send(type="obs-upload", name="kinds.csv", text=KINDS)
        one.settle(lambda visit: not visit.work.run and visit.work.answered)
        foot = one.session.verification.foot
        click(one, "tas", 53.0, 61.0)
        one.settle(drawn)
        lines = foot.densities["nearest"]
        assert lines[0].startswith("1: much colder than usual at 55.0°N 60.0°E, 2")
        assert "3: +0.50 ± 0.30 K over 30°S–10°S, 100°E–140°E, its centre" in " ".join(lines)
        assert "2: at most −3.00 ± 1.00 K at 20.0°N 160.0°W" in " ".join(lines)
        mark = foot.densities["chart"].marks[-1]
        assert "what it says" in mark.name
        assert mark.low == -np.inf
        assert mark.high < 0
        # A mean is on no axis of a place, though it is near.
        click(one, "tas", -20.0, 120.0)
        one.settle(drawn)
        assert lines != foot.densities["nearest"]
        assert [m.name for m in foot.densities["chart"].marks] == ["target"]
        click(one, "tos", 0.0, 215.0)
        one.settle(drawn)
        assert foot.densities["nearest"] == []
        assert foot.densities["note"] == (
            "No observation of sea (SST): what is known of it comes from air."
        )
    finally:
        one.session.close()


def test_without_a_posterior_both_say_why(v, foot):
    v.send(type="observing", name="method", value="climatology")
    v.settle()
    for part, name in (("ranks", "ranks"), ("densities", "densities")):
        v.send(type="foot", value=[part])
        assert "no posterior" in getattr(foot, name)["words"]
    v.send(type="observing", name="method", value="vae")
    v.settle()


def test_the_parts_are_of_observe_alone(v, foot):
    assert {"ranks", "densities"} <= set(foot.offered)
    v.send(type="tool", value="perturb")
    assert not {"ranks", "densities"} & set(foot.offered)
    v.send(type="tool", value="observe")

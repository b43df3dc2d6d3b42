"""Where next without a browser: the map, what is placed, and what was promised."""

import numpy as np
import pytest
from visiting import Visit

from app.maps.projections import to_map
from mlda_core.assimilation.targeting import Target, where_next
from mlda_core.climate.regions import REGIONS
from mlda_core.page_state.analyses import engine_of

SOME = "?network=stations&stations=20&tool=observe&column=next&nextof=tos&nextin=nino34"


def found(visit):
    names = {v.name for v in visit.session.bundle.variables}
    return (
        not visit.work.run
        and visit.observer.next.best
        and set(visit.observer.next._answers) == names
    )


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


@pytest.fixture
def visit(bundle):
    made = []

    def start(query=SOME):
        made.append(Visit(bundle, query))
        return made[-1]

    yield start
    for one in made:
        one.session.close()


@pytest.mark.slow
def test_the_map_is_the_library_s_and_the_best_are_placed_and_undone(visit, bundle):
    v = visit()
    v.settle(found)
    tool = v.observer.next
    assert tool.root.visible
    task = v.work.task
    expected = where_next(
        engine_of(bundle), task.observations, task.month, "tos",
        target=Target("tos", REGIONS["nino34"]),
    )  # fmt: skip
    column = v.view.column()
    row = bundle.sea_row
    assert np.array_equal(column.fields[row], expected.percent, equal_nan=True)
    # Every variable's map is of what one more observation of that variable is worth.
    assert all(np.isfinite(field).any() for field in column.fields)
    limit = column.look.limits[0]
    assert np.nanmax(column.fields) <= limit
    before, count = v.work.analysis, len(v.rows)
    v.send(type="next-place", count=10)
    assert "10 observations" in v.status
    placed = v.rows.iloc[count:]
    assert placed["lat"].to_numpy() == pytest.approx(expected.best["lat"].to_numpy(), abs=1e-3)
    assert placed["lon"].to_numpy() == pytest.approx(expected.best["lon"].to_numpy(), abs=1e-3)
    assert set(placed["variable"]) == {"tos"}
    # Sampled from the target with the network's error, as what is placed by hand.
    assert placed["error_sd"].to_numpy() == pytest.approx(
        expected.best["error_sd"].to_numpy(), rel=1e-2
    )
    # What is not known yet is said to be computed, and the maps of before stay whole.
    old, scales = v.view.column(), set()

    def all_new(visit):
        (words,) = tool.promise_words()
        done = visit.work.answered and found(visit)
        scales.add((visit.view.column().look.limits, bool(visit.observer.heading.note)))
        if visit.work.answered and tool._reached is None:
            assert "Now: spread being computed; error from" in words
        return done

    v.settle(all_new)
    assert v.view.column() is not old
    assert scales == {(old.look.limits, True), (v.view.column().look.limits, False)}
    assert v.work.analysis is not before
    now = tool.best.spread
    assert now < 0.7 * expected.spread
    assert now == pytest.approx(tool._promise.after, rel=0.15)
    assert tool._promise.before == pytest.approx(expected.spread, rel=1e-6)
    (words,) = tool.promise_words()
    for value in (expected.spread, tool._promise.after, now, tool._promise.error):
        assert f"{value:.3f}" in words
    assert tool._target_error() < tool._promise.error
    # The verification says it too, and not of other observations.
    v.send(type="foot", value=["scores"])
    assert words in v.session.verification.foot.scores["words"]
    v.send(type="undo")
    v.settle(found)
    assert len(v.rows) == count
    assert tool.promise_words() == []
    assert words not in v.session.verification.foot.scores["words"]


@pytest.mark.slow
def test_the_best_one_is_placed_alone_and_the_map_follows(visit):
    v = visit()
    v.settle(found)
    tool, count = v.observer.next, len(v.rows)
    old, first = tool.best, tool.best.best.iloc[0]
    v.send(type="next-place", count=1)
    assert len(v.rows) == count + 1
    v.settle(found)
    assert tool.best is not old
    i, j = np.unravel_index(np.nanargmax(old.reduction), old.reduction.shape)
    assert v.session.bundle.grid.lat[i] == pytest.approx(first["lat"])
    assert np.isnan(tool.best.reduction[i, j])


@pytest.mark.slow
def test_what_is_asked_is_chosen_and_stands_in_the_link(visit, bundle):
    v = visit()
    v.settle(found)
    tool = v.observer.next
    v.send(type="next", name="next_target", value="tas")
    v.send(type="next", name="next_variable", value="psl")
    corners = [
        to_map("robinson", np.array([lon]), np.array([lat])) for lon, lat in ((20, 10), (60, 40))
    ]
    (x0, y0), (x1, y1) = [(float(x[0]), float(y[0])) for x, y in corners]
    v.send(
        type="obs-drawn", mode="aim", variable="tas",
        geometry={"type": "rect", "x0": x0, "x1": x1, "y0": y0, "y1": y1},
    )  # fmt: skip
    question = tool.question()
    assert (question.variable, question.target) == ("psl", "tas")
    assert (question.region.south, question.region.north) == pytest.approx((10, 40), abs=0.5)
    assert v.session.state.observations.region is None
    assert tool.outlined()
    for part in ("next=psl", "nextof=tas", "nextin=box", "nextbox="):
        assert part in v.session.bar.query
    v.settle(found)
    again = visit("?" + v.session.bar.query)
    assert again.observer.next.question() == question
    v.send(type="next", name="next_region", value="globe")
    assert tool.outlined() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("&method=climatology", "no posterior"),
        ("&residual=0", "residual analysis"),
        ("&model=code", "first analysis"),
    ],
)
def test_where_nothing_can_be_known_the_page_says_why(visit, query, hint):
    v = visit(SOME + query)
    v.settle()
    assert hint in v.observer.heading.hint
    v.send(type="next-place", count=10)
    assert v.session.bar.failed


@pytest.mark.slow
def test_messages_that_no_control_sends_are_refused(visit):
    v = visit(SOME.replace("column=next", "column=model"))
    v.settle()
    assert not v.observer.next.root.visible
    for message in (
        {"type": "next", "name": "kind", "value": "none"},
        {"type": "next-place", "count": 11},
        {"type": "next-place", "count": "all"},
        {"type": "next-place", "count": 1},
    ):
        v.send(**message)
        assert v.session.bar.failed
    # A bundle without the variable of a link asks about its own first one.
    other = visit(SOME.replace("nextof=tos", "nextof=zg"))
    assert other.observer.next.question().target == v.session.bundle.variables[0].name


def test_without_a_target_it_is_said_why_nothing_is_placed(visit, bundle, monkeypatch):
    v = visit()
    v.settle(found)
    count = len(v.rows)
    monkeypatch.setattr(
        type(v.observer.next), "_has_target", lambda *given: np.zeros(len(given[-1]), bool)
    )
    v.send(type="next-place", count=1)
    assert v.session.bar.failed
    assert "no value can be sampled" in v.status
    assert len(v.rows) == count


@pytest.mark.slow
def test_what_came_of_a_promise_is_said_whatever_is_asked_next(visit):
    v = visit()
    v.settle(found)
    tool = v.observer.next
    v.send(type="next-place", count=1)
    # Asked about something else before it is known; then nothing is asked.
    v.send(type="next", name="next_target", value="psl")
    v.settle(lambda visit: visit.observer.next._reached is not None, limit=120)
    (words,) = tool.promise_words()
    assert "Now: spread 0." in words
    assert "error from" in words
    v.settle(found)
    v.send(type="next-place", count=1)
    v.send(type="column", value="model")
    v.settle(lambda visit: visit.observer.next._reached is not None, limit=120)
    assert "being computed" not in tool.promise_words()[0]
    v.send(type="column", value="next")
    v.settle(found)
    assert np.isfinite(v.view.column().fields).any()


@pytest.mark.slow
def test_until_all_maps_are_there_each_says_so_and_has_no_scale(visit):
    v = visit()
    heard = set()

    def all_there(visit):
        column = visit.view.column()
        heard.add((visit.observer.heading.hint, column.fields is None))
        assert visit.session.figures._key(visit.session.bundle.variables[0]) == "" or column.look
        return found(visit)

    v.settle(all_there)
    words = {hint for hint, empty in heard if empty}
    assert "Being computed: 0 of 4 maps …" in words
    assert all(not hint for hint, empty in heard if not empty)

"""Beside the model: another method's analysis of the same observations, and one observation alone.

With a small bundle aloft and the engine itself: messages go to the controls as a browser sends.
"""

import contextlib
import json
import queue
import time

import numpy as np
import pytest
from aloft import make_bundle

from app.session import Session
from app.tools.form_panel import FormPanel
from app.tools.observe_text import scenario
from mlda_core.evaluation import single_observation
from mlda_core.page_state.analyses import engine_of
from mlda_core.page_state.serialize import from_json, from_query, to_json, to_query


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("aloft"))


class Visit:
    """A session whose event loop is this thread."""

    def __init__(self, bundle, query):
        self.loop = queue.Queue()
        self.session = Session(bundle, query, self.loop.put)
        self.beside, self.observer = self.session.comparison, self.session.observe
        self.settle()

    def send(self, control=None, **message):
        control = control or self.beside.heading
        if isinstance(control, FormPanel):
            control.send(**message)
        else:
            control._handle_msg({"seq": control.ack + 1, "batch": [message]})
        self.settle()

    def settle(self, limit=60):
        end, quiet = time.monotonic() + limit, 0
        while quiet < 3:
            assert time.monotonic() < end, "the analyses did not come"
            busy = False
            with contextlib.suppress(queue.Empty):
                self.loop.get(timeout=0.02)()
                busy = True
            working = self.observer.analysing.run or self.beside.work.run
            quiet = 0 if busy or working else quiet + 1

    def wait(self, there, limit=60):
        """Wait for what is computed beside an analysis, which no word tells to be under way."""
        end = time.monotonic() + limit
        while (found := there()) is None:
            assert time.monotonic() < end, "it did not come"
            self.settle()
        return found

    @property
    def frame(self):
        return self.session._frame

    @property
    def observed(self):
        return self.session.state.observations

    def fields(self, kind):
        """Return what a column's maps show, by variable."""
        cells = self.session.figures._cells
        return {name: source.data[kind].copy() for name, source in cells.items()}


PLAIN = "?month=1982-03&stations=12&tool=observe"


@pytest.fixture(scope="module")
def shared(bundle):
    made = Visit(bundle, PLAIN)
    yield made
    made.session.close()


@pytest.fixture
def visit(shared):
    """Return the one session at a link's state, without a history: making another takes seconds."""

    def start(query=PLAIN):
        shared.send(shared.session.bar, type="visit", query=query)
        shared.session.state.forget()
        return shared

    return start


def test_ensemble_oi_stands_beside_the_model_on_the_same_observations(visit, bundle):
    v = visit()
    target = v.fields("target")["zg500"]
    np.testing.assert_allclose(target, bundle.target("1982-03")[0].ravel())
    v.send(type="beside", value="enoi")
    task = v.beside.work.task
    assert task.method == "enoi"
    assert task.observations is v.observer.task.observations
    other = v.fields("target")["zg500"]
    np.testing.assert_allclose(other, v.beside.work.analysis.anomalies[0].ravel())
    assert not np.allclose(other, target)
    # The scatter is of one analysis against the other.
    scores = v.frame.panes["zg500", "scatter"].scores
    ours = v.observer.analysing.analysis.anomalies[0]
    w = bundle.grid.weights
    assert scores.rmse == pytest.approx(
        np.sqrt((w * (ours - v.beside.work.analysis.anomalies[0]) ** 2).sum()), rel=1e-4
    )
    assert "ensemble OI" in v.session.bar.status
    v.send(type="beside", value="target")
    np.testing.assert_allclose(v.fields("target")["zg500"], target)


def test_both_columns_show_the_same_of_their_method(visit):
    v = visit()
    v.send(type="beside", value="enoi")
    for column in ("increment", "spread", "influence", "difference", "model"):
        v.send(v.observer.heading, type="column", value=column)
        if column == "influence":
            v.send(v.observer.gestures, type="obs-hover", row=0)
        work, ours = v.beside.work, v.observer.analysing
        if column == "spread":
            wanted, _ = v.wait(work.spread)
            v.wait(ours.spread)
        elif column == "influence":
            wanted = v.wait(lambda work=work: work.influence(0))
            v.wait(lambda ours=ours: ours.influence(0))
        else:
            wanted = work.increment() if column == "increment" else work.analysis.anomalies
        left = v.fields("target")["ua850"]
        np.testing.assert_allclose(left, wanted[1].ravel(), rtol=1e-5)
        how = v.session.figures._how
        assert how.left_kind == (
            column if column in ("increment", "spread", "influence") else "model"
        )
        if column == "difference":
            np.testing.assert_allclose(
                v.fields("model")["ua850"],
                (ours.analysis.anomalies[1] - wanted[1]).ravel(),
                atol=1e-4,
            )
            assert how.words == ("ensemble OI", "analysis − ensemble OI")


def test_another_month_is_analysed_by_both(visit):
    v = visit()
    v.send(type="beside", value="enoi")
    before = v.fields("target")["zg500"]
    v.send(v.session.bar, type="month", value="1982-04")
    assert v.beside.work.month == v.observer.analysing.month == "1982-04"
    assert not v.beside.stale
    assert not np.allclose(v.fields("target")["zg500"], before)


def test_both_columns_say_whose_they_are_and_of_what_by_one_scale(visit):
    v = visit()
    observer, legends = v.observer, v.session.legends
    v.send(observer.heading, type="column", value="increment")
    assert observer.heading.who == ""
    assert "anomaly" in legends["zg500"].object
    assert "150 m" in v.session.figures.keys["zg500"].text
    v.send(type="beside", value="enoi")
    assert observer.heading.who == "VAE"
    assert v.beside.heading.quantity == "increment"
    assert "increment" in legends["zg500"].object
    assert v.session.figures.keys["zg500"].text == ""
    v.send(observer.heading, type="column", value="spread")
    assert "spread" in legends["zg500"].object
    assert "−" not in legends["zg500"].object
    v.send(observer.heading, type="column", value="difference")
    assert v.beside.heading.quantity == "analysis"
    assert "anomaly" in legends["zg500"].object
    # That scale is the difference's alone.
    assert "150 m" in v.session.figures.keys["zg500"].text


def test_links_files_and_undo_carry_it(visit):
    v = visit()
    v.send(type="beside", value="enoi")
    v.send(v.observer.heading, type="scale", value=5)
    v.send(v.observer.heading, type="arrows", value=False)
    snapshot, limits = v.session.state.snapshot(), v.session.limits
    query = to_query(snapshot, limits)
    assert {"beside=enoi", "scale=5", "arrows=0"} <= set(query.split("&"))
    assert from_query(query, limits).observations == snapshot.observations
    assert from_json(to_json(snapshot, limits), limits).observations == snapshot.observations
    assert not v.frame.request.arrows
    v.send(v.session.bar, type="undo")
    assert v.frame.request.arrows
    assert v.session._frame.request.scale == 5
    v.send(v.session.bar, type="undo")
    assert v.frame.request.scale == 1
    v.send(v.session.bar, type="undo")
    assert v.observed.beside == "target"
    v.send(v.session.bar, type="redo")
    assert v.observed.beside == "enoi"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"type": "beside", "value": "the moon"}, "There is no view beside the model 'the moon'"),
        ({"type": "scale", "value": 3}, "The colours cannot be amplified 3 times; choose one of 1"),
        ({"type": "scale", "value": True}, "The colours cannot be amplified True times"),
        ({"type": "arrows", "value": "yes"}, "The setting 'arrows' must be true or false"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(shared, message, words):
    v = shared
    before = v.observed
    v.send(**message)
    assert v.session.bar.failed
    assert v.session.bar.status.startswith(words)
    assert v.observed is before


def test_one_button_sets_the_experiment_of_one_observation_up(visit, bundle):
    v = visit()
    assert v.observer.panel.trial == "Try one alone: 500 hPa height, 21.0°N 129.0°E"
    v.send(v.observer.gestures, type="trial")
    observed = v.observed
    assert (observed.kind, observed.column, observed.beside) == ("none", "increment", "enoi")
    assert len(v.observer.table) == 1
    assert scenario(observed) == "1 own observation, obs. error 0.2 × local spread, VAE"
    row = single_observation.observe(bundle, 3).iloc[0]
    assert v.observer.table.rows["value"].tolist() == [row["value"]]
    by_method = single_observation.run(engine_of(bundle), 3)
    for kind, method in (("target", "enoi"), ("model", "vae")):
        shown, wanted = v.fields(kind), by_method[method].fields
        for i, name in enumerate(("zg500", "ua850", "va850")):
            np.testing.assert_allclose(shown[name], wanted[i].ravel(), atol=2e-3)
        assert np.isfinite(v.session.figures._arrows.sources[kind].data["x"]).any()
    v.send(v.session.bar, type="undo")
    assert v.observed.kind == "stations"


def test_arrows_are_on_the_height_and_not_on_the_wind_itself(shared):
    figures = shared.session.figures
    for name, shows in (("zg500", True), ("ua850", False), ("va850", False)):
        for kind in ("target", "model"):
            drawn = figures.figures[name, kind].select({"name": "arrows"})
            assert bool(list(drawn)) is shows
            assert all(renderer.visible for renderer in drawn)


def test_the_key_says_the_scale(shared):
    v = shared
    keys = v.session.figures._arrows._keys
    v.send(v.observer.heading, type="scale", value=1)
    assert keys["model"].data["text"] == ["850 hPa wind, 5 m/s"]
    v.send(type="beside", value="target")
    v.send(v.observer.heading, type="column", value="increment")
    v.send(v.observer.heading, type="scale", value=5)
    assert keys["model"].data["text"] == ["850 hPa wind, 1 m/s"]
    # The target keeps its scale, which is the row's.
    assert keys["target"].data["text"] == ["850 hPa wind, 5 m/s"]
    assert "+150" in v.session.legends["zg500"].object
    assert "+30 m" in v.session.figures.keys["zg500"].text
    v.send(v.observer.heading, type="column", value="model")
    assert "+30 m" in v.session.figures.keys["zg500"].text
    v.send(v.session.bar, type="fields", value="full")
    assert v.session.figures.keys["zg500"].text == ""
    v.send(v.session.bar, type="fields", value="anomalies")
    # Two methods' increments share one.
    v.send(v.observer.heading, type="column", value="increment")
    v.send(type="beside", value="enoi")
    assert keys["target"].data["text"] == ["850 hPa wind, 1 m/s"]
    assert "+30" in v.session.legends["zg500"].object
    assert v.session.figures.keys["zg500"].text == ""
    v.send(type="beside", value="target")
    v.send(v.observer.heading, type="scale", value=1)
    assert "+150" in v.session.legends["zg500"].object


def test_another_projection_has_arrows_of_its_own(shared):
    v = shared
    source = v.session.figures._arrows.sources["model"]
    v.send(v.session.bar, type="projection", value="robinson")
    before = source.data["x"].copy()
    v.send(v.session.bar, type="projection", value="north")
    assert source.data["x"].shape != before.shape
    assert np.isfinite(source.data["x"]).any()
    v.send(v.session.bar, type="projection", value="robinson")
    np.testing.assert_array_equal(source.data["x"], before)


def test_a_link_of_the_experiment_shows_it(visit):
    v = visit()
    v.send(v.observer.gestures, type="trial")
    experiment = v.observed
    query = to_query(v.session.state.snapshot(), v.session.limits)
    assert visit().observed != experiment
    v = visit(f"?{query}")
    assert v.observed == experiment
    assert v.beside.work.task.method == "enoi"
    saved = json.loads(to_json(v.session.state.snapshot(), v.session.limits))
    assert len(saved["observing"]["own"]) == 1

"""A session without a browser: messages in, state and panes out, and nothing left behind."""

import asyncio
import gc
import re
import weakref

import numpy as np
import pytest
from bokeh.document import Document
from panel.io.document import _cleanup_doc
from panel.io.state import set_curdoc

from app import page
from app.context import merge_actions
from app.session import Session
from app.tools.explore import ExploreTool
from app.tools.observe import ObserveTool


@pytest.fixture
def session(tiny):
    return Session(tiny, "?model=code&network=none&tool=explore", lambda run: run())


def send(control, **message):
    control._handle_msg({"seq": control.ack + 1, "batch": [message]})


def test_the_first_view_is_the_code_of_the_first_month(session, tiny):
    assert session.state.month == "1997-12"
    assert np.allclose(session.state.z, tiny.code("1997-12"))
    assert session.bar.month == "1997-12"
    assert session.explore.panel.follow


def test_every_message_is_acknowledged_even_a_wrong_one(session):
    before = session.explore.panel.ack
    send(session.explore.panel, type="z", k=0, value=1.5)
    send(session.explore.panel, type="z", k=99, value=1.5)
    send(session.explore.panel, type="z", k=0, value="much")
    send(session.explore.panel, type="nonsense")
    assert session.explore.panel.ack == before + 4
    assert session.bar.failed
    assert session.state.z[0] == 1.5


@pytest.mark.parametrize(
    "data", [None, 3, {}, {"batch": "no"}, {"batch": [None, 3, {}]}, {"seq": "x", "batch": []}]
)
def test_malformed_messages_harm_nothing(session, data):
    z = session.state.z
    session.explore.panel._handle_msg(data)
    assert session.state.z is z


def test_a_followed_code_changes_with_the_month_and_an_own_one_does_not(session, tiny):
    send(session.bar, type="month", value="1998-03")
    assert np.allclose(session.state.z, tiny.code("1998-03"))
    send(session.explore.panel, type="z", k=1, value=0.5, done=True)
    own = session.state.z
    send(session.bar, type="month", value="1998-04")
    assert np.array_equal(session.state.z, own)
    send(session.explore.panel, type="encode")
    assert np.allclose(session.state.z, tiny.code("1998-04"))


def test_one_drag_is_one_step_of_undo(session):
    start = session.state.z[0]
    for value in (0.1, 0.2, 0.3):
        send(session.explore.panel, type="z", k=0, value=value)
    send(session.explore.panel, type="z", k=0, value=0.3, done=True)
    send(session.bar, type="undo")
    assert session.state.z[0] == start
    assert not session.state.can_undo


def test_random_draws_repeat_by_seed(session):
    send(session.explore.panel, type="random", seed="9")
    first = session.state.z
    assert session.state.seed == 10
    send(session.explore.panel, type="prior")
    assert not session.state.z.any()
    send(session.explore.panel, type="random", seed="9")
    assert np.array_equal(session.state.z, first)
    send(session.explore.panel, type="random", seed="-4")
    assert session.bar.failed
    assert np.array_equal(session.state.z, first)


def test_a_random_draw_is_one_step_of_undo_and_the_theme_none(session):
    start = session.state.snapshot()
    send(session.explore.panel, type="random", seed="9")
    send(session.bar, type="theme", value="dark")
    send(session.bar, type="undo")
    assert session.state.theme == "dark"
    assert not session.state.can_undo
    assert np.array_equal(session.state.z, start.z)
    assert session.state.seed == start.seed


def test_undo_and_redo_say_so(session):
    send(session.bar, type="redo")
    assert session.bar.status == "There is nothing to redo."
    send(session.explore.panel, type="prior")
    send(session.bar, type="undo")
    assert session.bar.status == "Undone."
    send(session.bar, type="redo")
    assert session.bar.status == "Redone."
    assert session.bar.split_words["train"] == "training month: fit, not skill"


def test_the_title_says_what_the_model_shows(session):
    heading = session.observe.heading
    send(session.explore.panel, type="encode")
    assert heading.model_label == "Model: encoded"
    send(session.explore.panel, type="prior")
    assert heading.model_label == "Model: prior mean"
    send(session.explore.panel, type="random", seed="7")
    assert heading.model_label == "Model: random draw, seed 7"
    send(session.explore.panel, type="z", k=0, value=0.3, done=True)
    assert heading.model_label == "Model: by hand"
    send(session.explore.panel, type="walk-from", **{"from": "1997-01", "to": "draw 3"})
    send(session.explore.panel, type="walk", t=0.5)
    assert heading.model_label == "Model: walk 1997-01 to draw 3"
    send(session.explore.panel, type="walked")
    assert heading.model_label == "Model: walk 1997-01 to draw 3"


def test_a_walk_starts_and_ends_where_it_says(session, tiny):
    send(session.explore.panel, type="walk-from", **{"from": "1997-01", "to": "draw 3"})
    send(session.explore.panel, type="walk", t=0.0)
    assert np.allclose(session.state.z, tiny.code("1997-01"), atol=2e-4)
    send(session.explore.panel, type="walk", t=1.0)
    assert np.allclose(session.state.z, np.random.default_rng(3).standard_normal(6), atol=2e-4)
    send(session.explore.panel, type="walked")
    assert session.state.can_undo


@pytest.mark.parametrize(
    "message",
    [
        {"type": "prior"},
        {"type": "encode"},
        {"type": "random", "seed": "3"},
        {"type": "z", "k": 0, "value": 2.0, "done": True},
        {"type": "month", "value": "1998-04"},
        {"type": "visit", "query": "?month=1998-05&model=code&network=none"},
        {"type": "fields", "value": "full"},
    ],
)
def test_any_other_action_ends_a_walk_and_is_one_step_after_it(session, message):
    start = session.state.snapshot()
    send(session.explore.panel, type="walk-from", **{"from": "1997-01", "to": "draw 3"})
    send(session.explore.panel, type="walk", t=0.4)
    walked = session.state.snapshot()
    send(session.explore.panel, **message)
    after = session.state.snapshot()
    assert after != walked
    status = session.bar.status
    for late in ({"type": "walk", "t": 0.5}, {"type": "walked"}):
        send(session.explore.panel, **late)
    assert session.state.snapshot() == after
    assert session.bar.status == status
    send(session.bar, type="undo")
    assert session.state.snapshot() == walked
    send(session.bar, type="undo")
    assert session.state.snapshot() == start


def test_undo_during_a_walk_goes_back_to_before_it(session):
    start = session.state.snapshot()
    send(session.explore.panel, type="walk-from", **{"from": "1997-01", "to": "draw 3"})
    send(session.explore.panel, type="walk", t=0.4)
    send(session.bar, type="undo")
    send(session.explore.panel, type="walk", t=0.5)
    assert session.state.snapshot() == start


def test_the_theme_may_change_during_a_walk(session):
    send(session.explore.panel, type="walk-from", **{"from": "1997-01", "to": "draw 3"})
    send(session.bar, type="theme", value="dark")
    before = session.state.z
    send(session.explore.panel, type="walk", t=0.5)
    assert not np.array_equal(session.state.z, before)


def test_sharing_clears_an_old_failure(session):
    send(session.explore.panel, type="z", k=0, value="much")
    assert session.bar.failed
    send(session.bar, type="share")
    assert not session.bar.failed
    assert session.bar.status == ""


def test_the_address_follows_gestures_not_frames(session):
    before = session.bar.query
    send(session.explore.panel, type="z", k=0, value=0.7)
    assert session.bar.query == before
    send(session.explore.panel, type="z", k=0, value=0.7, done=True)
    assert "z=" in session.bar.query


def test_dark_coasts_have_a_light_edge_in_full_fields_alone(session):
    halo = session.figures.figures["psl", "target"].select_one({"name": "halo"})
    assert not halo.visible
    send(session.bar, type="fields", value="full")
    assert halo.visible


@pytest.mark.slow
def test_a_visit_that_ended_leaves_nothing_behind(tiny, monkeypatch):
    monkeypatch.setattr(page, "bundle_of_process", lambda _key="": tiny)
    # A session's work in the background is not this test's business: it lets go when it is done.
    monkeypatch.setattr(ExploreTool, "make_thumbnails", lambda *_: None)
    monkeypatch.setattr(ObserveTool, "begin", lambda *_, **__: None)

    async def visit():
        document = Document()
        with set_curdoc(document):
            made = page.serve()
            document.to_json()
            send(made.explore.panel, type="z", k=0, value=1.0, done=True)
            send(made.bar, type="month", value="1998-05")
            send(made.bar, type="projection", value="north")
            send(made.bar, type="fields", value="full")
            send(made.bar, type="theme", value="dark")
            send(made.observe.panel, type="obs-put", variable="psl", lat="70", lon="0")
        for callback in list(document.session_destroyed_callbacks):
            callback(None)
        _cleanup_doc(document)
        return [
            weakref.ref(thing) for thing in (document, made, made.state, made.figures, made.bar)
        ]

    left = [ref for _ in range(3) for ref in asyncio.run(visit())]
    gc.collect()
    assert [ref() for ref in left if ref() is not None] == []


def test_two_parts_cannot_act_on_one_message():
    def act(_):
        return None

    assert list(merge_actions({"z": act}, {"seed": act})) == ["z", "seed"]
    with pytest.raises(ValueError, match="'seed'"):
        merge_actions({"z": act, "seed": act}, {"seed": act})


def test_every_message_of_the_page_has_an_action(session, repo_root):
    sent = set()
    for file in (repo_root / "app" / "web").glob("*.js"):
        sent |= set(re.findall(r'type: "([a-z-]+)"', file.read_text(encoding="utf-8")))
    for file in (repo_root / "app" / "results").glob("*.py"):
        sent |= set(re.findall(r'send\(type="([a-z-]+)"', file.read_text(encoding="utf-8")))
    assert len(sent) > 40
    assert sent == set(session._actions)

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
from visiting import send

from app import page
from app.tools.explore import ExploreTool
from app.tools.observe import ObserveTool


def test_the_first_view_is_the_code_of_the_first_month(session, tiny):
    assert session.state.month == "1997-12"
    assert np.allclose(session.state.z, tiny.code("1997-12"))
    assert session.bar.month == "1997-12"
    assert session.explore.panel.follow


def test_one_drag_is_one_step_of_undo(session):
    start = session.state.z[0]
    for value in (0.1, 0.2, 0.3):
        send(session.explore.panel, type="z", k=0, value=value)
    send(session.explore.panel, type="z", k=0, value=0.3, done=True)
    send(session.bar, type="undo")
    assert session.state.z[0] == start
    assert not session.state.can_undo


def test_a_drag_gives_the_browser_a_slope_until_the_picture_is_another(session):
    slope = session.figures._slope
    panel = session.explore.panel
    send(panel, type="encode")
    assert not len(slope.data["k"])
    start = float(session.state.z[1])
    send(panel, type="z", k=1, value=start + 0.1)
    assert list(slope.data["k"]) == [1]
    first = slope.data["rates"][0]
    # It holds for the rest of the drag, and for the next one of this slider.
    send(panel, type="z", k=1, value=start + 0.3)
    send(panel, type="z", k=1, value=start + 0.3, done=True)
    send(panel, type="z", k=1, value=start + 0.4)
    assert slope.data["rates"][0] is first
    send(panel, type="z", k=0, value=0.5)
    assert list(slope.data["k"]) == [0]
    send(panel, type="z", k=0, value=0.5, done=True)
    send(session.bar, type="fields", value="full")
    assert not len(slope.data["k"])


@pytest.mark.slow
def test_undo_and_redo_say_so(session):
    send(session.bar, type="redo")
    assert session.bar.status == "There is nothing to redo."
    send(session.explore.panel, type="prior")
    send(session.bar, type="undo")
    assert session.bar.status == "Undone."
    send(session.bar, type="redo")
    assert session.bar.status == "Redone."
    assert session.bar.split_words["train"] == "training month: fit, not skill"


def test_a_presentation_is_in_the_link_and_no_step_of_undo(session):
    send(session.bar, type="present", value="maps")
    assert session.bar.present == session.state.present == "maps"
    assert "present=maps" in session.bar.query
    assert not session.state.can_undo
    send(session.bar, type="present", value="everything")
    assert session.bar.failed
    assert session.bar.present == "maps"
    send(session.bar, type="present", value="")
    assert session.bar.present == ""
    assert "present" not in session.bar.query


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


def test_sharing_clears_an_old_failure(session):
    send(session.explore.panel, type="z", k=0, value="much")
    assert session.bar.failed
    send(session.bar, type="share", page="http://localhost:5006/app")
    assert not session.bar.failed
    assert session.bar.status == ""


def test_the_address_follows_gestures_not_frames(session):
    before = session.bar.query
    send(session.explore.panel, type="z", k=0, value=0.7)
    assert session.bar.query == before
    send(session.explore.panel, type="z", k=0, value=0.7, done=True)
    assert "z=" in session.bar.query


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
            send(made.observe.gestures, type="obs-put", variable="psl", lat="70", lon="0")
        for callback in list(document.session_destroyed_callbacks):
            callback(None)
        _cleanup_doc(document)
        return [
            weakref.ref(thing) for thing in (document, made, made.state, made.figures, made.bar)
        ]

    left = [ref for _ in range(3) for ref in asyncio.run(visit())]
    gc.collect()
    assert [ref() for ref in left if ref() is not None] == []


def test_a_bundle_that_cannot_be_cycled_has_no_charts_made_for_it(session):
    assert not session.cycle.offered
    send(session.bar, type="month", value=session.bundle.months[1])
    session.close()
    assert not {"chart", "form", "forecast"} & vars(session.cycle).keys()


def test_every_message_of_the_page_has_an_action(session, repo_root):
    sent = set()
    for file in (repo_root / "app" / "web").glob("*.js"):
        words = file.read_text(encoding="utf-8")
        asked = re.findall(r"\btype: ([^,}]+)", words) + re.findall(r"\bsend\(([^,{\n]+),", words)
        for kind in asked:
            # Of a choice, what it is between.
            sent |= set(re.findall(r'"([a-z-]+)"', kind.rpartition("?")[2]))
    bar = (repo_root / "app" / "web" / "bar.html").read_text(encoding="utf-8")
    sent |= set(re.findall(r'\bsend="([a-z-]+)"', bar))
    for file in (repo_root / "app" / "results").glob("*.py"):
        sent |= set(re.findall(r'send\(type="([a-z-]+)"', file.read_text(encoding="utf-8")))
    for file in (repo_root / "app" / "tools").glob("*.py"):
        text = file.read_text(encoding="utf-8")
        for asked in (
            r'(?:send|on_messages)\(\[\{"type": "([a-z-]+)"',
            r'send\(type="([a-z-]+)"',
            r'_ask\("([a-z-]+)", ',
        ):
            sent |= set(re.findall(asked, text))
    assert len(sent) > 40
    assert sent == set(session._actions)

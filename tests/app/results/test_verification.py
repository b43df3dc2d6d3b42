"""The foot of the page, wired: scores of the analysis, other methods, and the series."""

import contextlib
import queue
import time

import numpy as np
import pytest

from app.session import Session


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


@pytest.fixture
def page(bundle):
    loop = queue.Queue()
    session = Session(bundle, "?network=stations&stations=20", loop.put)

    def settle(until, limit=90):
        end = time.monotonic() + limit
        while not until():
            assert time.monotonic() < end, "it did not come"
            with contextlib.suppress(queue.Empty):
                loop.get(timeout=0.05)()

    session.settle = settle
    settle(lambda: not session.observe.analysing.run)
    yield session
    session.close()


def send(session, **message):
    session.verification.foot.send(**message)


@pytest.mark.slow
def test_the_table_scores_the_analysis_once_it_is_opened(page):
    foot = page.verification.foot
    assert foot.scores == {}
    send(page, type="foot", value=["scores"])
    found = foot.scores["target"]
    assert set(found) == {"vae", "climatology"}
    shown = page._frame.panes
    assert found["vae"]["psl"]["explained_variance"] > 0.3
    assert foot.method == "vae"
    assert shown is not None


def test_a_second_press_does_not_run_the_methods_anew(page, monkeypatch):
    started = []
    monkeypatch.setattr(page.verification._compare, "stream", lambda *a, **_: started.append(a))
    send(page, type="foot", value=["scores"])
    send(page, type="compare")
    assert page.verification.foot.busy.startswith("running ")
    send(page, type="compare")
    assert len(started) == 1


@pytest.mark.slow
def test_other_methods_are_compared_and_one_click_shows_one(page):
    send(page, type="foot", value=["scores"])
    foot = page.verification.foot
    send(page, type="compare")
    page.settle(lambda: {"enoi", "eof", "adam"} <= set(foot.scores["target"]) and not foot.busy)
    # Regression needs the sea, and is left out.
    assert "regression" not in foot.scores["target"]
    before = page._frame.model
    send(page, type="method", value="enoi")
    page.settle(lambda: not page.observe.analysing.run)
    assert page.observe.analysing.analysis.method == "enoi"
    assert not np.array_equal(page._frame.model, before)
    assert foot.method == "enoi"
    # What was computed is not thrown away by looking at it.
    assert {"vae", "eof"} <= set(foot.scores["target"])


def test_other_observations_forget_what_was_compared(page):
    send(page, type="foot", value=["scores"])
    foot = page.verification.foot
    send(page, type="method", value="eof")
    page.settle(lambda: not page.observe.analysing.run)
    assert {"vae", "eof"} <= set(foot.scores["target"])
    send(page, type="obs-put", variable="tas", lat="0", lon="230")
    page.settle(lambda: not page.observe.analysing.run)
    assert "vae" not in foot.scores["target"]


@pytest.mark.slow
def test_scores_of_one_month_do_not_stand_below_another(page):
    send(page, type="foot", value=["scores"])
    foot = page.verification.foot
    send(page, type="encode")
    assert "vae" in foot.scores["target"], "of this month still"
    send(page, type="month", value="1998-03")
    assert foot.scores == {}
    send(page, type="method", value="vae")
    page.settle(lambda: not page.observe.analysing.run)
    assert "vae" in foot.scores["target"]


@pytest.mark.slow
def test_a_folded_table_holds_no_scores_of_another_month(page):
    foot = page.verification.foot
    send(page, type="foot", value=["scores"])
    before = foot.scores
    assert before["target"]
    assert not before["words"], "a test month"
    send(page, type="foot", value=["series"])
    assert foot.scores == {}
    send(page, type="foot", value=["scores"])
    assert foot.scores == before
    send(page, type="foot", value=[])
    send(page, type="month", value="1995-03")
    page.settle(lambda: not page.observe.analysing.run)
    assert foot.scores == {}
    send(page, type="foot", value=["scores"])
    assert foot.scores["target"] != before["target"]
    assert foot.scores["words"], "a training month"


def test_parts_that_there_are_not_are_refused(page):
    for value in ([["scores"]], [{}], ["moon"], "scores", None, [1, None]):
        send(page, type="foot", value=["series"])
        assert "no such part" not in page.bar.status
        send(page, type="foot", value=value)
        assert "no such part" in page.bar.status, value
        assert page.verification.foot.opened == ["series"], value


def test_a_drawn_box_is_a_region_to_verify_over(page):
    send(page, type="foot", value=["scores"])
    foot = page.verification.foot
    whole = foot.scores["target"]["climatology"]["psl"]["rmse"]
    send(page, type="observing", name="region", value=[-30, 30, 120, 280])
    page.settle(lambda: not page.observe.analysing.run)
    assert [key for key, _ in foot.regions][-1] == "box"
    send(page, type="foot-region", value="box")
    assert foot.scores["target"]["climatology"]["psl"]["rmse"] < whole
    send(page, type="foot-region", value="moon")
    assert page.bar.failed


@pytest.mark.slow
def test_the_series_runs_with_progress_is_cancelled_and_goes_on(page):
    foot = page.verification.foot
    send(page, type="foot", value=["series"])
    assert len(foot.series["months"]) == len(page.bundle.months)
    assert "20 stations" in foot.scenario
    send(page, type="observing", name="method", value="climatology")
    page.settle(lambda: not page.observe.analysing.run)
    send(page, type="series-start", value="test")
    page.settle(lambda: foot.progress.get("done", 0) >= 4)
    send(page, type="series-cancel")
    assert not foot.progress["running"]
    done = len(page.verification._series.done)
    assert 4 <= done < 60
    send(page, type="series-start", value="test")
    started = foot.progress
    send(page, type="series-start", value="all")
    assert foot.progress is started, "a second press changes nothing"
    page.settle(lambda: not foot.progress["running"])
    assert len(page.verification._series.done) == 60
    assert foot.analysis["scores"]["psl"]["n"] == 60
    words = foot.progress["words"]
    assert words
    send(page, type="series-cancel")
    assert foot.progress["words"] == words, "it had ended"


@pytest.mark.slow
def test_a_method_that_refuses_gets_no_scores_of_another(page):
    send(page, type="foot", value=["scores"])
    send(page, type="method", value="regression")
    page.settle(lambda: not page.observe.analysing.run)
    page.redraw()
    assert "regression" not in page.verification.foot.scores["target"]


@pytest.mark.slow
def test_a_series_says_why_it_stopped(page):
    foot = page.verification.foot
    send(page, type="foot", value=["series"])
    send(page, type="series-start", value="test")
    page.settle(lambda: foot.analysis["values"]["tas"][0] is not None or foot.progress["done"] > 0)
    page._on_messages([{"type": "observing", "name": "error", "value": 0.4}])
    assert "Stopped" in str(foot.progress)


@pytest.mark.slow
def test_the_foot_turns_with_the_tool(page, monkeypatch):
    """Each tool has a series of its own; both stay when the other is looked at."""
    foot = page.verification.foot
    monkeypatch.setattr(page.perturb, "refresh", lambda: None)
    send(page, type="foot", value=["series"])
    send(page, type="observing", name="method", value="climatology")
    page.settle(lambda: not page.observe.analysing.run)
    send(page, type="series-start", value="test")
    page.settle(lambda: not foot.progress["running"])
    made = foot.progress["words"]
    page._on_messages([{"type": "tool", "value": "perturb"}])
    assert foot.mode == "perturb"
    assert foot.scenario == "SST only: Niño 3.4 \N{MINUS SIGN}2.0 K"
    assert foot.progress["words"] == ""
    assert foot.analysis["values"]["tas"][0] is None
    send(page, type="foot-change", value="trend")
    assert foot.scenario == "SST only: the sea without its trend"
    page._on_messages([{"type": "tool", "value": "observe"}])
    assert foot.mode == "observe"
    assert "20 stations" in foot.scenario
    assert foot.progress["words"] == made
    assert foot.analysis["scores"]["psl"]["n"] == 60

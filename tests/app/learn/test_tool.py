"""The tool Learn without a browser."""

import pytest
from visiting import Visit

from app.learn import checking
from app.learn.checking import state_of

PLAIN = "?theme=dark&tool=explore&model=code&network=none&month=1997-05"


@pytest.fixture
def visit(tiny, own, monkeypatch):
    assert own.is_dir()
    monkeypatch.setattr(checking, "open_bundle", lambda _: tiny)
    state_of.cache_clear()
    made = Visit(tiny, PLAIN)
    yield made
    made.session.close()
    state_of.cache_clear()


def answered(visit):
    return visit.session.learn.panel.outcome.get("busy") is False


def test_learn_opens_the_list_and_another_tool_closes_it(visit):
    state, panel = visit.session.state, visit.session.learn.panel
    visit.send(type="learn")
    assert (state.lesson, panel.lesson) == ("list", "")
    assert [entry["name"] for entry in panel.lessons][-1] == "mine"
    assert visit.session.tools.learning
    assert "lesson=list" in visit.session.bar.query
    visit.send(type="tool", value="explore")
    assert state.lesson == ""
    assert not visit.session.tools.learning
    # To look is no step of undo.
    assert not state.can_undo


def test_a_lesson_sets_the_state_asks_and_then_shows(visit):
    state, panel = visit.session.state, visit.session.learn.panel
    visit.send(type="lesson", value="mine")
    assert (state.month, state.theme, state.lesson) == ("1997-12", "dark", "mine")
    assert "Undo brings back" in visit.status
    assert (panel.step, panel.card["choices"]) == (1, ["Fall", "Rise"])
    # Nothing of the answer is in the browser before.
    assert panel.outcome == {}
    assert "It was the" not in str(panel.card)
    visit.send(type="lesson-show", value="after")
    assert "Answer first" in visit.status
    visit.send(type="lesson-answer", value=0)
    assert (state.month, panel.shows) == ("1998-01", "after")
    visit.settle(answered)
    outcome = panel.outcome
    assert outcome["right"] == (outcome["choice"] == 0)
    assert "It was the" in outcome["html"]
    visit.send(type="lesson-show", value="before")
    assert (state.month, panel.shows) == ("1997-12", "before")
    # The visitor's own state comes back, and the lesson stays open.
    while state.can_undo:
        visit.send(type="undo")
    assert (state.month, state.lesson, panel.shows) == ("1997-05", "mine", "")
    # Asked again, it is a question again.
    visit.send(type="lesson", value="mine")
    assert panel.outcome == {}


def test_a_link_to_a_lesson_shows_its_state(tiny, own, visit):
    made = Visit(tiny, "?lesson=mine")
    state, panel = made.session.state, made.session.learn.panel
    assert (state.month, state.lesson, panel.shows) == ("1997-12", "mine", "before")
    made.send(type="month", value="1997-05")
    assert panel.shows == ""
    made.session.close()


def test_a_number_is_answered_in_its_own_unit(visit, tiny):
    panel = visit.session.learn.panel
    visit.send(type="lesson", value="mine.2")
    assert (panel.card["choices"], panel.card["unit"], panel.card["next"]) == ([], "", "mine.3")
    visit.send(type="lesson-answer", value="much")
    assert "the answer" in visit.status
    assert panel.outcome == {}
    visit.send(type="lesson-answer", value=float(tiny.code("1997-12")[0]))
    visit.settle(answered)
    assert panel.outcome["right"]


def test_what_is_no_lesson_is_refused_and_the_page_stays(visit, tiny):
    state = visit.session.state
    for value in ("nothing", "mine.9", "../x", None):
        visit.send(type="lesson", value=value)
        assert "There is no lesson" in visit.status
    assert state.month == "1997-05"
    visit.send(type="lesson-answer", value=0)
    assert visit.session.bar.failed
    other = Visit(tiny, "?lesson=nothing")
    assert "There is no lesson 'nothing'" in other.status
    assert other.session.state.lesson == ""
    other.session.close()


@pytest.mark.slow
def test_a_link_opens_a_lesson_with_its_state(visit, tiny):
    other = Visit(tiny, "?lesson=mine")
    assert (other.session.state.month, other.session.state.lesson) == ("1997-12", "mine")
    other.session.close()
    visit.send(type="visit", query="?lesson=mine.2")
    assert visit.session.learn.panel.step == 2


def test_a_state_that_the_bundle_lacks_names_the_lesson(visit, own, text):
    (own / "21-late.md").write_text(text.replace("month=1997-12", "month=2050-01"))
    visit.send(type="lesson", value="late")
    assert visit.status.startswith("The lesson late, question 1, state: There is no month")
    assert visit.session.state.month == "1997-05"
    (own / "22-gone.md").write_text(text.replace("{say: Fall", "{say: [Fall]"))
    visit.send(type="learn")
    visit.send(type="lesson", value="list")
    assert "22-gone.md" in visit.session.learn.panel.refused[0]


def test_a_lesson_of_another_bundle_opens_its_page(visit, monkeypatch):
    went = []
    monkeypatch.setattr(visit.session.learn, "_go", lambda key, query: went.append((key, query)))
    before = visit.session.state.snapshot()
    visit.send(type="lesson", value="reanalysis-with-pressure")
    assert went[0][0] == "real"
    assert went[0][1].endswith("lesson=reanalysis-with-pressure")
    assert visit.session.state.snapshot() == before


def test_sheets_are_printed_with_answers_or_without(visit):
    panel, sent = visit.session.learn.panel, []
    panel._send_msg = sent.append
    visit.send(type="lesson-sheet", lesson="mine", answers=False)
    assert "Name" in sent[0]["html"]
    visit.send(type="lesson-sheet", lesson="mine", answers=True)
    visit.settle(lambda _: len(sent) > 1)
    assert "It was the" in sent[1]["html"]
    assert "3 answers computed" in visit.status

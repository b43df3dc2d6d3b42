"""A lesson as a file."""

import math

import pytest

from app.learn.lesson import LessonError, name_of, read, split_body


def test_a_header_is_read_and_a_text_is_cut_at_its_headings(text):
    lesson = read(text, "20-mine.md")
    assert (lesson.name, lesson.title, len(lesson.questions)) == ("mine", "Mine", 3)
    first, second, third = lesson.questions
    assert first.heading == "One"
    # What is written as HTML is shown as text.
    assert first.text == "<p>Look at <em>the maps</em> &lt;b&gt;now&lt;/b&gt;.</p>\n"
    assert "<strong>month</strong>" in first.explanation
    assert first.then.startswith("month=1998-01")
    assert [(c.low, c.high) for c in first.choices] == [(-math.inf, 0), (0, math.inf)]
    assert (first.check.how, first.check.asked.variable) == ("change", "psl")
    assert (second.kind, second.within, second.choices) == ("number", 0.1, ())
    assert [c.check.asked.number for c in third.choices] == [1, 2]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("title: Mine", "titel: Mine", "line 2, titel: there is no such key; choose one of title"),
        ("title: Mine", "title: 3", "line 2, title: must be text; put it in quotes"),
        ("title: Mine", "title: [", "is no YAML"),
        ("title: Mine", "about: x", "line 3 says 'about' a second time"),
        ("    ask: What will the pressure do?\n", "", "questions.1: lacks 'ask'"),
        ("answer: choice", "answer: maybe", "line 8, questions.1.answer: cannot be 'maybe'"),
        ("Rise, from: 0", "Rise, from: 1", "leave a gap or overlap"),
        ("Rise, from: 0", "Rise, from: some", "choices.2.from: .*number"),
        ("quantity: mean", "quantity: median", "questions.1.check: there is no quantity 'median'"),
        ("variable: psl, ", "", "questions.1.check: 'mean' lacks 'variable'"),
        ("as: change", "as: sum", "check.as: cannot be 'sum'"),
        ("explains: 1", "explains: 3", "number of a choice, 1 to 2"),
        ("    within: 0.1\n", "", "questions.2: lacks 'within'"),
        ("within: 0.1", "within: 0", "must be above 0"),
        ("within: 0.1", "within: 0.1\n    choices: [a, b]", "a number has none"),
        ("state: month=1997-12", "state: 1997-12", "is no link of the page"),
        ("app?month=1998-01", "app?bundle=real&month=1998-01", "another bundle than 'state'"),
        ("## Two\n", "", "3 questions in its header and 2 headings"),
        ("## Two\n### So\n", "## Two\n", "has no '### ' under '## Two'"),
        ("number: 2}", "number: 0}", "choices.2: 'number' is 0; count from 1"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_line(text, old, new, words):
    assert old in text
    with pytest.raises(LessonError, match=words) as refused:
        read(text.replace(old, new, 1), "20-mine.md")
    assert "20-mine.md" in str(refused.value)


def test_a_change_needs_two_states(text):
    lines = [line for line in text.splitlines() if "then:" not in line]
    with pytest.raises(LessonError, match="add 'then' to the question"):
        read("\n".join(lines), "20-mine.md")


@pytest.mark.parametrize("bad", ["", "# No header\n", "x\n---\ntitle: a\n---\n"])
def test_a_file_without_a_header_is_no_lesson(bad):
    with pytest.raises(LessonError, match="has no header"):
        read(bad, "bad.md")


def test_a_name_is_what_a_link_can_say(text):
    assert name_of("07-a-b") == "a-b"
    assert name_of("list") == name_of("11-ten-stations") == ""
    with pytest.raises(LessonError, match="cannot have that name in links"):
        read(text, "My lesson.md")


def test_nothing_of_a_text_runs_or_asks_the_network():
    ((_, shown, _),) = split_body("## A\n![x](http://a.b/c.png) [y](javascript:alert(1))\n### B\n")
    assert "<img" not in shown
    assert "<a " not in shown.replace('<a href="http://a.b/c.png"', "")
    assert 'href="javascript' not in shown

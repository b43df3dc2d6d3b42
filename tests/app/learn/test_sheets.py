"""Sheets to print."""

from app.learn import sheets
from app.learn.checking import Found
from app.learn.lesson import read


def test_a_worksheet_has_room_and_no_answer(text):
    lesson = read(text.replace("title: Mine", "title: A < B"), "mine.md")
    page = sheets.worksheet([lesson])
    assert "A &lt; B" in page
    assert "?lesson=mine.2" in page
    assert page.count('class="ask"') == 3
    assert "My number" in page
    assert "It was the" not in page


def test_a_teachers_sheet_has_what_was_computed(text):
    lesson = read(text, "mine.md")
    first, second, third = lesson.questions
    found = {
        first: Found(-1.0, "−1.0 hPa", "hPa", 0, (("Pressure", "1 → 0 hPa"),), True),
        second: Found(0.5, "0.50", "", None, (("Latent", "0.50"),), False),
        third: "The bundle is gone.",
    }
    page = sheets.answers([lesson], found)
    assert "<b>Fall</b>" in page
    assert "<b>0.50</b>" in page
    assert "It was the" in page
    assert page.count(sheets.OTHERWISE.split(";", maxsplit=1)[0].replace("'", "&#x27;")) == 1
    assert "The bundle is gone." in page

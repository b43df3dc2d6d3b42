"""Tables are put between the marks of their name, and nothing else of a page changes."""

from __future__ import annotations

import importlib.util

import pytest

PAGE = "# Page\n<!-- a:begin -->\nold\n<!-- a:end -->\nWords.\n<!-- b:begin -->\n<!-- b:end -->\n"


@pytest.fixture(scope="module")
def marks(repo_root):
    found = importlib.util.spec_from_file_location("marks", repo_root / "tools" / "marks.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_only_what_stands_between_the_marks_of_the_name_changes(marks, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    marks.write(page, "a", "| ä |\n|---|")
    made = page.read_text(encoding="utf-8")
    assert made == PAGE.replace("old", "| ä |\n|---|")
    marks.write(page, "a", "old")
    assert page.read_text(encoding="utf-8") == PAGE


@pytest.mark.parametrize(
    "page",
    [
        PAGE.replace("<!-- a:begin -->", ""),
        PAGE.replace("<!-- a:end -->", ""),
        PAGE + "<!-- a:begin -->",
        "<!-- a:end --><!-- a:begin -->",
    ],
)
def test_a_page_without_the_marks_is_refused(marks, page):
    with pytest.raises(SystemExit, match="<!-- a:begin -->"):
        marks.put(page, "a", "new")

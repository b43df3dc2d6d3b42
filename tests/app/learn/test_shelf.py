"""The lessons that there are."""

import os

import pytest

from app.learn.shelf import full_link, game_link, key_of, link_to, shelf


def test_ten_ship_and_all_can_be_read(monkeypatch):
    monkeypatch.delenv("MLDA_LESSONS", raising=False)
    found = shelf()
    assert found.refused == ()
    assert len(found.lessons) == 10
    assert next(iter(found.lessons)) == "latent-number"
    # Each says what its text explains, so that the page can tell where it came out otherwise.
    assert all(q.explains for lesson in found.lessons.values() for q in lesson.questions)


def test_ones_own_come_along_and_a_bad_one_leaves_the_others(own, text):
    (own / "30-bad.md").write_text("---\ntitle: 3\n---\n", encoding="utf-8")
    (own / "99-latent-number.md").write_text(text, encoding="utf-8")
    (own / "31-latin.md").write_bytes(b"---\ntitle: \xe9")
    found = shelf()
    assert list(found.lessons)[-2:] == ["mine", "latent-number"]
    # In the place of its namesake.
    assert found.lessons["latent-number"].title == "Mine"
    assert len(found.lessons) == 11
    bad, latin = found.refused
    assert "30-bad.md, line 2, title" in bad
    assert "31-latin.md is no UTF-8 text" in latin


def test_a_file_that_changed_is_read_anew(own, text):
    assert shelf().lessons["mine"].title == "Mine"
    path = own / "20-mine.md"
    path.write_text(text.replace("title: Mine", "title: Ours"), encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert shelf().lessons["mine"].title == "Ours"


@pytest.mark.parametrize(("make", "words"), [(False, "is no folder"), (True, "holds no .md file")])
def test_a_folder_that_is_none_is_said(tmp_path, monkeypatch, make, words):
    folder = tmp_path / "lessons"
    if make:
        folder.mkdir()
    monkeypatch.setenv("MLDA_LESSONS", str(folder))
    found = shelf()
    assert len(found.lessons) == 10
    assert words in found.refused[0]


def test_a_link_to_a_lesson_alone_is_one_to_its_state(own):
    assert own.is_dir()
    lesson, index = shelf().find("mine.2")
    assert key_of(lesson, index) == "mine.2"
    assert full_link("?lesson=mine.2&theme=dark") == f"{link_to(lesson, index)}&theme=dark"
    # A state of one's own stays, and what is no lesson is left to be refused.
    for query in ("?month=1997-12&lesson=mine", "?lesson=nothing", "?lesson=mine.9", "", "?x=1"):
        assert full_link(query) == query


def test_a_link_to_the_game_alone_is_one_to_its_first_state(tiny, cycled):
    assert game_link(tiny) == "month=1998-07&network=none&lesson=ten-stations"
    bare = "?lesson=ten-stations"
    # Before a bundle is open nobody knows its months.
    assert full_link(bare) == bare
    assert full_link(f"{bare}&theme=dark", tiny) == f"{game_link(tiny)}&theme=dark"
    assert full_link(f"{bare}&month=1997-05", tiny) == f"{bare}&month=1997-05"
    # Where it cannot be played the link stays as it is, and the page says why.
    assert full_link(bare, cycled) == bare

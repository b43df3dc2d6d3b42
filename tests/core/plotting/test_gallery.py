"""The gallery shows what its lines draw."""

import re
import sys

import pytest
from PIL import Image


@pytest.fixture
def page(repo_root):
    return (repo_root / "docs" / "gallery.md").read_text()


def test_each_picture_is_saved_by_a_block_and_shown(page, repo_root):
    saved = re.findall(r'"([\w-]+\.png)"', page)
    shown = re.findall(r"!\[[^\]]+\]\(images/gallery/([\w-]+\.png)\)", page)
    assert saved == shown
    folder = repo_root / "docs" / "images" / "gallery"
    assert {path.name for path in folder.iterdir()} == set(shown)


def test_the_pictures_are_small_and_sound(repo_root):
    paths = list((repo_root / "docs" / "images" / "gallery").glob("*.png"))
    assert sum(path.stat().st_size for path in paths) < 1_500_000
    for path in paths:
        with Image.open(path) as picture:
            assert picture.width <= 1500
            assert len(picture.convert("RGB").getcolors(10**7)) > 10


def test_the_tool_runs_every_block(page, repo_root, monkeypatch):
    monkeypatch.syspath_prepend(repo_root / "tools")
    sys.modules.pop("gallery", None)
    import gallery

    program = gallery.program(page)
    assert program.count("save(") == page.count("save(")
    compile(program, "gallery", "exec")

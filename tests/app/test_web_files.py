"""The page's modules as the browser gets them: each joined with those that it imports."""

import re

import pytest

from app import web_files
from app.web_files import WEB, read, read_module

COMPONENTS = sorted(
    path.name for path in WEB.glob("*.js") if "export function render" in path.read_text()
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(web_files, "WEB", tmp_path)
    read.cache_clear()
    read_module.cache_clear()
    yield tmp_path
    read.cache_clear()
    read_module.cache_clear()


def write(folder, **modules):
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text)


def test_a_module_comes_after_those_that_it_imports_and_each_once(folder):
    write(
        folder,
        low="export const low = 1\n",
        left='import { low } from "./low.js"\nexport const left = low\n',
        right='import { low } from "./low.js"\nexport function right() { return low }\n',
        top='import { left } from "./left.js"\nimport { right } from "./right.js"\n'
        "export const render = () => left + right()\n",
    )
    text = read_module("top.js")
    assert "import" not in text
    assert text.count("const low = 1") == 1
    assert text.index("const low") < text.index("const left") < text.index("function right")
    # What the page calls stays exported, and nothing else.
    assert re.findall(r"export \w+ \w+", text) == ["export const render"]


def test_words_that_only_look_like_imports_stay(folder):
    write(
        folder,
        low="export const low = 1\nconst text = 'export const'\n",
        top='import { low } from "./low.js"\n// import { x } from "./y.js" would be one\n'
        "export const render = low\n",
    )
    text = read_module("top.js")
    assert "// import { x }" in text
    assert "'export const'" in text


def test_modules_that_import_each_other_are_named(folder):
    write(
        folder,
        a='import { b } from "./b.js"\nexport const a = 1\n',
        b='import { a } from "./a.js"\nexport const b = 1\n',
    )
    with pytest.raises(ValueError, match=r"each other: a\.js -> b\.js -> a\.js"):
        read_module("a.js")


@pytest.mark.parametrize("name", COMPONENTS)
def test_no_two_modules_of_a_component_use_one_name(name):
    text = read_module(name)
    assert "import {" not in text
    names = re.findall(r"^(?:export )?(?:const|let|function|class) (\w+)", text, re.MULTILINE)
    assert "render" in names
    assert len(names) == len(set(names))


def test_components_are_those_of_the_page():
    assert {"amount.js", "bar.js", "explore.js", "members.js", "perturb_gestures.js"} <= set(
        COMPONENTS
    )

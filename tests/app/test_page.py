"""The page's template and its source: what they name, there is."""

import ast
import importlib
import re

import jinja2.meta
import pytest


def variables_of(repo_root):
    """Return the names that app/page.py gives the page's template, panels aside."""
    tree = ast.parse((repo_root / "app" / "page.py").read_text())
    serve = next(n for n in tree.body if getattr(n, "name", "") == "serve")
    calls = [n for n in ast.walk(serve) if isinstance(n, ast.Call)]
    return {
        call.args[0].value for call in calls if getattr(call.func, "attr", "") == "add_variable"
    }


def test_the_template_uses_what_the_page_gives_it(repo_root):
    template = (repo_root / "app" / "web" / "page.html").read_text()
    used = jinja2.meta.find_undeclared_variables(
        jinja2.Environment(autoescape=True).parse(template)
    )
    given = variables_of(repo_root)
    assert given >= {"variables", "labels", "theme"}
    assert given <= used


def references(repo_root):
    """Return what the sources of the page call by its whole name in backticks, by file."""
    found = set()
    for file in sorted((repo_root / "app").rglob("*.py")):
        for name in re.findall(r"`((?:app|mlda_core)\.[\w.]+)`", file.read_text()):
            found.add((str(file.relative_to(repo_root)), name))
    return sorted(found)


def exists(name):
    """Whether a dotted name is a module or something in one."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        for part in parts[n:]:
            found = getattr(found, part, None)
        return found is not None
    return False


def test_what_docstrings_name_exists(repo_root):
    named = references(repo_root)
    assert len(named) > 10
    assert [pair for pair in named if not exists(pair[1])] == []


@pytest.mark.parametrize("name", ["app.state.snapshot.MODELS", "app.nothing", "nothing.at_all"])
def test_a_name_that_is_gone_is_told(name):
    assert not exists(name)

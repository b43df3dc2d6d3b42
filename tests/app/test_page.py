"""The page's template and its source: what they name, there is."""

import ast
import importlib
import re

import jinja2
import jinja2.meta
import pytest

from app.maps.projections import choices_of
from app.page import TOGETHER, Greeting
from mlda_core.climate.time_step import MONTH

# What fills the template.
WRITE = {"serve", "_write_words", "_write_guide"}


def variables_of(repo_root):
    """Return the names that app/page.py gives the page's template, panels aside."""
    tree = ast.parse((repo_root / "app" / "page.py").read_text())
    filling = [n for n in tree.body if getattr(n, "name", "") in WRITE]
    calls = [n for part in filling for n in ast.walk(part) if isinstance(n, ast.Call)]
    return {
        call.args[0].value for call in calls if getattr(call.func, "attr", "") == "add_variable"
    }


def test_the_template_uses_what_the_page_gives_it(repo_root):
    web = repo_root / "app" / "web"
    names = ("page.html", "bar.html", "guide.html", "continue.html", "share.html")
    template = "".join((web / name).read_text() for name in names)
    used = jinja2.meta.find_undeclared_variables(
        jinja2.Environment(autoescape=True).parse(template)
    )
    given = variables_of(repo_root)
    assert given >= {"variables", "labels", "theme"}
    assert given <= used


def test_the_bar_offers_what_there_is_and_shows_titles_as_they_are(repo_root, tiny):
    class Titled:
        title, n_latent, months = "R&D: <b>", 3, ("1997-12", "1999-01")

    text = (repo_root / "app" / "web" / "bar.html").read_text() + "{{ bar() }}"
    # As `panel.Template` renders it: what is not escaped there reaches the page as it is.
    html = jinja2.Template(text).render(
        bundle=Titled,
        short_title="R&D",
        bundles=[["one", "One", "1997"], ["two", 'Two "<i>"', "1999"]],
        bundle_key="two",
        years={"1997": "ttttttttttTT", "1999": "t-----------"},
        step=MONTH,
        month_names=["January", "February"],
        curve=("M0,16Z", "M0,17Z"),
        curve_words="a < b",
        projections=choices_of(tiny.grid),
    )
    assert 'title="R&amp;D: &lt;b&gt;: 3 latents, 2 months. Choose another here."' in html
    assert '<option value="two" selected>Two &#34;&lt;i&gt;&#34;: 1999</option>' in html
    assert html.count("selected") == 1
    assert re.findall(r'title="(\d+): test"', html) == ["1997"]
    assert 'min="1997" max="1999"' in html
    assert "<i>" not in html
    for choice in choices_of(tiny.grid):
        assert f'<option value="{choice.key}">' in html


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


@pytest.mark.parametrize(
    "name", ["mlda_core.page_state.snapshot.MODELS", "app.nothing", "nothing.at_all"]
)
def test_a_name_that_is_gone_is_told(name):
    assert not exists(name)


def test_of_those_who_come_together_one_sees_the_first_analysis_form():
    now = [1000.0]
    greeting = Greeting(lambda: now[0])
    assert greeting.comes()
    for _ in range(3):
        now[0] += 0.9 * TOGETHER
        assert not greeting.comes()
    now[0] += 1.1 * TOGETHER
    assert greeting.comes()

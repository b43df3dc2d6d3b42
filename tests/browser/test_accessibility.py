"""Accessibility: what axe-core finds against WCAG 2.2, A and AA, in every tool and on a phone."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
# Tabulator's grid holds a frame that scrolls. That of the observations is mended by table.js.
TABULATOR = ("aria-required-children", "pnx-tabulator")
FEW = "?tool=observe&model=analysis&network=historical"


def found(page):
    """Return the rules that are broken, each with the elements that break it."""
    violations = Axe().run(page, options=RULES).response["violations"]
    in_foot = page.locator("footer .pnx-tabulator").count() > 0
    return [
        (violation["id"], node["html"][:200], node["failureSummary"])
        for violation in violations
        for node in violation["nodes"]
        if not (in_foot and violation["id"] == TABULATOR[0] and TABULATOR[1] in node["html"])
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_tool_passes(visit, theme):
    visitor = visit(f"{FEW}&theme={theme}")
    page = visitor.page
    assert found(page) == []
    for tool in ("Explore", "Perturb", "Learn"):
        page.get_by_role("tab", name=tool).click()
        visitor.settle()
        assert found(page) == [], tool


def test_results_help_and_an_enlarged_map_pass(visit):
    visitor = visit(FEW)
    page = visitor.page
    for name in ("Verification", "Series", "Ranks", "Densities", "Members"):
        page.locator("footer label").filter(has_text=re.compile(f"^{name}$")).click()
    visitor.settle()
    assert found(page) == []
    page.get_by_role("button", name="Enlarge Sea-level pressure").click()
    visitor.settle()
    assert found(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.locator("#guide").wait_for()
    assert found(page) == []


def test_what_was_refused_and_a_phone_pass(visit):
    visitor = visit("?month=1850-01", width=400, height=800)
    visitor.says("1850-01")
    assert found(visitor.page) == []


def test_a_presentation_passes(visit):
    assert found(visit("?present=maps", width=1280, height=720).page) == []

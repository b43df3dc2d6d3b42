"""A pinned state in a real Chromium: it stays while the model goes on; a link shows the same."""

from urllib.parse import urlparse

import pytest
from playwright.sync_api import expect

# One page of the bundle: in one process of pytest-xdist.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("speedy")]

VARIABLES = ("psl", "tos", "tas", "pr")


def panes(kind):
    return {f"{name} {kind}" for name in VARIABLES}


def test_a_pinned_state_stays_beside_the_model(revisit, visit):
    visitor = revisit("?month=1998-01")
    page = visitor.page
    page.get_by_role("button", name="Pin", exact=True).click()
    visitor.says("Pinned: code, 1998-01. It stays beside the model while that goes on.")
    visitor.settle()
    beside = page.get_by_label("What stands beside the model")
    expect(beside).to_have_value("Pinned state")
    assert "1998-01, code" in visitor.text(".row.heads .first")
    before = visitor.pixels()
    visitor.number(0).fill("3")
    visitor.number(0).press("Enter")
    visitor.until_changed(before, panes("model") | panes("scatter"))
    assert not visitor.changed(before) & panes("target")
    assert "pinned state" in visitor.text(".against .usual")
    # The difference has its own scale, both ways of zero, and says its sign.
    moved = visitor.pixels()
    shows = page.get_by_label("What the model column shows")
    shows.select_option("Model \N{MINUS SIGN} pinned state")
    visitor.until_changed(moved, panes("model"))
    assert not visitor.changed(moved) & panes("target")
    key = page.locator("[data-variable=psl] .map.model [role=img]")
    expect(key).to_have_attribute(
        "aria-label", "model \N{MINUS SIGN} pinned state: \N{MINUS SIGN}12 to +12 hPa"
    )
    shown = visitor.pixels()
    query = "?" + urlparse(page.url).query
    assert "pin=month" in query
    second = visit(query)
    second.until_back(shown)
    # On a phone too the list and the button stand over the first map.
    second.page.set_viewport_size({"width": 400, "height": 800})
    second.page.get_by_role("button", name="First map").click()
    expect(second.page.get_by_label("What stands beside the model")).to_be_visible()
    expect(second.page.get_by_role("button", name="Unpin", exact=True)).to_be_visible()
    page.get_by_role("button", name="Unpin", exact=True).click()
    visitor.says("Unpinned. Undo brings it back.")
    expect(beside).to_have_value("Target")
    visitor.until_changed(shown, panes("target") | panes("scatter"))
    page.locator("#undo").click()
    visitor.until_back(shown)

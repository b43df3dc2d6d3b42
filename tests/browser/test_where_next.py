"""Where next, an observation's card, densities and members in a real Chromium."""

import numpy as np
import pytest
from playwright.sync_api import expect

from app.maps.projections import to_map

pytestmark = pytest.mark.browser

FEW = "?tool=observe&model=analysis&network=stations&stations=20"
LONG = 90_000


def pixel(visitor, variable, lat, lon, kind="model"):
    """Return where on the screen a place lies."""
    box = visitor.page.locator(f"[data-variable={variable}] .map.{kind}").bounding_box()
    x, y = to_map("robinson", np.array([float(lon)]), np.array([float(lat)]))
    return (
        box["x"] + (float(x[0]) + 2) / 4 * box["width"],
        box["y"] + (1 - float(y[0])) / 2 * box["height"],
    )


def count(visitor):
    return int(visitor.page.locator(".counts").inner_text().split()[0].replace(",", ""))


def counts(visitor, number):
    """Wait until there are so many observations."""
    expect(visitor.page.locator(".counts")).to_contain_text(f"{number} observation", timeout=LONG)


def test_the_best_are_placed_by_a_press_and_the_promise_is_said(visit):
    visitor = visit(f"{FEW}&nextof=tos&nextin=nino34")
    page = visitor.page
    expect(page.get_by_role("button", name="Place the best", exact=True)).to_be_hidden()
    before = visitor.pixels()
    page.locator(".shows-column select").select_option("Where next?")
    # Every row has its map.
    visitor.until_changed(before, {f"{v} model" for v in ("psl", "tos", "tas", "pr")}, limit=90)
    expect(page.get_by_text("with the best 10.")).to_be_visible(timeout=LONG)
    drawn, many = visitor.pixels(), count(visitor)
    page.get_by_role("button", name="Place the best 10").click()
    visitor.says("Placed")
    counts(visitor, many + 10)
    expect(page.get_by_text("Promised by 10 observations")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("Now: spread")).to_be_visible(timeout=LONG)
    visitor.until_changed(drawn, {"tos target", "tos model"}, limit=90)
    page.get_by_text("Verification", exact=True).click()
    expect(page.locator("footer").get_by_text("Promised by 10 observations")).to_be_visible(
        timeout=LONG
    )
    page.locator("#undo").click()
    expect(page.get_by_text("Promised by 10 observations").first).to_be_hidden(timeout=LONG)
    counts(visitor, many)


def test_a_box_is_drawn_for_where_next(visit):
    visitor = visit(f"{FEW}&column=next&live=1")
    page = visitor.page
    page.get_by_role("button", name="Draw", exact=True).click()
    # The server answers which drag it waits for.
    visitor.says("Drag a box")
    visitor.settle()
    page.mouse.move(*pixel(visitor, "psl", 40, 300))
    page.mouse.down()
    page.mouse.move(*pixel(visitor, "psl", 60, 330), steps=6)
    page.mouse.up()
    visitor.says("Asked about")
    # The network itself is not confined, and a click observes again.
    visitor.asks(nextin="box", box=None)
    many = count(visitor)
    page.mouse.click(*pixel(visitor, "psl", 0, 200))
    visitor.says("Observed")
    counts(visitor, many + 1)


def test_a_marker_asked_about_opens_its_card_and_is_not_withheld(visit):
    visitor = visit(f"{FEW}&network=none")
    page = visitor.page
    page.mouse.click(*pixel(visitor, "tas", 0, 230))
    page.wait_for_selector("text=converged in", timeout=LONG)
    page.get_by_role("radio", name="Ask").click()
    page.mouse.click(*pixel(visitor, "tas", 0, 230))
    card = page.locator("#tools .sentence")
    expect(card).to_be_visible(timeout=LONG)
    assert "withheld" not in page.locator(".counts").inner_text()
    assert "so it moves the analysis" in card.inner_text()
    # Dragging does not move it in this mode.
    page.mouse.move(*pixel(visitor, "tas", 0, 230))
    page.mouse.down()
    page.mouse.move(*pixel(visitor, "tas", 20, 200), steps=5)
    page.mouse.up()
    visitor.settle()
    counts(visitor, 1)
    page.get_by_role("button", name="Close").click()
    expect(card).to_be_hidden()
    # By the keyboard, in the table.
    cell = page.locator(".listing .tabulator-row .tabulator-cell[tabulator-field=value]").first
    cell.focus()
    page.keyboard.press("Space")
    expect(card).to_be_visible(timeout=LONG)


def test_a_free_place_asked_about_shows_its_densities(visit):
    visitor = visit(FEW)
    page = visitor.page
    page.wait_for_selector("text=converged in", timeout=LONG)
    many = count(visitor)
    page.get_by_role("radio", name="Ask").click()
    page.mouse.click(*pixel(visitor, "tos", 0, 215))
    foot = page.locator("footer")
    words = foot.get_by_text("before,")
    expect(words).to_be_visible(timeout=LONG)
    expect(words).to_contain_text("target")
    counts(visitor, many)
    foot.get_by_role("radio", name="Region").click()
    expect(foot.get_by_text("Globe:")).to_be_visible(timeout=LONG)


def test_all_members_are_seen_and_a_stamp_shows_one(visit):
    visitor = visit(FEW)
    page = visitor.page
    page.wait_for_selector("text=converged in", timeout=LONG)
    page.get_by_text("Members", exact=True).click()
    foot = page.locator("footer")
    expect(foot.get_by_text("50 members")).to_be_visible(timeout=LONG)
    visitor.settle()
    box = foot.locator("canvas").first.bounding_box()
    # Just right of the middle: the sixth of ten in the third of five rows.
    page.mouse.click(box["x"] + 0.5 * box["width"] + 5, box["y"] + 0.5 * box["height"])
    visitor.says("Member 26.")
    expect(page.locator(".shows-column select")).to_have_value("Member")
    foot.get_by_role("button", name="Flip the two that differ most").click()
    visitor.says("differ most")
    first = page.locator(".members output").inner_text()
    foot.get_by_role("button", name="Flip the two that differ most").click()
    expect(page.locator(".members output")).not_to_have_text(first, timeout=LONG)
    foot.get_by_role("radio", name="Spaghetti").click()
    expect(foot.get_by_text("50 members by Laplace (thin)")).to_be_visible(timeout=LONG)
    expect(foot.locator(".members canvas:visible").first).to_be_visible(timeout=LONG)
    page.locator(".shows-column select").select_option("Probability")
    page.locator(".event select").select_option("Above …")
    threshold = page.locator(".threshold input")
    expect(threshold).to_be_visible()
    shown = visitor.pixels()
    threshold.fill("-1.5")
    threshold.press("Enter")
    visitor.until_changed(shown, {"psl model", "tas model"})
    visitor.asks(threshold="-1.5")

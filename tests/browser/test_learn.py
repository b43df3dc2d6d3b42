"""Lessons: opened by a link, answered, computed, printed; progress stays in the browser."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_lesson_asks_before_it_shows_and_remembers(visit):
    visitor = visit("?lesson=latent-number", first=True)
    page = visitor.page
    card = page.locator("#tool-learn")
    expect(page.get_by_role("tab", name="Learn")).to_have_attribute("aria-selected", "true")
    expect(card).to_contain_text("One number moves")
    expect(card).not_to_contain_text("A pattern, not a place")
    before = visitor.pixels(".map.model")
    # By the keyboard, which then stands at the result.
    card.get_by_role("button", name="A wide pattern").press("Enter")
    expect(card.locator(".verdict")).to_contain_text("As you said")
    expect(card).to_contain_text("A pattern, not a place")
    expect(card.locator("dd").first).to_contain_text("%")
    expect(card.locator(".outcome")).to_be_focused()
    visitor.until_drawn(before)
    card.get_by_role("button", name="Before").click()
    visitor.until_back(before, ".map.model")
    # The visitor's own state is behind the lesson's.
    page.get_by_role("button", name="Next month").click()
    visitor.asks(month="1998-01", lesson="latent-number")
    for name in ("Before", "After"):
        expect(card.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "false")
    card.get_by_role("button", name="Next question").click()
    visitor.asks(month="1997-12", lesson="latent-number.2")
    page.locator("#undo").click()
    visitor.asks(month="1998-01", lesson="latent-number.2")
    page.reload()
    page.wait_for_selector("html[data-listens]", timeout=120_000)
    expect(card.get_by_role("button", name="Question 1, answered right")).to_be_visible()
    expect(card.get_by_role("button", name="Question 2, not answered yet")).to_be_visible()
    card.get_by_role("button", name="Lessons").click()
    expect(card.get_by_label("1 of 3 answered")).to_be_visible()


def test_a_worksheet_prints_alone_and_without_answers(visit):
    visitor = visit("?lesson=error-against-prior", first=True, width=390, height=844)
    page = visitor.page
    card = page.locator("#tool-learn")
    # On a phone the link opens the sheet of tools.
    expect(card).to_contain_text("hPa")
    page.evaluate("window.print = () => { window.printed = true }")
    card.get_by_role("button", name="Worksheet").click()
    page.wait_for_function("window.printed")
    page.emulate_media(media="print")
    paper = page.locator("#worksheet")
    expect(paper).to_be_visible()
    expect(paper).to_contain_text("As good as the background")
    expect(paper).not_to_contain_text("Half way")
    expect(page.locator("#maps")).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(page.locator("#maps")).to_be_visible()
    card.get_by_label("My number").fill("much")
    card.get_by_role("button", name="Answer", exact=True).click()
    visitor.says("the answer")

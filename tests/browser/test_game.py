"""The game of ten stations: placed by clicks, scored, told in a table, remembered."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

# Within a map of the globe, as shares of its box.
TEN = [
    *((0.15, 0.4), (0.3, 0.3), (0.45, 0.2), (0.5, 0.5), (0.62, 0.25)),
    *((0.7, 0.5), (0.8, 0.35), (0.4, 0.75), (0.6, 0.8), (0.85, 0.6)),
]


def test_ten_stations_are_placed_by_clicks_scored_and_remembered(visit):
    visitor = visit("?lesson=list", first=True)
    page = visitor.page
    card = page.locator("#tool-learn")
    card.get_by_role("button", name="Game: ten stations").click()
    visitor.asks(lesson="ten-stations", network="none", month="2004-01")
    expect(card.get_by_text("0 of 10 placed")).to_be_visible()
    # The list of lessons stands no more.
    expect(card.get_by_role("button", name="One observation")).to_be_hidden()
    score = card.get_by_role("button", name="Score it")
    score.click()
    visitor.says("There are 0 of 10 stations; place 10 more, then score.")
    box = page.locator("section[data-variable=psl] .map.model").bounding_box()
    for i, (x, y) in enumerate(TEN, 1):
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        expect(card.get_by_text(f"{i} of 10 placed")).to_be_visible()
    score.click()
    expect(card.get_by_role("progressbar")).to_be_visible()
    table = card.get_by_role("table")
    expect(table).to_be_visible(timeout=240_000)
    expect(table.get_by_role("row")).to_have_count(6)
    expect(card.locator(".verdict")).to_contain_text("of 20 draws")
    own = table.get_by_role("row").last.locator(".own").inner_text()
    expect(card.locator(".rounds")).to_contain_text(f"1 round: mean {own}")
    card.get_by_role("button", name="Show me that month").click()
    expect(card).to_contain_text("The page shows the month that was scored")
    page.reload()
    page.wait_for_selector("html[data-listens]", timeout=120_000)
    expect(card.locator(".rounds")).to_contain_text(f"1 round: mean {own}")
    expect(card.get_by_text("10 of 10 placed")).to_be_visible()
    card.get_by_role("button", name="Start again").click()
    expect(card.get_by_text("0 of 10 placed")).to_be_visible()
    expect(card.locator(".rounds")).to_have_count(0)

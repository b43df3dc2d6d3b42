"""The page in the frame that a notebook shows."""

import pytest
from playwright.sync_api import expect

from app import mlda_app

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_notebooks_frame_shows_the_page(browser, speedy):
    frame = mlda_app(speedy, "?tool=explore&model=code&network=none&month=1998-01", height=600)
    page = browser.new_page()
    try:
        page.set_content(f"<h1>A notebook</h1>{frame._repr_html_()}", wait_until="commit")
        shown = page.frame_locator("iframe")
        expect(shown.locator("html[data-listens]")).to_be_attached(timeout=120_000)
        expect(shown.locator(".when .month")).to_have_text("January 1998")
        shown.locator("#next").click()
        expect(shown.locator(".when .month")).to_have_text("February 1998")
    finally:
        page.close()
        frame.close()

"""The program that the page hands over, in the browser."""

import json

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_program_is_shown_copied_and_taken_along_as_a_notebook(visit, tmp_path):
    page = visit("?tool=explore&model=code&network=none&month=1998-01").page
    page.locator("#python").click()
    dialog = page.locator("#continue")
    expect(dialog).to_be_visible()
    expect(dialog.locator(".program")).to_contain_text('month = "1998-01"')
    expect(dialog.locator(".beyond li")).to_contain_text("decoded in Python")
    expect(dialog.locator(".commands")).to_be_hidden()
    with page.expect_download() as caught:
        dialog.locator("[data-notebook]").click()
    assert caught.value.suggested_filename == "mlda-1998-01.ipynb"
    caught.value.save_as(tmp_path / "made.ipynb")
    cells = json.loads((tmp_path / "made.ipynb").read_text())["cells"]
    assert "".join(cells[1]["source"]) == dialog.locator(".program").text_content().rstrip()
    dialog.locator("[data-copy=program]").click()
    expect(dialog.locator(".said")).to_have_text("Copied.")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()

"""Walks end by themselves and give way to everything else; one press of undo, one gesture."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def start_walk(visitor):
    """Start a walk and let it come a part of its way."""
    page = visitor.page
    page.locator("#from").fill("1997-12")
    page.locator("#to").fill("draw 7")
    page.locator("#walk").click()
    walking(visitor)
    expect(page.locator(".origin")).to_contain_text(re.compile(r"[1-9]\d* %"))


def walking(visitor, word="Stop"):
    expect(visitor.page.locator("#walk")).to_have_text(word)


def test_a_whole_walk_ends_at_its_end(visit):
    visitor = visit()
    start_walk(visitor)
    walking(visitor, "Walk")
    expect(visitor.page.locator(".origin")).to_contain_text("100 %")
    visitor.says("walk has ended")
    # Time in which a step too many would come.
    visitor.page.wait_for_timeout(500)
    assert not visitor.page.evaluate("document.documentElement.hasAttribute('data-busy')")
    visitor.page.locator("#undo").click()
    expect(visitor.page.locator("#encode")).to_have_attribute("aria-pressed", "true")
    expect(visitor.page.locator("#undo")).to_be_disabled()


def test_the_prior_mean_during_a_walk_stays(revisit):
    visitor = revisit()
    start_walk(visitor)
    visitor.page.locator("#prior").click()
    walking(visitor, "Walk")
    expect(visitor.page.locator(".origin")).to_contain_text("prior mean")
    # Time in which the walk's next step would come, were it not ended.
    visitor.page.wait_for_timeout(700)
    assert visitor.value(0) == 0.0
    expect(visitor.page.locator(".origin")).to_contain_text("prior mean")


def test_the_bar_ends_a_walk_too(revisit):
    visitor = revisit()
    first = visitor.pixels()
    start_walk(visitor)
    visitor.page.locator("#next").click()
    walking(visitor, "Walk")
    month = visitor.page.locator(".strip .month")
    expect(month).to_have_text("January 1998")
    visitor.settle()
    visitor.page.locator("#undo").click()
    expect(month).to_have_text("December 1997")
    expect(visitor.page.locator(".origin")).to_contain_text("walk from")
    visitor.page.locator("#undo").click()
    visitor.settle()
    assert visitor.pixels() == first
    start_walk(visitor)
    visitor.page.locator("#undo").click()
    walking(visitor, "Walk")
    visitor.settle()
    assert visitor.pixels() == first


def enter(visitor, text, k=0):
    visitor.number(k).fill(text)
    visitor.number(k).press("Enter")
    visitor.settle()


def test_a_number_that_cannot_be_is_refused_and_the_old_one_returns(visit):
    visitor = visit()
    before = visitor.number().input_value()
    first = visitor.pixels()
    for typed in ("20", "-8.5", "much", "", "1,2,3"):
        enter(visitor, typed)
        visitor.page.wait_for_selector(".status.failed")
        visitor.says("A latent must be a number from -8 to 8.")
        expect(visitor.number(), typed).to_have_value(before)
        assert visitor.pixels() == first, typed
        expect(visitor.page.locator("#undo"), typed).to_be_disabled()
        # The same again is refused again; sharing then clears the complaint.
        enter(visitor, typed)
        expect(visitor.number(), typed).to_have_value(before)
        visitor.page.locator("#share").click()
        visitor.page.locator("#shared[open]").wait_for()
        visitor.page.keyboard.press("Escape")
        expect(visitor.page.locator(".status.failed"), typed).to_have_count(0)


def test_a_decimal_comma_and_arrow_keys(revisit):
    visitor = revisit()
    number = visitor.number(2)
    expect(number).to_have_attribute("aria-label", "Value of latent 3")
    enter(visitor, "1,5", 2)
    expect(number).to_have_value("1.50")
    assert float(visitor.slider(2).input_value()) == pytest.approx(1.5)
    number.press("ArrowUp")
    number.press("ArrowUp")
    number.press("ArrowDown")
    expect(number).to_have_value("1.55")
    number.fill("-0,25")
    visitor.number(3).focus()
    expect(number).to_have_value("−0.25")
    expect(visitor.page.locator(".status.failed")).to_have_count(0)


def test_one_press_takes_a_draw_back_and_the_theme_is_no_step(visit):
    visitor = visit()
    before = visitor.number().input_value()
    visitor.page.locator("#theme").click()
    visitor.settle()
    expect(visitor.page.locator("#undo")).to_be_disabled()
    visitor.page.locator("#random").click()
    expect(visitor.number()).not_to_have_value(before)
    visitor.page.locator("#undo").click()
    expect(visitor.number()).to_have_value(before)
    expect(visitor.page.locator("#undo")).to_be_disabled()
    assert visitor.page.evaluate("document.documentElement.dataset.theme") == "dark"

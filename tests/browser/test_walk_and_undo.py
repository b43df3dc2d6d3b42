"""Walks end by themselves and give way to everything else; one press of undo, one gesture."""

import pytest

pytestmark = pytest.mark.browser


def start_walk(visitor):
    """Start a walk and let it come a part of its way."""
    page = visitor.page
    page.locator("#from").fill("1997-12")
    page.locator("#to").fill("draw 7")
    page.locator("#walk").click()
    walking(visitor)
    page.wait_for_timeout(1200)


def walking(visitor, word="Stop", timeout=20_000):
    visitor.page.locator("#walk", has_text=word).wait_for(timeout=timeout)


def test_a_whole_walk_ends_at_its_end(visit):
    visitor = visit()
    start_walk(visitor)
    walking(visitor, "Walk")
    visitor.settle()
    assert visitor.page.locator("#walk").inner_text() == "Walk"
    assert "100 %" in visitor.page.locator(".origin").inner_text()
    visitor.says("walk has ended")
    visitor.page.wait_for_timeout(500)
    assert not visitor.page.evaluate("document.documentElement.hasAttribute('data-busy')")
    visitor.page.locator("#undo").click()
    visitor.settle()
    assert visitor.page.locator("#encode").get_attribute("aria-pressed") == "true"
    assert visitor.page.locator("#undo").is_disabled()


def test_the_prior_mean_during_a_walk_stays(revisit):
    visitor = revisit()
    start_walk(visitor)
    visitor.page.locator("#prior").click()
    visitor.settle()
    assert visitor.page.locator("#walk").inner_text() == "Walk"
    visitor.page.wait_for_timeout(700)
    assert visitor.value(0) == 0.0
    assert "prior mean" in visitor.page.locator(".origin").inner_text()


def test_the_bar_ends_a_walk_too(revisit):
    visitor = revisit()
    first = visitor.pixels()
    start_walk(visitor)
    visitor.page.locator("#next").click()
    walking(visitor, "Walk", timeout=3000)
    visitor.settle()
    assert visitor.page.locator(".strip .month").inner_text() == "January 1998"
    visitor.page.locator("#undo").click()
    visitor.settle()
    assert visitor.page.locator(".strip .month").inner_text() == "December 1997"
    assert "walk from" in visitor.page.locator(".origin").inner_text()
    visitor.page.locator("#undo").click()
    visitor.settle()
    assert visitor.pixels() == first
    start_walk(visitor)
    visitor.page.locator("#undo").click()
    walking(visitor, "Walk", timeout=3000)
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
        assert visitor.number().input_value() == before, typed
        assert visitor.pixels() == first, typed
        assert visitor.page.locator("#undo").is_disabled(), typed
        # The same again is refused again; sharing then clears the complaint.
        enter(visitor, typed)
        assert visitor.number().input_value() == before, typed
        visitor.page.locator("#share").click()
        visitor.page.locator(".status", has_text="link").wait_for()
        assert not visitor.page.locator(".status.failed").count(), typed


def test_a_decimal_comma_and_arrow_keys(revisit):
    visitor = revisit()
    number = visitor.number(2)
    assert number.get_attribute("aria-label") == "Value of latent 3"
    enter(visitor, "1,5", 2)
    assert number.input_value() == "1.50"
    assert float(visitor.slider(2).input_value()) == pytest.approx(1.5)
    number.press("ArrowUp")
    number.press("ArrowUp")
    number.press("ArrowDown")
    visitor.settle()
    assert number.input_value() == "1.55"
    number.fill("-0,25")
    visitor.number(3).focus()
    visitor.settle()
    assert number.input_value() == "−0.25"
    assert not visitor.page.locator(".status.failed").count()


def test_one_press_takes_a_draw_back_and_the_theme_is_no_step(visit):
    visitor = visit()
    before = visitor.number().input_value()
    visitor.page.locator("#theme").click()
    visitor.settle()
    assert visitor.page.locator("#undo").is_disabled()
    visitor.page.locator("#random").click()
    visitor.settle()
    assert visitor.number().input_value() != before
    visitor.page.locator("#undo").click()
    visitor.settle()
    assert visitor.number().input_value() == before
    assert visitor.page.locator("#undo").is_disabled()
    assert visitor.page.evaluate("document.documentElement.dataset.theme") == "dark"

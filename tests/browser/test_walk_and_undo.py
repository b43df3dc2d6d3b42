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
    assert "walk has ended" in visitor.status()
    visitor.page.wait_for_timeout(500)
    assert not visitor.page.evaluate("document.documentElement.hasAttribute('data-busy')")
    visitor.page.locator("#undo").click()
    visitor.settle()
    assert visitor.page.locator("#encode").get_attribute("aria-pressed") == "true"
    assert visitor.page.locator("#undo").is_disabled()


def test_the_prior_mean_during_a_walk_stays(visit):
    visitor = visit()
    start_walk(visitor)
    visitor.page.locator("#prior").click()
    visitor.settle()
    assert visitor.page.locator("#walk").inner_text() == "Walk"
    visitor.page.wait_for_timeout(700)
    assert float(visitor.number(0).input_value()) == 0.0
    assert "prior mean" in visitor.page.locator(".origin").inner_text()


def test_the_bar_ends_a_walk_too(visit):
    visitor = visit()
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

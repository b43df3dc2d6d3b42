"""The floor that `make bench` holds the page to is a page of its own, which nobody else opens."""

import psutil
import pytest

pytestmark = pytest.mark.browser


def test_the_floor_answers_its_slider_in_every_pane(browser, benchmarks):
    serving, slider = benchmarks("serving"), benchmarks("slider")
    with serving.served(serving.free_port(), app=slider.FLOOR) as (url, process):
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(url)
        found = slider.measure(page, 2, psutil.Process(process.pid))
        page.close()
    assert found["panes"] == 8
    assert found["end_to_end_ms"]["p50"] > 0
    assert found["server_ms"]["p50"] > 0

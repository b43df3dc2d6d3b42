"""The tool Cycle in a browser: run, pause, step, back, another network, one observation."""

import re

import pytest
from cycled import make_cycled
from playwright.sync_api import expect

# One server of the days: in one process of pytest-xdist.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("cycled")]

OPEN = "?tool=cycle&month=1984-03-01&model=code"
BEGUN = "?tool=cycle&month=1984-03-03&model=code&cycle_from=1984-03-01&cycle_stations=30"


@pytest.fixture(scope="module")
def cycled(tmp_path_factory, serve):
    """The page with a bundle that can be cycled as its own."""
    return serve(MLDA_BUNDLE=str(make_cycled(tmp_path_factory.mktemp("cycled")).path))


def form(v):
    return v.page.locator("#tool-cycle")


def press(v, name):
    form(v).get_by_role("button", name=name, exact=True).click()


def day(v):
    return v.page.locator("b.month")


def test_a_run_plays_pauses_steps_and_goes_back(visit, cycled):
    v = visit(OPEN, url=cycled.url)
    before = v.pixels()
    press(v, "Run")
    # It runs on while the test looks.
    expect(form(v).get_by_text(re.compile(r"^([4-9]|\d\d) of 90 days$"))).to_be_visible()
    press(v, "Pause")
    v.says("The run is paused.")
    assert {"psl target", "psl model", "psl scatter"} <= v.changed(before)
    at = day(v).inner_text()
    press(v, "+ 1 day")
    expect(day(v)).not_to_have_text(at)
    press(v, "− 1 day")
    expect(day(v)).to_have_text(at)
    # Any day of the run, by the bar.
    v.page.get_by_label("Day of the month", exact=True).select_option(label="1")
    expect(day(v)).to_have_text("1 March 1984")
    v.settle()
    assert {"psl model"} <= v.changed(before)
    v.asks(tool="cycle", cycle_from="1984-03-01", month="1984-03-01")


def test_stations_are_withheld_on_the_way_and_the_run_goes_on(visit, cycled):
    v = visit(BEGUN, url=cycled.url)
    expect(form(v).get_by_text("3 of 90 days", exact=True)).to_be_visible()
    v.settle()
    before = v.pixels()
    form(v).get_by_label("Area without observations", exact=True).select_option(
        label="Northern extratropics"
    )
    press(v, "Withhold from here")
    v.says("No observation of Northern extratropics from 3 March 1984 on")
    v.until_changed(before, {"psl target", "psl model"})
    v.asks(cycle_without="1984-03-03:north")
    expect(form(v).get_by_text("Withheld on the day shown")).to_be_visible()
    press(v, "+ 1 day")
    expect(day(v)).to_have_text("4 March 1984")
    expect(form(v).get_by_text("4 of 90 days", exact=True)).to_be_visible()
    press(v, "All again")
    v.asks(cycle_without="1984-03-03:north,1984-03-04:")


def test_one_observation_is_seen_through_time(visit, cycled):
    v = visit(BEGUN + "&cycle_view=alone", url=cycled.url)
    before = v.pixels()
    v.page.locator(".row[data-variable=tas] .map.model").click(position={"x": 150, "y": 40})
    v.says("One observation at")
    expect(form(v).get_by_text("from the forecast of the window's first day")).to_be_visible()
    v.until_changed(before, {"tas model"})
    on = v.pixels()
    v.page.locator("#next").click()
    expect(v.page.locator(".row.heads").get_by_text("1 day after it")).to_be_visible()
    assert {"tas model"} <= v.changed(on)


@pytest.mark.parametrize("width", [1280, 390])
def test_it_has_room(visit, cycled, width):
    v = visit(BEGUN, url=cycled.url, width=width, height=844 if width == 390 else 720)
    if width == 390:
        v.page.locator("#fold").click()
    expect(form(v).get_by_role("button", name="Run", exact=True)).to_be_visible()
    assert v.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = form(v).bounding_box()
    for name in ("Run", "+ 1 day", "Withhold from here", "Observe here"):
        at = form(v).get_by_role("button", name=name, exact=True).bounding_box()
        assert at["x"] >= box["x"], name
        assert at["x"] + at["width"] <= box["x"] + box["width"], name

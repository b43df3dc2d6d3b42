"""The foot in a real Chromium: headings, table, chart by mouse, months by keyboard, both themes."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from mlda_core.bundle.bundle import load_bundle
from mlda_core.climate.regions import REGIONS, regional_mean

# One server of the foot alone: in one process of pytest-xdist.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("foot")]
FIGURE = "div.bk-Figure"
AT_REST = """(node) => new Promise((done) => {
  let was = "", still = 0
  const look = () => {
    const now = JSON.stringify(node.getBoundingClientRect())
    still = now === was ? still + 1 : 0
    was = now
    if (still < 12) requestAnimationFrame(look)
    else done()
  }
  look()
})"""
NINO, TROPICS = (REGIONS[key].label for key in ("nino34", "tropics"))


@pytest.fixture(scope="module")
def bundle(repo_root):
    return load_bundle(repo_root / "assets/bundles/speedy")


@pytest.fixture(scope="module")
def foot_url(repo_root):
    """Serve the foot alone."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "panel", "serve", "tests/browser/foot_page.py", "--port", str(port)],
        cwd=repo_root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(repo_root), str(repo_root / "tests/helpers")]),
        },
    )
    url = f"http://localhost:{port}/foot_page"
    deadline = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(url, timeout=60).read()
            break
        except OSError:
            assert process.poll() is None, "the foot's page cannot be served"
            assert time.monotonic() < deadline, "the foot's page does not answer"
            time.sleep(0.3)
    yield url
    process.terminate()
    process.wait(timeout=20)


@contextmanager
def looking(browser, url):
    context = browser.new_context(viewport={"width": 1600, "height": 500})
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    expect(heading(page, "Verification")).to_be_attached(timeout=60_000)
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def page(browser, foot_url):
    with looking(browser, foot_url) as page:
        yield page


@pytest.fixture
def beside(browser, foot_url):
    """The foot beside the tool that changes the sea."""
    with looking(browser, f"{foot_url}?perturb") as page:
        yield page


def foot(page):
    return page.locator("footer .results")


def heading(page, name):
    return page.locator("footer").get_by_role("checkbox", name=re.compile(name))


def button(page, name):
    return page.locator("footer").get_by_role("button", name=name)


def listed(page, name):
    return page.locator("footer").get_by_label(name, exact=True)


def label(page, name):
    return page.locator("footer label").filter(has_text=re.compile(f"^{name}$"))


def choice(page, name):
    return page.locator("footer").get_by_role("radio", name=name, exact=True)


def heard(page, words):
    """Wait until the server has got a message."""
    expect(page.locator(".heard")).to_contain_text(words, timeout=10_000)


def opened(page, *names):
    for name in names:
        label(page, name).click()
    return page


def tooltips(page):
    """Return what a chart says under the pointer."""
    return page.locator(".bk-Tooltip div[style*='white-space']")


def axis_says(page, units):
    """Wait until a chart's axis has these units."""
    page.wait_for_function(
        """(units) => Bokeh.documents.some((document) =>
          [...document._all_models.values()].some((model) => model.axis_label === units))""",
        arg=units,
    )


def chart(page):
    """Return the box of the series' chart, once it keeps its place."""
    figure = page.locator(f"footer .series {FIGURE}")
    expect(figure).to_be_visible()
    figure.evaluate(AT_REST)
    return figure.bounding_box()


def test_folded_it_is_one_line_and_each_part_unfolds(page):
    assert foot(page).bounding_box()["height"] <= 36
    expect(page.locator(f"footer {FIGURE}"), "made when it is opened first").to_have_count(0)
    opened(page, "Verification")
    heard(page, "foot ['scores']")
    expect(page.locator("footer .tabulator")).to_be_visible()
    opened(page, "Series")
    heard(page, "foot ['scores', 'series']")
    chart(page)
    foot(page).evaluate(AT_REST)
    assert 150 < foot(page).bounding_box()["height"] < 300
    opened(page, "Verification")
    heard(page, "foot ['series']")
    expect(page.locator("footer .tabulator")).to_be_hidden()
    opened(page, "Series")
    expect(page.locator("footer .series")).to_be_hidden()
    foot(page).evaluate(AT_REST)
    assert foot(page).bounding_box()["height"] <= 36


def test_the_table_shows_scores_and_one_click_chooses_a_method(page):
    opened(page, "Verification")
    rows = page.locator("footer .tabulator-row")
    row = rows.filter(has=page.locator("button", has_text=re.compile("^VAE$")))
    expect(row).to_contain_text(re.compile(r"0\.\d\d"))
    cells = row.locator(".tabulator-cell span, .tabulator-cell b")
    expect(cells).to_have_count(4)
    first = [float(text) for text in cells.all_inner_texts()]
    assert 0.5 < first[0] < 1
    expect(row).to_have_class(re.compile("tabulator-selected"))
    # By the keyboard.
    enoi = button(page, "Ensemble OI")
    enoi.focus()
    page.keyboard.press("Enter")
    heard(page, "method enoi")
    chosen = page.locator("footer .tabulator-row.tabulator-selected")
    expect(chosen).to_contain_text("Ensemble OI")
    expect(chosen).to_have_count(1)
    # The keyboard stays where it was, though another row is marked, or the rows are made anew.
    expect(enoi).to_be_focused()
    page.set_viewport_size({"width": 1000, "height": 700})
    page.locator("footer .tabulator").evaluate(AT_REST)
    expect(enoi).to_be_focused()
    button(page, "EOFs").first.click()
    heard(page, "method eof")
    expect(chosen).to_contain_text("EOFs")
    label(page, "RMSE").click()
    expect(page.locator("footer .tabulator-header")).to_contain_text("hPa")
    expect(cells.first).not_to_have_text(f"{first[0]:.2f}")
    # Nothing is withheld here: that choice cannot be taken.
    expect(choice(page, "Withheld")).to_have_count(0)
    button(page, "Compare all methods").click()
    heard(page, "compare")


def test_choices_move_with_the_arrows_as_radio_buttons_do(page):
    opened(page, "Verification")
    choice(page, "Expl. variance").focus()
    page.keyboard.press("ArrowRight")
    expect(choice(page, "RMSE")).to_be_checked()
    page.keyboard.press("ArrowLeft")
    expect(choice(page, "Expl. variance")).to_be_checked()
    page.keyboard.press("ArrowLeft")
    expect(choice(page, "r")).to_be_checked()


def test_hovering_reads_the_values_and_a_click_goes_to_the_month(page, bundle):
    opened(page, "Series")
    listed(page, "Variable of the series and the drivers").select_option("Sea-level pressure")
    expect(listed(page, "Month of the series")).to_have_value("1997-12")
    # The chart is drawn anew for the variable: under a pointer that is there already, twice.
    axis_says(page, "hPa")
    box = chart(page)
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 40)
    tooltip = tooltips(page)
    expect(tooltip).to_contain_text("hPa")
    words = tooltip.inner_text()
    month = re.search(r"\d{4}-\d{2}", words)[0]
    value = regional_mean(bundle.target(month), bundle.grid, REGIONS["globe"])[0]
    shown = re.search(r"target ([+\u2212]?[\d.]+) hPa", words)[1].replace("\u2212", "-")
    assert float(shown) == pytest.approx(value, abs=0.006)
    assert "not computed yet" in words
    assert "test month" in words
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 40)
    heard(page, f"month {month}")
    expect(listed(page, "Month of the series")).to_have_value(month)


def test_months_are_chosen_by_the_keyboard_too(page):
    opened(page, "Series")
    months = listed(page, "Month of the series")
    expect(months).to_have_value("1997-12")
    months.focus()
    page.keyboard.press("ArrowDown")
    heard(page, "month 1998-01")
    expect(months).to_have_value("1998-01")


def test_a_wheel_zooms_and_a_button_resets(page):
    opened(page, "Series")
    box = chart(page)
    ranges = """() => {
      const charts = Bokeh.documents.flatMap((d) => [...d._all_models.values()])
      const found = charts.find((m) => m.type === "Figure" && m.x_range.min_interval === 12)
      return [found.x_range.start, found.x_range.end]
    }"""
    whole = page.evaluate(ranges)
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 60)
    page.mouse.wheel(0, -400)
    page.wait_for_function(f"(whole) => ({ranges})()[0] > whole[0]", arg=whole)
    page.locator("footer .series .bk-tool-icon-reset").click()
    page.wait_for_function(f"(whole) => ({ranges})()[0] === whole[0]", arg=whole)


def test_a_run_shows_progress_and_can_be_cancelled(page):
    opened(page, "Series")
    button(page, "Compute the series").press("Enter")
    heard(page, "series-start test")
    # It stands in the other's place, and the keyboard goes along.
    expect(button(page, "Cancel")).to_be_focused()
    bar = page.locator("footer progress")
    expect(bar).to_be_visible()
    assert bar.evaluate("(bar) => [bar.value, bar.max]") == [24, 60]
    expect(page.locator("footer .count")).to_have_text("24 of 60")
    expect(page.locator("footer .key")).to_contain_text("24 test months: RMSE")
    button(page, "Cancel").press("Enter")
    heard(page, "series-cancel")
    expect(button(page, "Compute the series")).to_be_focused()
    expect(bar).to_be_hidden()
    expect(page.locator("footer .count")).to_have_text("Cancelled after 24 months.")
    label(page, "All months").click()
    expect(listed(page, "Month of the series").locator("option")).to_have_count(420)
    button(page, "Compute the series").click()
    heard(page, "series-start all")


def test_another_region_or_variable_is_drawn_in_its_units(page):
    opened(page, "Series")
    listed(page, "Region of the verification, the series and the drivers").select_option(NINO)
    heard(page, "foot-region nino34")
    listed(page, "Variable of the series and the drivers").select_option("Sea surface temperature")
    axis_says(page, "K")
    box = chart(page)
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 40)
    expect(tooltips(page)).to_contain_text(" K")


def test_a_narrow_window_keeps_everything_in_reach(page):
    # What 1280 leaves beside the tools.
    page.set_viewport_size({"width": 930, "height": 500})
    opened(page, "Verification", "Series")
    button(page, "Compute the series").click()
    expect(page.locator("footer progress")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 930
    controls = page.locator("footer .heads :is(button, select, progress, label):visible")
    boxes = [box for box in (c.bounding_box() for c in controls.all()) if box["width"] > 1]
    assert len(boxes) > 8
    for box in boxes:
        assert box["width"] >= 12
        assert 0 <= box["x"] <= box["x"] + box["width"] <= 930
    # No word on a button is cut.
    assert page.locator("footer .heads button:visible").evaluate_all(
        "(all) => all.every((n) => n.scrollWidth <= n.clientWidth)"
    )


# -- beside the tool that changes the sea


def test_only_beside_the_tool_that_changes_the_sea_are_there_drivers(page):
    assert heading(page, "Drivers").count() == 0
    opened(page, "Series")
    expect(listed(page, "Change of the sea in the series")).to_be_hidden()


def test_three_lines_have_their_values_in_words(beside):
    opened(beside, "Series")
    button(beside, "Compute both series").click()
    heard(beside, "series-start test")
    expect(beside.locator("footer .key")).to_contain_text(
        "changes the mean by +0.500 K over 24 months", timeout=30_000
    )
    box = chart(beside)
    beside.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 40)
    tooltip = tooltips(beside)
    expect(tooltip).to_contain_text("perturbed SST")
    assert re.search(
        r"test month\s+target .* K\s+sea as it was .* K\s+perturbed SST .* K", tooltip.inner_text()
    )
    button(beside, "Cancel").click()
    heard(beside, "series-cancel")
    expect(button(beside, "Compute both series")).to_be_visible()
    expect(beside.locator("footer .stale")).to_be_empty()


def test_lines_made_for_other_settings_say_so(beside):
    opened(beside, "Series")
    button(beside, "Compute both series").click()
    listed(beside, "Change of the sea in the series").select_option("Sea without trend")
    heard(beside, "foot-change trend")
    expect(beside.locator("footer .stale")).to_contain_text("Made for other settings; run again")


def test_drivers_are_listed_when_asked_for(beside):
    opened(beside, "Series", "Drivers")
    heard(beside, "foot ['series', 'drivers']")
    figure = beside.locator(f"footer .drivers {FIGURE}")
    expect(beside.locator("footer .sum")).to_contain_text("What each part of the sea adds")
    expect(figure).to_be_hidden()
    variables = listed(beside, "Variable of the series and the drivers")
    variables.select_option("Precipitation")
    axis_says(beside, "mm/day")
    button(beside, "Find the drivers").click()
    heard(beside, "drivers pr")
    expect(figure).to_be_visible()
    expect(beside.locator("footer .sum")).to_contain_text("basins +")
    expect(beside.locator("footer .drivers .words")).to_contain_text("mostly cancel")
    box = figure.bounding_box()
    beside.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 8)
    expect(tooltips(beside)).to_contain_text("Arctic: +4.800 mm/day")
    # Another variable than that of the list: it says what it is of.
    variables.select_option("2 m air temperature")
    expect(beside.locator("footer .what")).to_contain_text("of other settings: Precipitation")
    # The table takes the drivers' room.
    opened(beside, "Verification")
    expect(beside.locator("footer .drivers")).to_be_hidden()
    expect(beside.locator("footer .series")).to_be_visible()


def test_a_narrow_window_has_room_for_series_and_drivers(beside):
    beside.set_viewport_size({"width": 930, "height": 500})
    opened(beside, "Series", "Drivers")
    button(beside, "Find the drivers").click()
    expect(beside.locator(f"footer .drivers {FIGURE}")).to_be_visible()
    assert beside.evaluate("() => document.documentElement.scrollWidth") <= 930
    controls = beside.locator("footer .heads :is(button, select):visible")
    assert controls.count() == 4
    for control in controls.all():
        box = control.bounding_box()
        assert box["width"] >= 20
        assert 0 <= box["x"] <= box["x"] + box["width"] <= 930


def test_in_the_page_both_seas_are_made_cancelled_and_the_drivers_found(visit):
    """The real thing: the first months of a season take as long as its factors."""
    visitor = visit("?tool=explore")
    page = visitor.page
    page.locator("[data-tool=perturb]").click()
    page.wait_for_selector("text=Response of 1997-12", state="attached", timeout=180_000)
    visitor.settle(limit=180)
    opened(page, "Series")
    key = page.locator("footer .key")
    expect(key).to_contain_text("SST only: Niño 3.4 \N{MINUS SIGN}2.0 K", timeout=60_000)
    listed(page, "Region of the verification, the series and the drivers").select_option(TROPICS)
    button(page, "Compute both series").click()
    expect(page.locator("footer progress")).to_be_visible(timeout=30_000)
    # A colder Nino 3.4 cools the air of the tropics.
    expect(key).to_contain_text("changes the mean by \N{MINUS SIGN}0.0", timeout=180_000)
    button(page, "Cancel").click()
    expect(page.locator("footer progress")).to_be_hidden(timeout=30_000)
    expect(page.locator("footer .count")).to_contain_text("what is done stays")
    expect(key).to_contain_text("over ")
    opened(page, "Drivers")
    button(page, "Find the drivers").click()
    figure = page.locator(f"footer .drivers {FIGURE}")
    expect(figure).to_be_visible(timeout=180_000)
    box = figure.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 8)
    expect(tooltips(page)).to_contain_text("Tropical Pacific, east")
    # Another amount: the lines say that they are of the one before.
    page.locator("aside input[type=range]:visible").first.press("ArrowRight")
    expect(page.locator("footer .stale")).to_contain_text(
        "run again for SST only: Niño 3.4 \N{MINUS SIGN}1.9 K", timeout=30_000
    )

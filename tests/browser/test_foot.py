"""The foot in a real Chromium: the table, the chart by mouse and by keyboard, both themes."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest

from mlda_core.bundle.bundle import load_bundle
from mlda_core.climate.regions import REGIONS, regional_mean

pytestmark = pytest.mark.browser


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
        env={**os.environ, "PYTHONPATH": str(repo_root)},
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
    page.wait_for_selector("[data-part=scores]", timeout=60_000)
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


def heard(page, words):
    """Wait until the server has got a message."""
    page.wait_for_function(
        """(words) => {
          const read = (node) => node.nodeType === 3 ? node.data
            : [...(node.shadowRoot?.childNodes ?? []), ...node.childNodes].map(read).join("")
          return [...document.querySelectorAll(".page > *")].some((n) => read(n).includes(words))
        }""",
        arg=words,
        timeout=10_000,
    )


def opened(page, *parts):
    for part in parts:
        page.locator(f"[data-part={part}]").click()
    page.wait_for_timeout(200)
    return page


def test_folded_it_is_one_line_and_each_part_unfolds(page):
    foot = page.locator("section.foot")
    assert foot.bounding_box()["height"] <= 36
    assert page.locator("table").is_hidden()
    # Folded, the line says what the table would.
    assert "fit, not skill" in page.locator(".said").inner_text()
    opened(page, "scores")
    heard(page, "foot ['scores']")
    assert page.locator("table").is_visible()
    assert page.locator(".series .chart").is_hidden()
    opened(page, "series")
    heard(page, "foot ['scores', 'series']")
    assert page.locator(".series .chart path.target").get_attribute("d")
    assert 150 < foot.bounding_box()["height"] < 300
    opened(page, "scores", "series")
    assert foot.bounding_box()["height"] <= 36


def test_the_table_shows_scores_and_one_click_chooses_a_method(page):
    opened(page, "scores")
    row = page.locator("tbody tr", has=page.locator("[data-method=vae]"))
    first = [float(t) for t in row.locator("td").all_inner_texts()]
    assert len(first) == 4
    assert 0.5 < first[0] < 1
    assert row.get_attribute("class") == "shown"
    enoi = page.locator("[data-method=enoi]")
    assert enoi.get_attribute("aria-pressed") == "false"
    assert "–" in page.locator("tbody tr", has=enoi).inner_text()
    enoi.click()
    heard(page, "method enoi")
    page.wait_for_selector("[data-method=enoi][aria-pressed=true]")
    assert page.locator("tr.shown").count() == 1
    # The keyboard stays where it was, though the table was written anew.
    assert (
        page.evaluate(
            "() => { let n = document.activeElement"
            "; while (n.shadowRoot) n = n.shadowRoot.activeElement; return n.dataset.method }"
        )
        == "enoi"
    )
    page.locator("#measure [data-key=rmse]").click()
    rmse = [float(t) for t in row.locator("td").all_inner_texts()]
    assert rmse != first
    assert "hPa" in page.locator("thead").inner_text()
    # Nothing is withheld here: that choice cannot be taken.
    assert page.locator("#place [data-key=withheld]").is_disabled()
    page.locator("#compare").click()
    heard(page, "compare")


def test_choices_move_with_the_arrows_as_radio_buttons_do(page):
    opened(page, "scores")
    page.locator("#measure [data-key=explained_variance]").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#measure [aria-checked=true]").get_attribute("data-key") == "rmse"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#measure [aria-checked=true]").get_attribute("data-key") == "r"


def test_hovering_reads_the_values_and_a_click_goes_to_the_month(page, bundle):
    opened(page, "series")
    page.locator("#variable").select_option("psl")
    chart = page.locator(".series .chart svg")
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 40)
    words = page.locator(".series .read").inner_text()
    month = words[:7]
    value = regional_mean(bundle.target(month), bundle.grid, REGIONS["globe"])[0]
    shown = re.search(r"target ([+\u2212]?[\d.]+) hPa", words)[1].replace("\u2212", "-")
    assert float(shown) == pytest.approx(value, abs=0.006)
    assert "not assimilated yet" in words
    assert "test month" in words
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 40)
    heard(page, f"month {month}")
    # The line of the month shown stands where the pointer is.
    page.wait_for_function(
        """(x) => {
          const root = (n) => n.querySelector(".chart") ?? [...n.querySelectorAll("*")]
            .map((m) => m.shadowRoot && root(m.shadowRoot)).find(Boolean)
          const line = root(document).querySelector(".here")
          return line && Math.abs(line.getBoundingClientRect().x - x) < 12
        }""",
        arg=box["x"] + 0.4 * box["width"],
    )
    page.mouse.move(5, 5)
    assert page.locator(".series .read").inner_text() == ""


def test_the_chart_is_a_slider_to_the_keyboard(page, bundle):
    opened(page, "series")
    chart = page.locator(".series .chart svg")
    assert chart.get_attribute("role") == "slider"
    assert chart.get_attribute("aria-valuetext").startswith("1997-12: target")
    chart.focus()
    page.keyboard.press("ArrowRight")
    assert chart.get_attribute("aria-valuetext").startswith("1998-01")
    page.keyboard.press("PageDown")
    assert chart.get_attribute("aria-valuetext").startswith("1997-01")
    page.keyboard.press("Home")
    assert chart.get_attribute("aria-valuetext").startswith("1989-01")
    page.keyboard.press("ArrowLeft")
    assert chart.get_attribute("aria-valuetext").startswith("1989-01")
    page.keyboard.press("End")
    assert chart.get_attribute("aria-valuetext").startswith("2011-12")
    page.keyboard.press("Enter")
    heard(page, "month 2011-12")


def test_a_run_fills_the_chart_shows_progress_and_can_be_cancelled(page):
    opened(page, "series")
    assert page.locator("path.analysis").get_attribute("d") == ""
    page.locator("#run").click()
    heard(page, "series-start test")
    page.wait_for_selector("progress:not([hidden])")
    assert page.locator("#run").inner_text() == "Cancel"
    assert page.locator(".count").inner_text() == "24 of 60"
    # 1989 and 1997 are done; the target's lines are 1989, 1997 with 1998, and 2010 with 2011.
    assert page.locator("path.analysis").get_attribute("d").count("M") == 2
    assert page.locator("path.target").get_attribute("d").count("M") == 3
    assert page.locator("circle.analysis").count() == 24
    assert "24 test months: RMSE" in page.locator(".fit").inner_text()
    page.locator("#run").click()
    heard(page, "series-cancel")
    page.wait_for_selector("progress[hidden]", state="attached")
    assert page.locator(".count").inner_text() == "Cancelled after 24 months."
    assert page.locator("#run").inner_text() == "Assimilate"
    page.locator("#scope [data-key=all]").click()
    assert page.locator("path.target").get_attribute("d").count("M") == 1
    assert page.locator("rect.test").count() == 3
    page.locator("#run").click()
    heard(page, "series-start all")


def test_another_region_or_variable_is_drawn_on_its_own_scale(page, bundle):
    opened(page, "series")
    path = page.locator("path.target")
    before = path.get_attribute("d")
    page.locator("#region").select_option("nino34")
    heard(page, "foot-region nino34")
    page.locator("#variable").select_option("tos")
    assert page.locator("text.unit").text_content() == "K"
    assert path.get_attribute("d") != before
    labels = [float(t.replace("\u2212", "-")) for t in page.locator("text.y").all_text_contents()]
    series = [
        regional_mean(bundle.target(m), bundle.grid, REGIONS["nino34"])[1]
        for m in bundle.months
        if bundle.split(m) == "test"
    ]
    step = labels[1] - labels[0]
    assert labels[-1] <= max(series) + step
    assert labels[0] >= min(series) - step
    assert np.ptp(labels) > 0.5 * np.ptp(series)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_can_be_told_apart_in_both_themes(page, theme):
    opened(page, "series")
    page.locator("#run").click()
    page.wait_for_selector("circle.analysis", state="attached")
    page.evaluate(f"() => {{ document.documentElement.dataset.theme = '{theme}' }}")

    def luminance(colour):
        parts = [int(v) / 255 for v in re.findall(r"\d+", colour)[:3]]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(a, b):
        high, low = sorted((luminance(a), luminance(b)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    stroke = "(n) => getComputedStyle(n).stroke"
    target = page.locator("path.target").evaluate(stroke)
    analysis = page.locator("path.analysis").evaluate(stroke)
    ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    # Lightness tells them apart where hue does not; 3:1 is what lines need to be seen.
    assert contrast(target, ground) > 7
    assert contrast(analysis, ground) > 4.5
    assert contrast(target, analysis) > 1.8


def test_a_narrow_window_keeps_everything_in_reach(page):
    # What 1280 leaves beside the tools.
    page.set_viewport_size({"width": 930, "height": 500})
    opened(page, "scores", "series")
    page.locator("#run").click()
    page.wait_for_selector("progress:not([hidden])")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 930
    buttons = page.locator(":is(.heads button, .heads select, .heads progress):visible")
    boxes = [buttons.nth(i).bounding_box() for i in range(buttons.count())]
    assert len(boxes) > 8
    for box in boxes:
        assert box["width"] >= 20
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 930
    # No word on a button is cut.
    assert buttons.evaluate_all(
        "(all) => all.every((n) => n.tagName !== 'BUTTON' || n.scrollWidth <= n.clientWidth)"
    )


# -- beside the tool that changes the sea


def filled(page):
    opened(page, "series")
    page.locator("#run").click()
    page.wait_for_selector("circle.changed", state="attached", timeout=30_000)


def test_only_beside_the_tool_that_changes_the_sea_are_there_drivers(page):
    assert page.locator("[data-part=drivers]").is_hidden()
    opened(page, "series")
    assert page.locator("#change").is_hidden()
    assert page.locator("text.name").all_text_contents() == ["target"]


def test_three_lines_have_their_names_beside_them_and_their_values_in_words(beside):
    opened(beside, "series")
    assert beside.locator("#run").inner_text() == "Make both series"
    assert beside.locator("text.name").all_text_contents() == ["target"]
    beside.locator("#run").click()
    heard(beside, "series-start test")
    beside.wait_for_selector("circle.changed", state="attached", timeout=30_000)
    names = beside.locator("text.name")
    assert sorted(names.all_text_contents()) == ["changed sea", "sea as it was", "target"]
    boxes = sorted((names.nth(i).bounding_box() for i in range(3)), key=lambda b: b["y"])
    # None covers another, and none is cut at the right.
    assert all(b["y"] - a["y"] >= 11 for a, b in pairwise(boxes))
    assert max(b["x"] + b["width"] for b in boxes) <= 1590
    assert beside.locator(".fit").inner_text() == "changes the mean by +0.500 K over 24 months"
    words = beside.locator(".series .chart svg").get_attribute("aria-valuetext")
    assert re.search(r"target .* K, sea as it was .* K, changed sea .* K, test month", words)
    beside.locator("#run").click()
    heard(beside, "series-cancel")
    beside.wait_for_selector("progress[hidden]", state="attached")
    assert beside.locator("#run").inner_text() == "Make both series"
    assert beside.locator(".stale").inner_text() == ""


def test_lines_made_for_other_settings_fade_and_say_so(beside):
    filled(beside)
    beside.locator("#change").select_option("trend")
    heard(beside, "foot-change trend")
    beside.wait_for_selector(".chart.old")
    assert beside.locator(".stale").inner_text().startswith("Made for other settings; run again")
    opacity = "(n) => getComputedStyle(n).opacity"
    assert float(beside.locator("path.changed").evaluate(opacity)) < 0.6
    assert float(beside.locator("path.target").evaluate(opacity)) == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_red_and_blue_can_be_told_apart_without_their_hue(beside, theme):
    filled(beside)
    beside.evaluate(f"() => {{ document.documentElement.dataset.theme = '{theme}' }}")

    def seen(kind):
        stroke = beside.locator(f"path.{kind}").evaluate("(n) => getComputedStyle(n).stroke")
        return [int(v) for v in re.findall(r"\d+", stroke)[:3]]

    red, blue = seen("analysis"), seen("changed")
    # Of colours that deuteranopes see, blue against yellow is left: one has it, the other lacks it.
    assert red[0] - red[2] > 100
    assert blue[2] - blue[0] > 100


def test_drivers_are_listed_when_asked_for(beside):
    opened(beside, "series", "drivers")
    heard(beside, "foot ['series', 'drivers']")
    find = beside.locator("#find")
    assert find.inner_text() == "Find the drivers of 1997-12"
    assert beside.locator(".drivers li").count() == 0
    beside.locator("#variable").select_option("pr")
    find.click()
    heard(beside, "drivers pr")
    beside.wait_for_selector(".drivers li")
    rows = beside.locator(".drivers li")
    assert rows.count() == 14
    first = rows.first.inner_text().split("\n")
    assert first[0] == "Arctic"
    assert "+4.800 mm/day" in first
    widths = rows.locator("i").evaluate_all(
        "(all) => all.map((n) => n.getBoundingClientRect().width)"
    )
    assert widths == sorted(widths, reverse=True)
    assert "basins +" in beside.locator(".sum").inner_text()
    assert beside.locator(".sum").evaluate("(n) => n.scrollWidth <= n.clientWidth")
    assert "mostly cancel" in beside.locator(".drivers .words").inner_text()
    # Another variable than that of the list: it fades, and says what it is of.
    beside.locator("#variable").select_option("tas")
    assert beside.locator(".what").inner_text().startswith("of other settings: Precipitation")
    # The table takes the drivers' room.
    opened(beside, "scores")
    assert beside.locator(".drivers").is_hidden()
    assert beside.locator(".series .chart").is_visible()


def test_a_narrow_window_has_room_for_series_and_drivers(beside):
    beside.set_viewport_size({"width": 930, "height": 500})
    filled(beside)
    opened(beside, "drivers")
    beside.locator("#find").click()
    beside.wait_for_selector(".drivers li")
    assert beside.evaluate("() => document.documentElement.scrollWidth") <= 930
    buttons = beside.locator(".series .heads button, .series .heads select, .drivers .heads button")
    boxes = [buttons.nth(i).bounding_box() for i in range(buttons.count())]
    assert len(boxes) == 5
    for box in boxes:
        assert box["width"] >= 20
        assert 0 <= box["x"] <= box["x"] + box["width"] <= 930
    given = beside.locator(".given")
    assert given.evaluate_all("(all) => all.every((n) => n.scrollWidth <= n.clientWidth + 1)")


def test_in_the_page_both_seas_are_made_cancelled_and_the_drivers_found(visit):
    """The real thing: the first months of a season take as long as its factors."""
    visitor = visit("?tool=explore")
    page = visitor.page
    page.locator("[data-tool=perturb]").click()
    page.wait_for_selector("text=Response of 1997-12", state="attached", timeout=180_000)
    visitor.settle(limit=180)
    opened(page, "series")
    page.wait_for_selector("path.target", state="attached", timeout=60_000)
    assert page.locator(".of").inner_text() == "SST only: Niño 3.4 \N{MINUS SIGN}2.0 K"
    page.locator("section.foot #region").select_option("tropics")
    page.locator("#run").click()
    page.wait_for_selector("progress:not([hidden])", timeout=30_000)
    page.wait_for_selector("circle.changed", state="attached", timeout=180_000)
    page.locator("#run").click()
    page.wait_for_selector("progress[hidden]", state="attached", timeout=30_000)
    assert "what is done stays" in page.locator("section.foot .count").inner_text()
    assert "over " in page.locator(".fit").inner_text()
    # A colder Nino 3.4 cools the air of the tropics.
    assert page.locator(".fit").inner_text().startswith("changes the mean by \N{MINUS SIGN}0.0")
    opened(page, "drivers")
    page.locator("#find").click()
    page.wait_for_selector(".drivers li", timeout=180_000)
    assert page.locator(".drivers li .basin").first.inner_text() == "Tropical Pacific, east"
    # Another amount: the lines say that they are of the one before.
    page.locator("aside input[type=range]:visible").first.press("ArrowRight")
    page.wait_for_selector(".stale:not(:empty)", timeout=30_000)
    stale = page.locator(".stale").inner_text()
    assert "run again for SST only: Niño 3.4 \N{MINUS SIGN}1.9 K" in stale

"""The tool Perturb in a real Chromium: the sea changed by hand, and what the page makes of it."""

import re
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
from playwright.sync_api import expect

from app.maps.projections import to_map

# The first response takes a server ten seconds: in one process of pytest-xdist.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("perturb")]

MODELS = {f"{name} model" for name in ("psl", "tos", "tas", "pr")}
TARGETS = {f"{name} target" for name in ("psl", "tos", "tas", "pr")}


def pixel(visitor, lat, lon, *, key="robinson", variable="tos", kind="target"):
    """Return where on the screen a place lies."""
    box = visitor.page.locator(f"[data-variable={variable}] .map.{kind}").bounding_box()
    x, y = to_map(key, np.array([float(lon)]), np.array([float(lat)]))
    return (
        box["x"] + (float(x[0]) + 2) / 4 * box["width"],
        box["y"] + (1 - float(y[0])) / 2 * box["height"],
    )


def trace(visitor, places, **where):
    """Drag the pointer along places."""
    mouse = visitor.page.mouse
    points = [pixel(visitor, lat, lon, **where) for lat, lon in places]
    mouse.move(*points[0])
    mouse.down()
    for point in points[1:]:
        mouse.move(*point, steps=8)
    mouse.up()


def arm(visitor, mode):
    """Press the button that draws a box or a lasso, and wait until the maps draw it."""
    visitor.page.locator(f".draw-{mode} button").click()
    visitor.page.wait_for_selector(f".draw-{mode} button[aria-pressed=true]")
    visitor.settle()


def query(visitor):
    return {k: v[0] for k, v in parse_qs(urlparse(visitor.page.url).query).items()}


def settle(visitor):
    """Wait for the response; the first of a network takes long where the machine is busy."""
    visitor.settle(limit=180)


def listed(page, *patches):
    """Wait until these patches, and no others, are in the list."""
    what = page.locator(".patches .what:visible")
    expect(what).to_have_count(len(patches))
    if patches:
        expect(what).to_have_text(list(patches))


@pytest.fixture
def perturb(visit, revisit):
    """Open the tool, its first response drawn."""

    def open_tool(more="", **size):
        # The first response of a network takes longer than a visitor's first view may.
        query = f"?tool=explore{more}"
        visitor = visit(query, **size) if size else revisit(query)
        page = visitor.page
        page.locator("[data-tool=perturb]").click()
        page.wait_for_selector("text=Response of 1997-12", state="attached", timeout=180_000)
        settle(visitor)
        return visitor

    return open_tool


def test_a_first_visit_shows_december_1997_without_its_el_nino(visit):
    visitor = visit("?tool=explore")
    page = visitor.page
    before = visitor.pixels()
    page.locator("[data-tool=perturb]").click()
    settle(visitor)
    page.wait_for_selector("text=Response of 1997-12", timeout=180_000)
    settle(visitor)
    after = visitor.pixels()
    assert {name for name in after if after[name] != before[name]} >= MODELS | TARGETS
    expect(page.locator("#first-title")).to_have_text("Analysis from all fields")
    expect(page.locator(".shows-view select")).to_have_value("Analysis + response")
    listed(page, "Niño 3.4")
    expect(page.locator(".change p")).to_contain_text("K over")
    expect(page.locator(".question p")).to_contain_text("What does the sea alone do?")
    assert "patch" in visitor.text("[data-variable=tas] .scores")
    # And back, exactly.
    page.locator("[data-tool=explore]").click()
    visitor.until_back(before)


def test_the_amount_is_dragged_live(perturb):
    visitor = perturb()
    page = visitor.page
    before = visitor.pixels()
    slider = page.locator("input[type=range][data-at='0']")
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 7 + 0.3 * (box["width"] - 14), middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 7 + 0.4 * (box["width"] - 14), middle, steps=10)
    # Before the hand lets go.
    page.wait_for_function(
        """(was) => document.querySelector("[data-variable=tas] .scores") !== null &&
          !document.documentElement.hasAttribute("data-busy")""",
        arg=None,
        timeout=60_000,
    )
    assert visitor.changed(before) >= {"tos model", "tas model", "pr model"}
    expect(page.locator("input.num[data-at='0']")).to_have_value(re.compile("^−1.0"))
    page.mouse.up()
    settle(visitor)
    after = visitor.pixels()
    assert {name for name in after if after[name] != before[name]} <= (
        MODELS | {"tos target"} | {name.replace("model", "scatter") for name in MODELS}
    )
    visitor.asks(sea="nino34:-1")
    page.keyboard.press("Control+z")
    expect(page.locator("input.num[data-at='0']")).to_have_value("−2.0")
    visitor.until_back(before)


def test_a_box_and_a_lasso_are_drawn_on_the_map_and_undone(perturb):
    visitor = perturb("&sea=")
    page = visitor.page
    expect(page.locator(".change p")).to_contain_text("zero")
    page.locator(".draw-box button").click()
    # At once: the browser does not wait for the server to draw.
    trace(visitor, [(40, 175), (20, 215)])
    page.wait_for_selector(".patches .what:visible")
    settle(visitor)
    south, north, west, east, kelvin = (float(v) for v in query(visitor)["sea"].split(":"))
    assert (south, north, kelvin) == (pytest.approx(20, abs=2), pytest.approx(40, abs=2), 2.0)
    assert west == pytest.approx(175, abs=6)
    assert east == pytest.approx(215, abs=6)
    arm(visitor, "lasso")
    trace(visitor, [(-10, 60), (-30, 60), (-32, 100), (-10, 95), (-9, 62)], kind="model")
    page.wait_for_selector(".patches .what:visible >> nth=1")
    settle(visitor)
    what = page.locator(".patches .what:visible")
    expect(what.nth(1)).to_have_text(re.compile("^Lasso round 2"))
    expect(page.locator(".patch").nth(1)).to_have_class(re.compile(r"\bselected\b"))
    page.keyboard.press("Control+z")
    expect(what).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(what).to_have_count(0)
    page.keyboard.press("Control+Shift+Z")
    expect(what).to_have_count(1)


def test_a_patch_on_land_is_refused_in_words(perturb):
    visitor = perturb()
    page = visitor.page
    before, url = visitor.pixels(), page.url
    arm(visitor, "lasso")
    trace(visitor, [(62, 85), (50, 85), (50, 105), (62, 105), (62, 86)])
    page.wait_for_selector(".status.failed")
    visitor.says("land")
    settle(visitor)
    expect(page.locator(".patches .what:visible")).to_have_count(1)
    assert page.url == url
    assert visitor.pixels() == before


def test_the_response_alone_faded_and_what_that_means(perturb):
    visitor = perturb()
    page = visitor.page
    before = visitor.pixels()
    page.locator(".shows-view select").select_option("Response")
    visitor.until_changed(before, MODELS)
    said = page.locator(".fading p").inner_text()
    assert "one posterior standard deviation of a single month" in said
    assert "+3 hPa" in visitor.text("[data-variable=psl] .key")
    faded = visitor.pixels()
    page.get_by_label("fade").uncheck()
    page.wait_for_url("**fade=0**")
    assert visitor.changed(faded) <= MODELS
    bold = visitor.pixels()
    page.get_by_label("per kelvin").check()
    visitor.until_changed(bold, {"psl model"})
    assert visitor.changed(bold) <= MODELS
    assert "hPa per K" in visitor.text("[data-variable=psl] .key")
    page.mouse.move(*pixel(visitor, 0, 215, variable="tas", kind="model"))
    page.wait_for_selector("text=K per K")


def test_link_file_and_several_patches(perturb, visit):
    visitor = perturb()
    page = visitor.page
    page.get_by_label("Add a region").select_option(label="North Atlantic")
    settle(visitor)
    page.locator("input.num[data-at='1']").fill("-1,5")
    page.locator("input.num[data-at='1']").press("Enter")
    page.get_by_label("SST and pressure").check()
    settle(visitor)
    page.locator(".shows-view select").select_option("Response")
    page.wait_for_url("**view=response**")
    settle(visitor)
    shown = visitor.pixels()
    again = visit("?" + urlparse(page.url).query)
    settle(again)
    listed(again.page, "Niño 3.4", "North Atlantic")
    expect(again.page.locator("input.num[data-at='1']")).to_have_value("−1.5")
    expect(again.page.get_by_label("SST and pressure")).to_be_checked()
    # The maps but that of the outlines, whose selection is not saved.
    same = {k: v for k, v in again.pixels().items() if not k.startswith("tos")}
    assert same == {k: v for k, v in shown.items() if not k.startswith("tos")}
    page.locator(".patch").nth(1).locator("[type=checkbox]").uncheck()
    page.wait_for_url(lambda _: query(visitor)["sea"].endswith(":off"))
    page.get_by_role("button", name="Clear").click()
    listed(page)


def test_the_keyboard_alone(perturb):
    visitor = perturb()
    page = visitor.page
    page.locator("input[type=range][data-at='0']").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("input.num[data-at='0']")).to_have_value("−1.9")
    settle(visitor)
    page.keyboard.press("Delete")
    listed(page)
    page.locator(".draw-box button").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".draw-box button[aria-pressed=true]")
    page.keyboard.press("Escape")
    page.wait_for_selector(".draw-box button[aria-pressed=false]")


def test_sensitivity_at_a_click(perturb):
    visitor = perturb()
    page = visitor.page
    before = visitor.pixels()
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_selector(".sensitivity p:has-text('within 500 km')", timeout=120_000)
    visitor.until_changed(before, {"tos model"})
    shown = visitor.pixels()
    page.mouse.click(*pixel(visitor, 15, 210, variable="pr", kind="model"))
    page.wait_for_selector(".sensitivity p:has-text('Precipitation')", timeout=120_000)
    settle(visitor)
    visitor.until_changed(shown, {"tos model", "pr model"})
    expect(page.locator("#tool-perturb").get_by_label("Variable", exact=True)).to_have_value(
        "Precipitation"
    )
    assert "mm/day per K" in visitor.text("[data-variable=tos] .key")
    page.mouse.move(*pixel(visitor, 5, 215, kind="model"))
    page.wait_for_selector("text=mm/day per K")


def test_beside_the_gcm(perturb):
    visitor = perturb()
    page = visitor.page
    if not page.get_by_role("group", name="Compare with the GCM").count():
        pytest.skip("no responses of the GCM come with this bundle")
    before = visitor.pixels()
    page.get_by_role("checkbox", name="Niño 3.4 +2 K").check()
    visitor.until_changed(before, MODELS | TARGETS)
    expect(page.locator("#first-title")).to_have_text("GCM's response, mean of 60 months")
    assert page.locator(".patches").evaluate("e => e.inert")
    assert re.search(r"tropics\s*r 0?\.?\d", visitor.text("[data-variable=tas] .scores"))
    expect(page.locator(".gcm-words p")).to_contain_text("months")
    page.locator(".shows-view select").select_option("Analysis + response")
    page.wait_for_url(lambda url: "view=gcm" not in url)
    visitor.until_back(before)


@pytest.mark.parametrize("size", [{}, {"width": 1280, "height": 720}])
def test_the_tool_fits_the_window(perturb, size):
    visitor = perturb("&view=response&sea=nino34:2,globe:1,north_atlantic:-1", **size)
    page = visitor.page
    aside = page.locator("#tool-perturb")
    assert aside.evaluate("(a) => a.scrollWidth <= a.clientWidth")
    assert page.evaluate("() => document.documentElement.scrollHeight <= innerHeight")
    nameless = page.evaluate(
        """() => {
          const deep = (root) => [...root.querySelectorAll("*")].flatMap((node) => [
            ...(node.matches("button, input, select") ? [node] : []),
            ...(node.shadowRoot ? deep(node.shadowRoot) : []),
          ])
          return deep(document.getElementById("tool-perturb")).filter((node) =>
            !(node.getAttribute("aria-label") || node.title || node.textContent.trim() ||
              node.labels?.length)
          ).map((node) => node.outerHTML)
        }"""
    )
    assert nameless == []


def test_a_patch_of_the_protocol_is_chosen_and_the_atlas_clicked(perturb):
    visitor = perturb("&sea=")
    page = visitor.page
    page.get_by_label("A patch of the GFMIP protocol").select_option(label="0° 140°W")
    page.wait_for_selector(".patches .what:visible")
    settle(visitor)
    listed(page, "Hump round 0° 140°W")
    visitor.asks(sea="-5:5:200:240:edge360:2")
    before = visitor.pixels()
    page.get_by_role("button", name="Show the atlas").click()
    # Its first patches are there long before all of them.
    page.get_by_text("Largest:").wait_for(timeout=180_000)
    cancel, go_on = (page.get_by_role("button", name=name) for name in ("Cancel", "Go on"))
    cancel.click()
    go_on.wait_for()
    settle(visitor)
    view = page.locator(".shows-view select")
    expect(view).to_have_value("Atlas of patches")
    expect(page.locator("#first-title")).to_have_text("GCM's own, from its runs")
    visitor.asks(view="atlas")
    visitor.until_changed(before, MODELS)
    drawn = visitor.pixels()
    # Another region's means need no patch again.
    page.get_by_label("Whose mean").select_option(label="Tropics")
    visitor.until_changed(drawn, MODELS, limit=60)
    visitor.asks(over="tropics")
    expect(go_on).to_be_visible()
    expect(cancel).to_be_hidden()
    page.mouse.click(*pixel(visitor, 2, 178, variable="pr", kind="model"))
    expect(view).to_have_value("Response")
    listed(page, "Hump round 0° 180°")
    settle(visitor)
    page.keyboard.press("Control+z")
    expect(view).to_have_value("Atlas of patches")
    listed(page, "Hump round 0° 140°W")

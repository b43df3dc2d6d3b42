"""The tool Observe in a real Chromium: a hand on the maps, and what the page makes of it."""

import csv
import io
import math
import re
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
from playwright.sync_api import expect

from app.maps.projections import to_map
from mlda_core.assimilation.methods import METHODS
from mlda_core.climate.projections import KEYS

pytestmark = pytest.mark.browser

OBSERVE = "?tool=observe&model=analysis&network=none"
FEW = "?tool=observe&model=analysis&network=stations&stations=20"


def pixel(visitor, variable, lat, lon, *, key="robinson", kind="target"):
    """Return where on the screen a place lies."""
    box = visitor.page.locator(f"[data-variable={variable}] .map.{kind}").bounding_box()
    x, y = to_map(key, np.array([float(lon)]), np.array([float(lat)]))
    return (
        box["x"] + (float(x[0]) + 2) / 4 * box["width"],
        box["y"] + (1 - float(y[0])) / 2 * box["height"],
    )


def rows(visitor):
    """Return the observations as the page gives them out, whatever their analysis says of them."""
    with visitor.page.expect_download() as waiting:
        visitor.button("Download CSV").click()
    text = Path(waiting.value.path()).read_text()
    given = ("variable", "lat", "lon", "value", "units", "error_sd", "withheld", "label")
    # Of observations of other kinds the table says more.
    given += ("kind", "area")
    read = csv.DictReader(io.StringIO(text))
    return [{name: row[name] for name in given if name in row} for row in read]


def click(visitor, variable, lat, lon, **where):
    visitor.page.mouse.click(*pixel(visitor, variable, lat, lon, **where))
    visitor.settle()


def counted(visitor, words):
    """Wait until the line above the table says how many observations there are."""
    expect(visitor.page.locator(".counts")).to_contain_text(words)


def chosen(visitor, words):
    """Wait until the line below the table says how many are selected."""
    expect(visitor.page.locator(".chosen")).to_contain_text(words)


def test_the_first_view_is_an_analysis_from_a_hundred_stations(visit):
    visitor = visit(first=True)
    page = visitor.page
    page.wait_for_function("() => document.documentElement.dataset.tool === 'observe'")
    page.wait_for_selector("text=converged in")
    expect(page.locator(".strip .month")).to_have_text("December 1997")
    counted(visitor, "200 observations")
    expect(page.locator(".shows-column option").first).to_have_text("Analysis")
    visitor.settle()
    score = visitor.text("[data-variable=psl] .scores")
    assert float(re.search(r"expl. var.\s+(\S+)", score)[1]) > 0.7
    # What is on the canvas is the analysis, not the background that came first.
    shown = visitor.pixels()
    page.set_viewport_size({"width": 1900, "height": 1060})
    visitor.settle()
    page.set_viewport_size({"width": 1920, "height": 1080})
    visitor.settle()
    assert visitor.pixels() == shown


@pytest.mark.parametrize("key", KEYS)
def test_a_click_observes_at_the_right_place_in_every_projection(revisit, key):
    visitor = revisit(f"{OBSERVE}&projection={key}&live=0")
    south = -1 if key == "south" else 1
    places = [(south * 62.0, 200.0), (south * 35.0, 80.0), (south * 48.0, 322.0)]
    for i, (lat, lon) in enumerate(places):
        click(visitor, "tas", lat, lon, key=key, kind="model" if i else "target")
    got = rows(visitor)
    assert [row["variable"] for row in got] == ["tas"] * 3
    for row, (lat, lon) in zip(got, places, strict=True):
        # A pixel is up to a degree wide.
        apart = math.cos(math.radians(lat)) * ((float(row["lon"]) - lon + 180) % 360 - 180)
        assert math.hypot(float(row["lat"]) - lat, apart) < 1.0


def test_a_zoomed_map_is_clicked_at_the_right_place_too(revisit):
    visitor = revisit(f"{OBSERVE}&live=0")
    x, y = pixel(visitor, "psl", 20, 200)
    visitor.page.mouse.move(x, y)
    for _ in range(3):
        visitor.page.mouse.wheel(0, -300)
        visitor.settle()
    # Zooming keeps what is under the pointer.
    visitor.page.mouse.click(x, y)
    visitor.settle()
    (row,) = rows(visitor)
    assert float(row["lat"]) == pytest.approx(20, abs=1)
    assert float(row["lon"]) == pytest.approx(200, abs=1)


def test_a_click_is_analysed_and_a_second_one_withholds_it_and_a_third_restores(revisit):
    visitor = revisit(OBSERVE)
    page = visitor.page
    before = visitor.pixels()
    click(visitor, "tas", 0, 230)
    page.wait_for_selector("text=converged in")
    # One observation changes all four variables, and its marker is on both maps of its own.
    models = {f"{name} model" for name in ("psl", "tos", "tas", "pr")}
    changed = visitor.changed(before)
    assert models <= changed
    assert "tas target" in changed
    observed = visitor.pixels()
    click(visitor, "tas", 0, 230)
    counted(visitor, "withheld")
    held = visitor.pixels()
    assert held["psl model"] == before["psl model"]
    assert held["tas target"] not in (before["tas target"], observed["tas target"])
    assert held["tas scatter"] != before["tas scatter"]
    click(visitor, "tas", 0, 230)
    expect(page.locator(".counts")).not_to_contain_text("withheld")
    assert visitor.pixels()["psl model"] == observed["psl model"]


def test_dragging_a_marker_moves_it_and_dragging_elsewhere_pans(revisit):
    visitor = revisit(f"{OBSERVE}&live=0")
    page = visitor.page
    click(visitor, "psl", 10, 200)
    start, stop = pixel(visitor, "psl", 10, 200), pixel(visitor, "psl", -30, 240)
    page.mouse.move(*start)
    page.mouse.down()
    for i in range(1, 9):
        page.mouse.move(*(a + (b - a) * i / 8 for a, b in zip(start, stop, strict=True)))
    page.mouse.up()
    visitor.settle()
    (row,) = rows(visitor)
    assert float(row["lat"]) == pytest.approx(-30, abs=1)
    assert float(row["lon"]) == pytest.approx(240, abs=1)
    before = visitor.pixels()
    page.mouse.move(*pixel(visitor, "psl", 40, 200))
    page.mouse.wheel(0, -600)
    visitor.settle()
    zoomed = visitor.pixels()
    x, y = pixel(visitor, "psl", 20, 180)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 20, steps=5)
    page.mouse.up()
    visitor.settle()
    assert before["psl target"] != zoomed["psl target"] != visitor.pixels()["psl target"]
    assert len(rows(visitor)) == 1


def test_the_sea_is_not_observed_on_land(revisit):
    visitor = revisit(OBSERVE)
    click(visitor, "tos", 50, 90)
    visitor.says("no sea surface temperature")
    counted(visitor, "0 observations")


@pytest.mark.parametrize("mode", ["lasso", "box"])
def test_what_a_lasso_or_box_goes_round_is_withheld_and_restored(revisit, mode):
    visitor = revisit(f"{FEW}&live=0")
    page = visitor.page
    before = rows(visitor)
    visitor.choose_mode(mode.capitalize())
    visitor.settle()
    box = page.locator("[data-variable=tas] .map.target").bounding_box()
    left, right = box["x"] + 5, box["x"] + box["width"] * 0.5
    top, bottom = box["y"] + 5, box["y"] + box["height"] - 5
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    if mode == "box":
        corners = [(left, top), (right, bottom)]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=8)
    page.mouse.up()
    visitor.settle()
    page.wait_for_selector(".status:has-text('observations of air selected')")
    # The status comes before the frame that the selection makes.
    page.wait_for_selector(".chosen:has-text('selected'):not(:has-text('none'))")
    selected = int(re.match(r"(\d+) selected", page.locator(".chosen").inner_text())[1])
    x, _ = to_map(
        "robinson",
        np.array([float(row["lon"]) for row in before]),
        np.array([float(row["lat"]) for row in before]),
    )
    inside = [a < 0 and row["variable"] == "tas" for a, row in zip(x, before, strict=True)]
    assert selected == sum(inside) > 3
    visitor.button("Withhold").click()
    counted(visitor, f"{selected} withheld")
    held = [row["withheld"] == "True" for row in rows(visitor)]
    assert held == inside
    visitor.button("Restore").click()
    expect(page.locator(".counts")).not_to_contain_text("withheld")
    assert rows(visitor) == before
    visitor.choose_mode("Place")


def test_a_drag_may_follow_the_choice_of_a_lasso_at_once(revisit):
    visitor = revisit(f"{FEW}&live=0")
    page = visitor.page
    box = page.locator("[data-variable=tas] .map.target").bounding_box()
    middle = box["y"] + box["height"] / 2
    for wait in (0, 40, 200):
        visitor.choose_mode("Place")
        visitor.choose_mode("Lasso")
        # Milliseconds on purpose: before, while and after the server answers the choice.
        page.wait_for_timeout(wait)
        page.mouse.move(box["x"] + 20, box["y"] + 10)
        page.mouse.down()
        for x, y in ((0.9, 10), (0.9, box["height"] - 10), (0.1, box["height"] - 10)):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y, steps=6)
        page.mouse.up()
        page.wait_for_selector(".status:has-text('selected')")
        visitor.settle()
        expect(page.locator(".chosen")).not_to_contain_text("none")
        # A drag of the other kind right after it pans, and selects nothing.
        visitor.choose_mode("Place")
        before = visitor.pixels(".map.target")
        page.mouse.move(box["x"] + 100, middle)
        page.mouse.wheel(0, -300)
        page.mouse.down()
        page.mouse.move(box["x"] + 160, middle + 15, steps=5)
        page.mouse.up()
        visitor.settle()
        assert visitor.pixels(".map.target") != before
        page.locator("#home").click()
        visitor.settle()


def test_a_region_drawn_at_once_after_the_click_is_the_region(visit):
    visitor = visit(f"{FEW}&live=0")
    page = visitor.page
    box = page.locator("[data-variable=tas] .map.target").bounding_box()

    def drag(left, top, right, bottom):
        page.mouse.move(box["x"] + left * box["width"], box["y"] + top * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + right * box["width"], box["y"] + bottom * box["height"], steps=4)
        page.mouse.up()

    # While the server still has the choice of a box to answer, and then that of a region.
    visitor.choose_mode("Box")
    visitor.button("Draw region").click()
    drag(0.4, 0.3, 0.6, 0.5)
    visitor.says("The network is confined to")
    visitor.settle()
    draw = visitor.form.get_by_role("button", name=re.compile(r"\d.*–"))
    chosen(visitor, "none")
    region = draw.inner_text()
    # And the other way round: a box drawn at once after another choice selects.
    draw.click()
    visitor.choose_mode("Box")
    drag(0.02, 0.02, 0.98, 0.98)
    visitor.says("selected")
    visitor.settle()
    expect(page.locator(".chosen")).not_to_contain_text("none")
    expect(draw).to_have_text(region)


def test_a_double_click_observes_once(revisit):
    visitor = revisit(f"{OBSERVE}&live=0")
    page = visitor.page
    at = pixel(visitor, "psl", 10, 200)
    page.mouse.dblclick(*at)
    visitor.settle()
    assert len(rows(visitor)) == 1
    assert rows(visitor)[0]["withheld"] == "False"
    # The row is not enlarged either.
    assert page.locator("main[data-large]").count() == 0
    # On the marker a double click is one click too; two slow ones are two.
    page.mouse.dblclick(*at)
    visitor.settle()
    assert rows(visitor)[0]["withheld"] == "True"
    # Longer than two clicks of a double click are apart.
    page.wait_for_timeout(400)
    page.mouse.click(*at)
    visitor.settle()
    assert rows(visitor)[0]["withheld"] == "False"


def test_shift_withholds_the_whole_station(revisit):
    visitor = revisit(f"{FEW}&live=0")
    page = visitor.page
    first = rows(visitor)[0]
    at = pixel(visitor, first["variable"], float(first["lat"]), float(first["lon"]))
    page.keyboard.down("Shift")
    page.mouse.click(*at)
    page.keyboard.up("Shift")
    visitor.settle()
    held = [row for row in rows(visitor) if row["withheld"] == "True"]
    assert [(row["lat"], row["lon"]) for row in held] == [(first["lat"], first["lon"])] * 2
    visitor.form.get_by_label("whole station").check()
    # As above: the click before this one was at the same place.
    page.wait_for_timeout(350)
    page.mouse.click(*at)
    visitor.settle()
    assert not [row for row in rows(visitor) if row["withheld"] == "True"]
    visitor.form.get_by_label("whole station").uncheck()


def test_where_influence_is_shown_a_click_keeps_it(revisit):
    visitor = revisit(f"{FEW}&column=influence")
    page = visitor.page
    page.wait_for_selector("text=converged in")
    first = rows(visitor)[0]
    x, y = pixel(visitor, first["variable"], float(first["lat"]), float(first["lon"]))
    page.mouse.click(x, y)
    visitor.settle()
    page.mouse.move(5, 5)
    visitor.settle()
    chosen(visitor, "1 selected")
    expect(page.locator(".note").nth(1)).to_contain_text("1: ")
    assert not [row for row in rows(visitor) if row["withheld"] == "True"]


def test_a_film_shows_an_analysis_of_each_of_its_months(visit):
    visitor = visit(FEW)
    page = visitor.page
    page.wait_for_selector("text=converged in")
    # What stands above the maps and whether it is of that month, at each picture.
    page.evaluate(
        """() => {
          window.seen = {}
          const deep = (root, query) => root.querySelector(query) ?? [...root.querySelectorAll("*")]
            .map((node) => node.shadowRoot && deep(node.shadowRoot, query)).find(Boolean)
          const look = () => {
            const month = deep(document, ".strip .month").textContent
            const still = [...document.querySelectorAll(".heading .usual *")]
              .map((node) => node.shadowRoot?.querySelector(".note.still")).find(Boolean)
            window.seen[month] ||= !still
            requestAnimationFrame(look)
          }
          look()
        }"""
    )
    page.locator("#play").click()
    page.wait_for_function("() => Object.keys(window.seen).length >= 5", timeout=90_000)
    page.locator("#play").click()
    visitor.settle()
    seen = page.evaluate("window.seen")
    # Every month was seen with its own analysis before the next one came.
    assert all(list(seen.values())[:-1]), seen


def test_idle_settings_of_a_method_are_disabled(revisit):
    visitor = revisit(f"{FEW}&live=0")
    expect(visitor.form.get_by_role("slider", name="Localisation radius")).to_be_enabled()
    visitor.choose("Method", METHODS["adam"].label)
    expect(visitor.form.get_by_role("slider", name="Localisation radius")).to_be_disabled()
    expect(visitor.form.get_by_role("checkbox", name="residual")).to_be_disabled()
    visitor.choose("Method", METHODS["enoi"].label)
    expect(visitor.form.get_by_role("slider", name="Localisation radius")).to_be_enabled()
    expect(visitor.form.get_by_role("checkbox", name="residual")).to_be_disabled()


def test_the_parts_of_the_cost_add_up(revisit):
    visitor = revisit(FEW)
    page = visitor.page
    page.wait_for_selector("text=converged in")
    expect(page.locator(".cost")).to_contain_text(re.compile(r"\d"))
    visitor.settle()
    numbers = [float(n) for n in re.findall(r"[\d.]+", page.locator(".cost").inner_text())]
    assert numbers[0] == pytest.approx(numbers[1] + numbers[2], abs=1e-6)


def test_a_csv_with_bad_rows_names_them(revisit, tmp_path):
    visitor = revisit(OBSERVE)
    page = visitor.page
    path = tmp_path / "mine.csv"
    path.write_text(
        "variable,lat,lon,value,error_sd,withheld,label\n"
        "tas,51.5,-0.1,1.2,0.3,no,London\n"
        "tas,95,0,1,0.3,no,\n"
        "psl,-12.4,130.8,-2,0.5,yes,Darwin\n"
        "tos,50,90,1,0.2,no,Siberia\n"
    )
    visitor.form.get_by_label("Upload CSV").set_input_files(path)
    visitor.settle()
    page.wait_for_selector(".rejected li >> nth=1")
    said = page.locator(".rejected").inner_text()
    assert "2 of 4 rows refused" in said
    assert "row 2" in said
    assert "95" in said
    assert "row 4" in said
    assert "land" in said
    assert [row["label"] for row in rows(visitor)] == ["London", "Darwin"]
    # The table lists the same two.
    expect(page.locator(".tabulator-row")).to_have_count(2)
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"\x00\x01 nothing")
    visitor.form.get_by_label("Upload CSV").set_input_files(bad)
    page.wait_for_selector(".status.failed")
    assert len(rows(visitor)) == 2


def test_a_cell_of_the_table_is_edited(revisit):
    visitor = revisit(f"{OBSERVE}&live=0")
    page = visitor.page
    click(visitor, "tas", 0, 230)
    page.wait_for_selector(".tabulator-row")
    page.locator(".tabulator-row .tabulator-cell[tabulator-field=value]").first.click()
    # The click selects the row as well, and its card takes a part of the table's place.
    expect(visitor.form.get_by_role("button", name="Close")).to_be_visible()
    field = page.locator(".tabulator-row .tabulator-cell[tabulator-field=value] input")
    field.fill("4.25")
    field.press("Enter")
    visitor.settle()
    page.wait_for_function("() => location.search.includes('rows=')")
    (row,) = rows(visitor)
    assert float(row["value"]) == 4.25


def test_a_newer_request_supersedes_the_running_one_and_the_page_answers_meanwhile(revisit):
    visitor = revisit(f"{FEW}")
    page = visitor.page
    visitor.choose("Method", METHODS["adam"].label)
    page.wait_for_function("() => document.documentElement.hasAttribute('data-busy')")
    # Adam takes seconds: the page does what it is told meanwhile.
    page.locator("#theme").click()
    page.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
    assert page.evaluate("document.documentElement.hasAttribute('data-busy')")
    visitor.choose("Method", METHODS["climatology"].label)
    outcome = page.locator(".outcome")
    expect(outcome).to_contain_text(re.compile("climatology", re.IGNORECASE))
    visitor.settle(limit=60)
    blank = visitor.pixels()
    # Time in which Adam's steps would come, were they not dropped.
    page.wait_for_timeout(1500)
    assert visitor.pixels() == blank
    expect(outcome).to_contain_text(re.compile("climatology", re.IGNORECASE))


def test_step_by_step_with_pause_and_cancel(revisit):
    visitor = revisit(f"{FEW}&method=climatology&live=0")
    page = visitor.page
    visitor.choose("Method", METHODS["adam"].label)
    page.wait_for_selector("text=changed since")
    blank = visitor.pixels()
    visitor.button("Step").click()
    expect(visitor.button("Pause")).to_be_visible()
    page.wait_for_function(
        "() => document.documentElement.hasAttribute('data-busy')",
    )
    visitor.until_drawn(blank)
    visitor.button("Pause").click()
    page.wait_for_selector("text=Go on")
    visitor.settle()
    still = visitor.pixels()
    # Time in which further steps would come, were it not paused.
    page.wait_for_timeout(900)
    assert visitor.pixels() == still
    visitor.button("+1").click()
    visitor.until_changed(still, {"psl model", "tas model"})
    visitor.button("Cancel").click()
    page.wait_for_selector("text=Cancelled")
    expect(visitor.button("Step")).to_be_visible()


def test_a_slider_pauses_the_analysis_and_resume_brings_it_back(revisit):
    visitor = revisit(f"{FEW}")
    page = visitor.page
    page.wait_for_selector("text=converged in")
    visitor.settle()
    analysed = visitor.pixels(".map")
    page.locator("[data-tool=explore]").click()
    visitor.number(0).wait_for(state="visible")
    z = visitor.value(0)
    place = visitor.number(0).bounding_box()
    visitor.number(0).fill(str(z + 2))
    visitor.number(0).press("Enter")
    page.wait_for_selector(".paused:has-text('Cost')")
    # What says so must not push the slider away under the hand.
    assert visitor.number(0).bounding_box() == place
    low, high = re.search(
        r"Cost ([\d.]+) → ([\d.]+)", page.locator(".paused").inner_text()
    ).groups()
    assert float(high) > float(low)
    page.locator("#resume").click()
    expect(page.locator(".paused")).to_be_hidden()
    visitor.settle()
    assert visitor.value(0) == pytest.approx(z)
    assert visitor.pixels(".map") == analysed


def test_members_are_flipped_through_and_counted(revisit):
    visitor = revisit(f"{FEW}&column=member")
    page = visitor.page
    models = {f"{name} model" for name in ("psl", "tos", "tas", "pr")}
    expect(page.locator(".against .model").first).to_have_text("Member", timeout=60_000)
    expect(page.locator(".members output")).to_have_text("1/50")
    before = visitor.pixels()
    page.locator("#member").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".members output")).to_have_text("2/50")
    visitor.until_changed(before, models)
    flip = page.get_by_role("button", name="Flip through the members")
    flip.click()
    expect(page.locator(".members output")).to_have_text("4/50", timeout=20_000)
    flip.click()
    expect(flip).to_have_attribute("aria-pressed", "false")
    before = visitor.pixels()
    page.get_by_label("Members by").select_option("Several starts")
    visitor.asks(sampler="multistart")
    expect(page.locator(".sampler")).to_contain_text("1 distinct minimum", timeout=60_000)
    visitor.until_changed(before, models)
    before = visitor.pixels()
    page.select_option(".shows-column select", "Probability")
    page.select_option(".event select", "Lower fifth")
    visitor.until_changed(before, models)
    assert "%" in visitor.text("[data-variable=psl] .key")
    expect(page.locator("[data-variable=pr] .key").first).to_contain_text("driest fifth")
    expect(page.locator(".amplify select")).to_be_hidden()
    expect(page.locator(".members")).to_be_hidden()
    visitor.asks(event="lower")


def test_columns_of_the_model(visit):
    # Of its own: no observation may be selected, and no link says which is.
    visitor = visit(f"{FEW}")
    page = visitor.page
    page.wait_for_selector("text=converged in")
    models = {f"{name} model" for name in ("psl", "tos", "tas", "pr")}
    for column, key in (
        ("Increment", "increment"),
        ("Analysis − target", "difference"),
        ("Spread", "spread"),
    ):
        before = visitor.pixels()
        page.select_option(".shows-column select", column)
        visitor.asks(column=key)
        # The increment from the prior mean looks like the analysis but for its zero.
        assert visitor.changed(before) <= models
        assert "hPa" in visitor.text("[data-variable=psl] .key")
    page.select_option(".shows-column select", "One observation's influence")
    visitor.asks(column="influence")
    # Off the maps, so that no observation is pointed at.
    page.mouse.move(6, 6)
    expect(page.locator(".note:has-text('1: ')")).to_have_count(0)
    visitor.settle()
    nothing = visitor.pixels()
    where = rows(visitor)[0]
    page.mouse.move(*pixel(visitor, where["variable"], float(where["lat"]), float(where["lon"])))
    page.wait_for_selector(".note:has-text('1: ')")
    visitor.until_changed(nothing, models)


def test_tab_leaves_the_table_and_arrows_go_through_it(visit):
    visitor = visit(f"{FEW}")
    page = visitor.page
    page.wait_for_selector("text=converged in")
    visitor.settle()
    stop = """let at = document.activeElement
        while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement"""
    heard = []
    visitor.button("Download CSV").focus()
    for key in ["Tab", "ArrowDown", *["Tab"] * 5]:
        page.evaluate(f"() => {{ {stop}; window.stopBefore = at }}")
        page.keyboard.press(key)
        # Two stops one after another may have the same label, or none.
        page.wait_for_function(f"() => {{ {stop}; return at !== window.stopBefore }}")
        heard.append(
            page.evaluate(f"() => {{ {stop}; return at.getAttribute('aria-label') ?? at.id }}")
        )
    assert heard[:2] == ["Latitude of observation 1", "Latitude of observation 2"]
    assert heard[5] == "Withheld of observation 2"
    assert "observation" not in heard[6]


def test_undo_a_link_and_the_keyboard_alone(visit, revisit):
    visitor = revisit(OBSERVE)
    page = visitor.page
    visitor.choose("Variable", "pressure")
    visitor.form.get_by_label("lat", exact=True).fill("-12,5")
    visitor.form.get_by_label("lon", exact=True).fill("130.8")
    visitor.form.get_by_label("lon", exact=True).press("Enter")
    visitor.settle()
    expect(page.locator(".status")).to_contain_text("Observed: pressure at 12.5°S 130.8°E")
    query = {k: v[0] for k, v in parse_qs(urlparse(page.url).query).items()}
    assert query["network"] == "none"
    assert len(page.url) < 300
    again = visit("?" + urlparse(page.url).query + "&model=analysis&tool=observe")
    counted(again, "1 observation")
    visitor.button("All").focus()
    page.keyboard.press("Enter")
    chosen(visitor, "1 selected")
    page.keyboard.press("Delete")
    counted(visitor, "0 observations")
    page.keyboard.press("Control+z")
    counted(visitor, "1 observation")


def test_the_tool_and_its_table_fit_the_window(visit):
    width, height = 1920, 1080
    visitor = visit(FEW, width=width, height=height)
    page = visitor.page
    page.wait_for_selector(".tabulator-row")
    places = [page.locator(place).first for place in (".listing", "footer", ".shows-column select")]
    for place in [*places, visitor.button("Download CSV"), visitor.button("Delete")]:
        box = place.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
    aside = page.locator("#tool-observe")
    assert aside.evaluate("(a) => a.scrollWidth <= a.clientWidth")


def test_dense_networks_say_that_they_are_not_drawn(revisit):
    visitor = revisit("?tool=observe&network=sst_only&model=code")
    expect(visitor.page.locator(".hid")).to_contain_text("too dense to draw")


def test_every_control_of_the_tool_has_a_name(revisit):
    visitor = revisit(FEW)
    nameless = visitor.page.evaluate(
        """() => {
          const deep = (root) => [...root.querySelectorAll("*")].flatMap((node) => [
            // Bokeh's arrows beside a number are hidden until the pointer is there.
            ...(node.matches("button:not(.bk-spin-btn), input:not([hidden]), select") &&
              !node.closest(".tabulator") ? [node] : []),
            ...(node.shadowRoot ? deep(node.shadowRoot) : []),
          ])
          return deep(document.querySelector("aside")).filter((node) =>
            !(node.getAttribute("aria-label") || node.title || node.textContent.trim() ||
              node.labels?.length)
          ).map((node) => node.outerHTML)
        }"""
    )
    assert nameless == []


def test_a_report_in_words_is_placed_withheld_and_undone(visit):
    visitor = visit(OBSERVE)
    page = visitor.page
    before = visitor.pixels()
    visitor.choose("Observe as", "Report: much below usual")
    click(visitor, "tas", 45, 230)
    expect(page.locator(".status")).to_contain_text("report in words")
    expect(page.locator(".outcome")).to_contain_text("Converged in")
    assert {"tas model", "tas target", "psl model"} <= visitor.changed(before)
    (row,) = rows(visitor)
    assert (row["kind"], float(row["value"])) == ("report", -2.0)
    expect(page.locator(".tabulator-cell[tabulator-field=value]")).to_have_text("much colder")
    expect(page.locator(".tabulator-cell[tabulator-field=kind]")).to_have_text("◆")
    observed = visitor.pixels()
    click(visitor, "tas", 45, 230)
    counted(visitor, "1 withheld")
    # Only the marker is left of it.
    assert visitor.pixels()["psl model"] == before["psl model"]
    assert visitor.pixels()["tas target"] != before["tas target"]
    page.keyboard.press("Control+z")
    expect(page.locator(".counts")).not_to_contain_text("withheld")
    visitor.settle()
    assert visitor.pixels()["psl model"] == observed["psl model"]
    again = visit("?" + urlparse(page.url).query + "&model=analysis&tool=observe")
    (row,) = rows(again)
    assert (row["kind"], float(row["value"])) == ("report", -2.0)


def test_a_mean_is_dragged_a_difference_is_two_clicks_and_both_have_cards(visit):
    visitor = visit(OBSERVE)
    page, status = visitor.page, visitor.page.locator(".status")
    visitor.choose("Observe as", "Mean of a region")
    expect(page.locator("p.hint", has_text="Drag a box")).to_be_visible()
    start, end = pixel(visitor, "tas", 60, 100), pixel(visitor, "tas", 40, 140)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()
    expect(status).to_contain_text("air over")
    visitor.choose("Observe as", "Difference")
    expect(page.locator("p.hint", has_text="first place")).to_be_visible()
    click(visitor, "psl", 50, 200)
    expect(page.locator("p.hint", has_text="Begun: pressure at 50")).to_be_visible()
    page.keyboard.press("Escape")
    expect(status).to_contain_text("Given up")
    before = visitor.pixels()
    click(visitor, "psl", 50, 200)
    click(visitor, "psl", 30, 230)
    expect(status).to_contain_text("minus 30")
    counted(visitor, "2 observations")
    expect(page.locator(".outcome")).to_contain_text("DFS")
    assert {"psl target", "psl model"} <= visitor.changed(before)
    assert [row["kind"] for row in rows(visitor)] == ["mean", "difference"]
    page.get_by_role("radio", name="Ask").click()
    click(visitor, "psl", 50, 200)
    expect(page.locator(".card .sentence")).to_contain_text("hPa where the others say")
    # Heads that are whole words or signs, none cut off.
    heads = page.locator(".tabulator-col:visible .tabulator-col-title")
    cut = heads.evaluate_all(
        "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.trim())"
    )
    # The column of the buttons that delete has no word.
    assert [head for head in cut if head] == []

"""The page in a real Chromium."""

import json
import re
import signal
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

MODELS = {f"{name} {kind}" for name in ("psl", "tos", "tas", "pr") for kind in ("model", "scatter")}
TARGETS = {f"{name} target" for name in ("psl", "tos", "tas", "pr")}
ALL = MODELS | TARGETS


def query(visitor):
    return {key: value[0] for key, value in parse_qs(urlparse(visitor.page.url).query).items()}


def drag(visitor, k, share):
    """Drag a slider's handle with the mouse, in steps, to a share of its width."""
    box = visitor.slider(k).bounding_box()
    value = float(visitor.slider(k).input_value())
    x = box["x"] + 7 + (value + 4) / 8 * (box["width"] - 14)
    y = box["y"] + box["height"] / 2
    to = box["x"] + 7 + share * (box["width"] - 14)
    visitor.page.mouse.move(x, y)
    visitor.page.mouse.down()
    for i in range(1, 11):
        visitor.page.mouse.move(x + (to - x) * i / 10, y)
        # As fast as a hand: without a pause the browser makes one event of them all.
        visitor.page.wait_for_timeout(15)
    return visitor.page.mouse.up


def test_a_page_shows_a_test_month_with_its_code_and_asks_nothing_of_any_other_machine(visit):
    visitor = visit()
    page = visitor.page
    expect(page.locator(".strip .month")).to_have_text("December 1997")
    expect(page.locator(".split")).to_contain_text("test month")
    expect(page.locator("#encode")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".nino")).to_contain_text("Niño 3.4")
    expect(page.locator(".base")).to_contain_text("Anomalies from")
    expect(page.locator("ol.first li")).to_have_count(12)
    assert all(visitor.pixels().values())
    for name in ("psl", "tos", "tas", "pr"):
        scores = visitor.text(f"[data-variable={name}] .scores")
        assert re.search(r"r\s+0\.\d\d", scores)
        assert "RMSE" in scores
        assert "expl. var." in scores
    # From the first request on, whatever one does.
    visitor.page.locator(".all summary").click()
    visitor.page.wait_for_selector("ol.rest li >> nth=87")
    visitor.page.select_option("#projection", "north")
    visitor.page.locator("#theme").click()
    visitor.settle()
    outside = [
        url
        for url in visitor.requests
        if not url.startswith(("data:", "blob:")) and urlparse(url).hostname != "localhost"
    ]
    assert outside == []


def test_dragging_changes_models_and_scatters_while_the_handle_moves(revisit):
    visitor = revisit()
    before = visitor.pixels()
    z = visitor.value(0)
    release = drag(visitor, 0, 0.9 if z < 1 else 0.1)
    held = visitor.changed(before)
    release()
    assert held == MODELS
    visitor.settle()
    assert abs(visitor.value(0) - z) > 0.5
    expect(visitor.page.locator(".origin")).to_contain_text("then by hand")
    expect(visitor.page.locator("#encode")).to_have_attribute("aria-pressed", "false")
    assert "z" in query(visitor)


def test_the_maps_follow_the_hand_while_the_server_does_something_else(revisit, server):
    visitor = revisit()
    page = visitor.page
    box = visitor.slider(1).bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.5 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.55 * box["width"], y, steps=4)
    visitor.settle()
    before = visitor.pixels()
    server.process.send_signal(signal.SIGSTOP)
    try:
        page.mouse.move(box["x"] + 0.8 * box["width"], y, steps=8)

        def moved():
            now = visitor.pixels()
            return {name for name in now if now[name] != before[name]}

        visitor.until(lambda: moved() == {name for name in MODELS if name.endswith("model")})
        # What the server alone makes says that it is of another state.
        expect(page.locator("[data-variable=psl] .scatter")).to_have_css("opacity", "0.35")
    finally:
        server.process.send_signal(signal.SIGCONT)
    page.mouse.up()
    visitor.until_changed(before, MODELS)
    expect(page.locator("[data-variable=psl] .scatter")).to_have_css("opacity", "1")
    visitor.settle()
    # What is shown then is the server's, as who comes by the link sees it.
    shown, link = visitor.pixels(), "?" + urlparse(page.url).query
    visitor.page.locator("#prior").click()
    visitor.until_changed(shown, MODELS)
    visitor.follow(link)
    assert visitor.pixels() == shown


def test_nothing_moves_after_release(revisit):
    visitor = revisit()
    drag(visitor, 0, 0.95)()
    # The page says itself when it has answered, however busy the machine is.
    visitor.settle()
    before = visitor.pixels()
    # Time in which a frame that lags behind would come.
    visitor.page.wait_for_timeout(500)
    assert visitor.pixels() == before


def test_exact_values_and_keys(revisit):
    visitor = revisit()
    visitor.number(3).fill("1.23")
    visitor.number(3).press("Enter")
    visitor.settle()
    assert float(visitor.slider(3).input_value()) == pytest.approx(1.23)
    before = visitor.pixels()
    visitor.slider(3).focus()
    for _ in range(20):
        visitor.page.keyboard.press("ArrowRight")
    assert visitor.changed(before) == MODELS
    assert visitor.value(3) == pytest.approx(1.43)


def test_undo_and_redo(visit):
    visitor = visit()
    first = visitor.pixels()
    visitor.number(0).fill("-2.5")
    visitor.number(0).press("Enter")
    assert visitor.changed(first) == MODELS
    second = visitor.pixels()
    visitor.page.locator("#undo").click()
    expect(visitor.page.locator("#undo")).to_be_disabled()
    visitor.settle()
    assert visitor.pixels() == first
    visitor.page.locator("#redo").click()
    visitor.settle()
    assert visitor.pixels() == second
    visitor.page.locator("body").press("Control+z")
    visitor.settle()
    assert visitor.pixels() == first


def test_month_buttons_arrows_and_play(revisit):
    visitor = revisit()
    before = visitor.pixels()
    visitor.page.locator("[data-month='6']").click()
    assert visitor.changed(before) == ALL
    month = visitor.page.locator(".strip .month")
    expect(month).to_have_text("June 1997")
    visitor.asks(month="1997-06")
    visitor.page.locator("#next").click()
    visitor.asks(month="1997-07")
    visitor.page.locator("#prev").click()
    visitor.asks(month="1997-06")
    visitor.page.locator("#year").focus()
    visitor.page.keyboard.press("ArrowLeft")
    expect(month).to_have_text("June 1996")
    expect(visitor.page.locator(".split")).to_contain_text("training month: fit, not skill")
    visitor.page.locator("#play").click()
    visitor.page.wait_for_function(
        "() => new URLSearchParams(location.search).get('month') >= '1996-08'", timeout=20_000
    )
    visitor.page.locator("#play").click()
    visitor.settle()
    stopped = query(visitor)["month"]
    # Time in which the next month would come.
    visitor.page.wait_for_timeout(1200)
    assert query(visitor)["month"] == stopped


def test_test_months_are_marked(revisit):
    visitor = revisit("?month=1998-02")
    marked = visitor.page.locator(".months button.test")
    expect(marked).to_have_count(12)
    expect(marked.first).to_have_attribute("aria-label", re.compile("test"))


def test_encode_prior_and_random(revisit):
    visitor = revisit()
    encoded = visitor.pixels()
    visitor.page.locator("#prior").click()
    expect(visitor.number(0)).to_have_value("0.00")
    visitor.page.locator("#seed").fill("42")
    visitor.page.locator("#random").click()
    expect(visitor.page.locator(".origin")).to_contain_text("seed 42")
    expect(visitor.page.locator("#seed")).to_have_value("43")
    visitor.settle()
    drawn = visitor.pixels()
    visitor.page.locator("#encode").click()
    visitor.settle()
    assert visitor.pixels() == encoded
    visitor.page.locator("#seed").fill("42")
    visitor.page.locator("#random").click()
    visitor.settle()
    assert visitor.pixels() == drawn


def test_a_walk_moves_and_can_be_stopped(revisit):
    visitor = revisit()
    page = visitor.page
    page.locator("#from").fill("1997-12")
    page.locator("#to").fill("draw 7")
    before = visitor.pixels()
    page.locator("#walk").click()
    visitor.until_drawn(before)
    expect(page.locator("#walk")).to_have_text("Stop")
    page.locator("#walk").click()
    expect(page.locator("#walk")).to_have_text("Walk")
    visitor.settle()
    still = visitor.pixels()
    # Time in which the next step would come.
    page.wait_for_timeout(700)
    assert visitor.pixels() == still
    page.locator("#to").fill("nowhere")
    page.locator("#walk").click()
    page.wait_for_selector(".status.failed")
    visitor.says("nowhere")


def test_the_url_restores_the_state(visit, revisit):
    visitor = revisit()
    visitor.number(0).fill("2.2")
    visitor.number(0).press("Enter")
    visitor.page.select_option("#projection", "south")
    visitor.page.locator("[data-fields=full]").click()
    visitor.asks(fields="full")
    visitor.settle()
    assert {"z", "projection", "fields", "month"} <= set(query(visitor))
    again = visit("?" + urlparse(visitor.page.url).query)
    assert again.pixels() == visitor.pixels()
    assert again.value(0) == pytest.approx(2.2)
    expect(again.page.locator("#projection")).to_have_value("south")


def test_the_browsers_back_button_goes_back(revisit):
    visitor = revisit("?month=1997-06")
    before = visitor.pixels()
    visitor.page.locator("[data-month='9']").click()
    visitor.settle()
    visitor.page.locator("[data-month='2']").click()
    visitor.settle()
    month = visitor.page.locator(".strip .month")
    visitor.page.go_back()
    expect(month).to_have_text("September 1997")
    visitor.page.go_back()
    expect(month).to_have_text("June 1997")
    visitor.settle()
    assert visitor.pixels() == before


@pytest.mark.parametrize(
    ("bad", "culprit"),
    [("?month=1850-01", "1850-01"), ("?z=AAAA", "latent vector"), ("?theme=pink", "pink")],
)
def test_a_bad_url_says_so_and_falls_back(visit, bad, culprit):
    visitor = visit(bad)
    visitor.says(culprit)
    assert "Traceback" not in visitor.page.content()
    expect(visitor.page.locator(".strip .month")).to_have_text("December 1997")


def test_two_visitors_do_not_see_each_other(visit, revisit):
    one, other = visit(), revisit()
    before = other.pixels()
    one.number(0).fill("-3")
    one.number(0).press("Enter")
    one.page.locator("[data-month='3']").click()
    one.settle()
    # Time in which a frame meant for the other would come.
    other.page.wait_for_timeout(400)
    assert other.pixels() == before
    expect(other.page.locator(".strip .month")).to_have_text("December 1997")
    other.page.locator("#prior").click()
    other.settle()
    assert one.value(0) != 0.0


def test_save_and_load(revisit, tmp_path):
    visitor = revisit()
    visitor.number(1).fill("-1.5")
    visitor.number(1).press("Enter")
    visitor.settle()
    saved = visitor.pixels()
    with visitor.page.expect_download() as waiting:
        visitor.page.locator("#save").click()
    path = tmp_path / "state.json"
    waiting.value.save_as(path)
    assert json.loads(path.read_text())["z"][1] == pytest.approx(-1.5)
    visitor.page.locator("#prior").click()
    visitor.settle()
    assert visitor.pixels() != saved
    visitor.page.locator("#file").set_input_files(path)
    visitor.settle()
    assert visitor.pixels() == saved
    bad = tmp_path / "bad.json"
    bad.write_text("{ no json")
    visitor.page.locator("#file").set_input_files(bad)
    visitor.page.wait_for_selector(".status.failed")
    visitor.says("not JSON")
    assert visitor.pixels() == saved


@pytest.mark.parametrize("key", ["platecarree", "north", "south"])
def test_projections_change_the_maps_only(revisit, key):
    visitor = revisit()
    before = visitor.pixels()
    visitor.page.select_option("#projection", key)
    changed = visitor.changed(before)
    assert changed == {name for name in ALL if not name.endswith("scatter")}
    visitor.page.select_option("#projection", "robinson")
    visitor.settle()
    assert visitor.pixels() == before


def test_full_fields_change_every_pane_and_the_units(revisit):
    visitor = revisit()
    before = visitor.pixels()
    visitor.page.locator("[data-fields=full]").click()
    assert visitor.changed(before) == ALL
    legend = visitor.text("[data-variable=tas] .legend")
    assert "°C" in legend
    visitor.page.locator("[data-fields=anomalies]").click()
    visitor.settle()
    assert visitor.pixels() == before


def test_hovering_reads_target_and_model(revisit):
    visitor = revisit()
    box = visitor.page.locator("[data-variable=tos] .map.model").bounding_box()
    visitor.page.mouse.move(box["x"] + 0.62 * box["width"], box["y"] + box["height"] / 2)
    tip = visitor.page.locator(".bk-Tooltip", has_text="target").first
    tip.wait_for()
    text = visitor.text(".bk-Tooltip")
    assert re.search(r"\d+\.\d°[NS]\s+\d+\.\d°[EW]", text)
    assert len(re.findall(r"[+−]?\d+\.\d\d K", text)) == 2


def test_a_pointer_that_rests_reads_the_new_analysis_and_a_drag_takes_the_tooltip_away(revisit):
    visitor = revisit("?tool=observe&model=analysis&network=none")
    page = visitor.page
    box = page.locator("[data-variable=tos] .map.model").bounding_box()
    x, y = box["x"] + 0.6 * box["width"], box["y"] + box["height"] / 2
    tip = page.locator(".bk-Tooltip", has_text="target").first

    def read():
        return re.findall(r"[+−]?\d+\.\d\d K", visitor.text(".bk-Tooltip"))

    page.mouse.move(x - 30, y)
    page.mouse.move(x, y)
    tip.wait_for()
    before = read()
    page.mouse.down()
    page.mouse.up()
    # The map changes at once, with its new marker; the analysis that the tooltip reads comes later.
    visitor.until(lambda: read()[1:] not in ([], before[1:]))
    after = read()
    # The target is what it was, the analysis has taken it in.
    assert after[0] == before[0]
    page.mouse.down()
    page.mouse.move(x + 40, y - 20, steps=4)
    tip.wait_for(state="hidden")
    page.mouse.up()


def test_zoom_is_linked_and_can_be_reset(revisit):
    visitor = revisit()
    before = visitor.pixels()
    box = visitor.page.locator("[data-variable=psl] .map.target").bounding_box()
    visitor.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    visitor.page.mouse.wheel(0, -400)
    maps = {name for name in ALL if not name.endswith("scatter")}
    assert maps <= visitor.changed(before)
    visitor.page.locator("#home").click()
    visitor.page.mouse.move(5, 5)
    visitor.settle()
    assert visitor.pixels(".map") == {name: before[name] for name in maps}


def test_a_double_click_enlarges_a_variable_and_escape_goes_back(revisit):
    visitor = revisit()
    page = visitor.page
    page.locator("[data-variable=pr] .map.model").dblclick()
    expect(page.locator("[data-variable=psl]")).to_be_hidden()
    visitor.settle()
    large = page.locator("[data-variable=pr] .map.model").bounding_box()
    page.keyboard.press("Escape")
    expect(page.locator("[data-variable=psl]")).to_be_visible()
    visitor.settle()
    small = page.locator("[data-variable=pr] .map.model").bounding_box()
    assert large["width"] > 1.5 * small["width"]


def check_fit(page, width, height):
    for name in ("psl", "tos", "tas", "pr"):
        for kind in (".map.target", ".map.model", ".scatter", ".legend"):
            box = page.locator(f"[data-variable={name}] {kind}").bounding_box()
            assert box["y"] + box["height"] <= height
            assert box["x"] + box["width"] <= width
            if kind.startswith(".map"):
                assert box["width"] == pytest.approx(2 * box["height"], rel=0.01)
    size = page.evaluate("() => [document.body.scrollWidth, document.body.scrollHeight]")
    assert size == [width, height]


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720)])
def test_everything_fits_without_scrolling(visit, width, height):
    visitor = visit(width=width, height=height)
    page = visitor.page
    expect(page.locator("aside")).to_be_visible()
    check_fit(page, width, height)
    page.locator("#fold").click()
    expect(page.locator("aside")).to_be_hidden()
    visitor.settle()
    check_fit(page, width, height)


def test_themes(revisit):
    visitor = revisit()
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = visitor.page.evaluate(ground)
    visitor.page.locator("#theme").click()
    visitor.page.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
    dark = visitor.page.evaluate(ground)
    assert light != dark
    visitor.asks(theme="dark")


def test_all_hundred_sliders_open_in_a_fold(revisit):
    visitor = revisit()
    visitor.page.locator(".all summary").click()
    visitor.page.wait_for_selector("ol.rest li >> nth=87")
    before = visitor.pixels()
    visitor.number(20).fill("3.5")
    visitor.number(20).press("Enter")
    assert MODELS >= visitor.changed(before) >= {"psl model"}


def test_every_control_has_a_name(revisit):
    visitor = revisit()
    nameless = visitor.page.evaluate(
        """() => {
          const deep = (root) => [...root.querySelectorAll("*")].flatMap((node) => [
            // Bokeh's arrows beside a number are hidden until the pointer is there.
            ...(node.matches("button:not(.bk-spin-btn), input:not([hidden]), select")
              ? [node] : []),
            ...(node.shadowRoot ? deep(node.shadowRoot) : []),
          ])
          return deep(document.querySelector(".page")).filter((node) =>
            !(node.getAttribute("aria-label") || node.textContent.trim() || node.labels?.length)
          ).map((node) => node.outerHTML)
        }"""
    )
    assert nameless == []


def test_a_broken_bundle_is_named_in_one_sentence(serve, browser, tmp_path):
    server = serve(MLDA_BUNDLE=str(tmp_path / "nothing-here"))
    page = browser.new_page()
    page.goto(server.url)
    text = page.locator(".broken p").inner_text()
    assert "nothing-here" in text
    assert text.endswith(".")
    assert page.locator(".broken p").is_visible()
    assert "Traceback" not in page.content()
    page.close()

"""The page's layout: every control in reach at every width, and what the page arranges by itself."""

import pytest

pytestmark = pytest.mark.browser

# Controls that are neither in the window nor to be scrolled into it, or that another one covers; with
# how many there are. What a scrolling parent clips counts by the part of that parent that is seen.
CONTROLS = """() => {
  const kinds = "button, input, select, summary, a[href], [role=tab], [role=separator]"
  const parent = (node) => node.parentNode instanceof ShadowRoot ? node.parentNode.host : node.parentElement
  const name = (node) => node.id || node.getAttribute("aria-label") || node.textContent.trim() || node.className
  const bad = [], boxes = []
  let count = 0
  const look = (node) => {
    const at = node.getBoundingClientRect()
    if (!node.checkVisibility() || !at.width || !at.height || node.matches(".skip")) return
    count += 1
    let { left, right, top, bottom } = at
    let whole = true
    for (let p = parent(node); p; p = parent(p)) {
      const style = getComputedStyle(p), clip = p.getBoundingClientRect()
      const scrolls = /auto|scroll/.test(style.overflowY)
      if (scrolls) {
        top = Math.min(Math.max(top, clip.top), clip.bottom)
        bottom = Math.max(Math.min(bottom, clip.bottom), clip.top)
      } else if (style.overflowY !== "visible" && (top < clip.top - 1 || bottom > clip.bottom + 1)) whole = false
      if (style.overflowX !== "visible" && !/auto|scroll/.test(style.overflowX) &&
        (left < clip.left - 1 || right > clip.right + 1)) whole = false
      if (style.position === "fixed") break
    }
    const inside = left >= -1 && right <= innerWidth + 1 && top >= -1 && bottom <= innerHeight + 1
    if (!inside || !whole) bad.push(`${name(node)}: ${[left, right, top, bottom].map(Math.round)}`)
    if (node.closest(".line .group, .line > button, .line .look, .rest") && !node.closest("#menu")) boxes.push([name(node), at])
  }
  const walk = (root) => {
    for (const node of root.querySelectorAll("*")) {
      if (node.shadowRoot) walk(node.shadowRoot)
      if (node.matches(kinds)) look(node)
    }
  }
  walk(document)
  boxes.forEach(([a, one], i) => {
    for (const [b, other] of boxes.slice(0, i)) {
      if (one.left < other.right - 1 && other.left < one.right - 1 && one.top < other.bottom - 1 &&
        other.top < one.bottom - 1) bad.push(`${a} covers ${b}`)
    }
  })
  return { bad, count }
}"""
# What the bar holds whatever its width, in the line or in the menu.
BAR = {
    "fold",
    "bundle",
    "prev",
    "play",
    "next",
    "year",
    "projection",
    "home",
    "undo",
    "redo",
    "again",
} | {"share", "save", "load", "theme"}
SIZE = "(node) => parseFloat(getComputedStyle(node).fontSize)"


def controls(page):
    return page.evaluate(CONTROLS)


def resize(visitor, width, height):
    visitor.page.set_viewport_size({"width": width, "height": height})
    # Two frames: the first observes the new size, the second has what was made of it.
    visitor.page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
    )


def in_reach(visitor, width):
    """Return what cannot be reached at a width, with the menu shut and open."""
    page = visitor.page
    found = controls(page)
    bad = found["bad"]
    seen = {
        key for key in BAR if page.locator(f"#{key}").evaluate("(node) => node.checkVisibility()")
    }
    if page.locator("#more").is_visible():
        page.locator("#more").evaluate("(node) => node.click()")
        bad = bad + controls(page)["bad"]
        seen |= {
            key
            for key in BAR
            if page.locator(f"#menu #{key}").count() and page.locator(f"#{key}").is_visible()
        }
        page.locator("#more").evaluate("(node) => node.click()")
    return [f"{width}: {what}" for what in [*bad, *(f"no {key}" for key in BAR - seen)]]


def test_every_control_is_in_reach_at_every_width(visit):
    visitor = visit()
    bad = []
    for width in range(360, 2001, 20):
        resize(visitor, width, 720)
        bad += in_reach(visitor, width)
    assert bad == []
    # It looked at the page, not at nothing.
    assert controls(visitor.page)["count"] > 40


def test_what_has_no_room_is_in_a_menu_for_the_keyboard_too(visit):
    visitor = visit(width=600, height=800)
    page = visitor.page
    assert page.locator("#theme").is_hidden()
    page.locator("#more").focus()
    page.keyboard.press("Enter")
    assert page.locator("#more").get_attribute("aria-expanded") == "true"
    assert page.locator("#theme").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#theme").is_hidden()
    focused = "() => { let n = document.activeElement; while (n.shadowRoot?.activeElement) n = n.shadowRoot.activeElement; return n.id }"
    assert page.evaluate(focused) == "more"


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1366, 768), (1920, 1080)])
def test_tools_are_shown_where_hiding_them_enlarges_nothing(visit, width, height):
    visitor = visit(width=width, height=height)
    page = visitor.page
    assert page.locator("aside").is_visible()
    map_ = page.locator("[data-variable=psl] .map.model")
    shown = map_.bounding_box()["width"]
    page.locator("#fold").click()
    visitor.settle()
    assert map_.bounding_box()["width"] <= 1.05 * shown
    assert page.locator("#fold").get_attribute("aria-expanded") == "false"


def test_on_a_phone_there_is_one_map_at_a_time_and_the_tools_are_a_sheet(visit):
    visitor = visit(width=390, height=844)
    page = visitor.page
    row = page.locator("[data-variable=psl]")
    assert row.locator(".map.target").is_hidden()
    box = row.locator(".map.model").bounding_box()
    assert box["width"] > 360
    page.locator("button[data-show=target]").click()
    assert row.locator(".map.model").is_hidden()
    assert row.locator(".map.target").bounding_box()["width"] == pytest.approx(box["width"], abs=2)
    page.locator("button[data-show=scatter]").click()
    assert row.locator(".scatter canvas").first.is_visible()
    page.locator("button[data-show=scatter]").click()
    assert row.locator(".map.model").is_visible()
    # Everything that a finger is to hit is large enough for it.
    small = page.evaluate(
        """() => {
          const found = []
          const walk = (root) => { for (const n of root.querySelectorAll("*")) {
            if (n.shadowRoot) walk(n.shadowRoot)
            const at = n.getBoundingClientRect()
            if (n.matches("button, select:not(#bundle)") && n.checkVisibility() && at.width && Math.min(at.width, at.height) < 39.5) {
              found.push(`${n.id || n.textContent} ${at.width} x ${at.height}`) } } }
          walk(document)
          return found
        }"""
    )
    assert small == []
    assert page.locator("aside").is_hidden()
    page.locator("#fold").click()
    sheet = page.locator("aside").bounding_box()
    assert sheet["y"] + sheet["height"] == pytest.approx(844, abs=1)
    assert sheet["width"] == 390
    assert controls(page)["bad"] == []
    page.keyboard.press("Escape")
    assert page.locator("aside").is_hidden()
    page.locator("#fold").click()
    page.locator("#close").click()
    assert page.locator("aside").is_hidden()


def test_a_button_enlarges_a_row_for_the_back_of_a_room(visit):
    visitor = visit()
    page = visitor.page
    row = page.locator("[data-variable=tas]")
    before = row.locator(".map.model").bounding_box()["width"]
    row.locator(".enlarge").click()
    visitor.settle()
    assert row.locator(".map.model").bounding_box()["width"] > 1.5 * before
    for text in (".legend .name b", ".legend .name i", ".ticks span", ".scores .r", ".axes .x"):
        assert row.locator(text).first.evaluate(SIZE) >= 24
    # What the column shows is still chosen above it, and the same button leaves.
    page.locator("#column").select_option("spread")
    visitor.settle()
    assert row.locator(".enlarge").get_attribute("aria-pressed") == "true"
    row.locator(".enlarge").click()
    assert page.locator("[data-variable=psl]").is_visible()
    row.focus()
    page.keyboard.press("Enter")
    assert page.locator("[data-variable=psl]").is_hidden()
    page.keyboard.press("Escape")
    assert page.locator("[data-variable=psl]").is_visible()


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
def test_an_open_foot_leaves_the_maps_where_they_are(visit, width, height):
    visitor = visit(width=width, height=height)
    page = visitor.page
    map_ = page.locator("[data-variable=psl] .map.model")
    before = map_.bounding_box()
    page.locator("[data-part=scores]").click()
    visitor.settle()
    assert map_.bounding_box() == before
    last = page.locator("[data-variable=pr] .map.model")
    last.scroll_into_view_if_needed()
    box = last.bounding_box()
    foot = page.locator("footer").bounding_box()
    assert box["y"] + box["height"] <= foot["y"] + 1
    assert foot["y"] + foot["height"] <= height + 1


def test_the_foots_height_is_dragged_stepped_and_reset(visit):
    visitor = visit()
    page = visitor.page
    handle, foot = page.locator("#foot-size"), page.locator("footer")
    assert handle.is_hidden()
    page.locator("[data-part=scores]").click()
    first = foot.bounding_box()["height"]
    at = handle.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 100, steps=4)
    page.mouse.up()
    assert foot.bounding_box()["height"] == pytest.approx(first + 100, abs=3)
    handle.focus()
    page.keyboard.press("ArrowDown")
    assert foot.bounding_box()["height"] == pytest.approx(first + 76, abs=3)
    # No drag leaves the window without maps or without a foot.
    for _ in range(60):
        page.keyboard.press("ArrowUp")
    assert page.locator("#maps").bounding_box()["height"] > 100
    handle.dblclick()
    assert foot.bounding_box()["height"] == first


def test_start_again_is_one_step_that_undo_takes_back(visit):
    visitor = visit()
    page = visitor.page
    first = visitor.pixels()
    page.locator("[data-month='6']").click()
    page.select_option("#projection", "north")
    visitor.settle()
    there = visitor.pixels()
    page.locator("#again").click()
    visitor.settle()
    assert page.locator(".strip .month").inner_text() == "December 1997"
    assert page.locator("#projection").input_value() == "robinson"
    assert page.evaluate("document.documentElement.dataset.tool") == "observe"
    page.locator("#undo").click()
    visitor.settle()
    assert visitor.pixels() == there != first
    assert page.locator("#projection").input_value() == "north"


def test_a_first_visit_is_dark_where_the_system_is_and_a_choice_lasts(browser, server):
    theme = "() => document.documentElement.dataset.theme"
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(server.url + "?tool=explore&model=code&network=none&month=1850-13")
    assert page.evaluate(theme) == "dark"
    page.wait_for_selector("#theme", state="attached")
    page.wait_for_function("() => !document.documentElement.hasAttribute('data-busy')")
    # What the link was refused for is still said.
    assert "1850-13" in page.locator(".status").inner_text()
    page.locator("#theme").evaluate("(node) => node.click()")
    page.wait_for_function("() => document.documentElement.dataset.theme === 'light'")
    page.wait_for_function("() => !document.documentElement.hasAttribute('data-busy')")
    page.goto(server.url + "?tool=explore&model=code&network=none")
    assert page.evaluate(theme) == "light"
    page.goto(server.url + "?tool=explore&model=code&network=none&theme=dark")
    assert page.evaluate(theme) == "dark"
    context.close()


def test_the_served_page_says_at_once_what_it_waits_for(browser, server):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.url)
    assert page.locator(".loading").is_visible()
    assert page.locator(".loading").inner_text().strip()
    context.close()

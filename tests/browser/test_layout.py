"""Every control in reach at every width, and what the page arranges without the server."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

# Controls that are neither in the window nor to be scrolled into it, or that another one of the bar
# covers; which of the bar's are seen; how many there are. Of what a scrolling parent clips the part
# of that parent that is seen counts.
CONTROLS = """([bar, tool]) => {
  if (tool) document.documentElement.dataset.tool = tool
  const kinds = "button, input, select, summary, a[href], [role=tab], [role=separator]"
  const parent = (n) => n.parentNode instanceof ShadowRoot ? n.parentNode.host : n.parentElement
  // Of a parent once, for it has many controls.
  const clips = new Map()
  const clipOf = (p) => {
    if (!clips.has(p)) {
      const { overflowX, overflowY, position } = getComputedStyle(p)
      clips.set(p, [{ overflowX, overflowY, position }, p.getBoundingClientRect()])
    }
    return clips.get(p)
  }
  const name = (n) => n.id || n.getAttribute("aria-label") || n.textContent.trim() || n.className
  const bad = [], boxes = [], seen = []
  let count = 0
  const look = (node) => {
    const at = node.getBoundingClientRect()
    if (!node.checkVisibility() || !at.width || !at.height || node.matches(".skip")) return
    count += 1
    if (bar.includes(node.id)) seen.push(node.id)
    let { left, right, top, bottom } = at
    let whole = true
    for (let p = parent(node); p; p = parent(p)) {
      const [{ overflowX, overflowY, position }, clip] = clipOf(p)
      if (/auto|scroll/.test(overflowY)) {
        top = Math.min(Math.max(top, clip.top), clip.bottom)
        bottom = Math.max(Math.min(bottom, clip.bottom), clip.top)
      } else if (overflowY !== "visible") {
        whole &&= top >= clip.top - 1 && bottom <= clip.bottom + 1
      }
      if (overflowX !== "visible" && !/auto|scroll/.test(overflowX)) {
        whole &&= left >= clip.left - 1 && right <= clip.right + 1
      }
      if (position === "fixed") break
    }
    const inside = left >= -1 && right <= innerWidth + 1 && top >= -1 && bottom <= innerHeight + 1
    if (!inside || !whole) bad.push(`${name(node)} ${[left, right, top, bottom].map(Math.round)}`)
    const stands = node.closest(".top .line") && !node.closest("#menu") && node.id !== "year"
    if (stands) boxes.push([name(node), at])
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
  return { bad, count, seen }
}"""
# What the bar holds whatever its width, in the line or in the menu.
BAR = ["fold", "bundle", "prev", "play", "next", "year", "projection", "home", "undo", "redo"]
BAR += ["again", "share", "save", "load", "theme", "help"]
# The first frame observes a new size, the second has what was made of it.
TWO_FRAMES = """() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"""
SMALL = """() => {
  const found = []
  const walk = (root) => {
    for (const n of root.querySelectorAll("*")) {
      if (n.shadowRoot) walk(n.shadowRoot)
      // What is touched may be larger than what is seen.
      const seen = n.getBoundingClientRect(), touched = getComputedStyle(n, "::after")
      const [width, height] = ["width", "height"].map((way) =>
        Math.max(seen[way], seen.width && parseFloat(touched[way]) || 0))
      if (!n.matches("button, select") || !n.checkVisibility() || !width) continue
      if (Math.min(width, height) < 39.5) found.push([n.id || n.textContent, width, height])
    }
  }
  walk(document)
  return found
}"""
FOCUSED = """() => {
  let node = document.activeElement
  while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement
  return node.id
}"""
SIZE = "(node) => parseFloat(getComputedStyle(node).fontSize)"


def out_of_reach(page):
    """Return what cannot be reached in the window as it is, in each tool and in the menu."""
    bad, seen, counts = [], set(), []
    for tool in ("explore", "perturb", "observe"):
        found = page.evaluate(CONTROLS, [BAR, tool])
        bad += [f"{tool}: {what}" for what in found["bad"]]
        seen |= set(found["seen"])
        counts.append(found["count"])
    if page.locator("#more").is_visible():
        page.locator("#more").evaluate("(node) => node.click()")
        found = page.evaluate(CONTROLS, [BAR, None])
        bad += [f"menu: {what}" for what in found["bad"]]
        seen |= set(found["seen"])
        page.locator("#more").evaluate("(node) => node.click()")
    return bad + [f"no {key}" for key in BAR if key not in seen], min(counts)


def test_every_control_is_in_reach_at_every_width(visit):
    # A tool's form is built when it is first open.
    visitor = visit("?tool=perturb")
    page = visitor.page
    expect(page.get_by_role("button", name="Draw lasso")).to_be_visible()
    page.get_by_role("tab", name="Observe").click()
    expect(visitor.button("Download CSV")).to_be_visible()
    # Drawing twelve figures anew takes most of the time, and moves no control.
    page.add_style_tag(content=".map > *, .square > * { display: none !important }")
    bad, counts = {}, {}
    for width in range(360, 2001, 20):
        page.set_viewport_size({"width": width, "height": 720})
        page.evaluate(TWO_FRAMES)
        found, counts[width] = out_of_reach(page)
        if found:
            bad[width] = found
    assert bad == {}
    # It looked at tools and bar, not at nothing.
    assert counts[1280] > 40
    assert counts[400] > 15


def test_tools_are_shown_where_hiding_them_enlarges_nothing(visit):
    visitor = visit(width=1280, height=720)
    page = visitor.page
    for size in ((1366, 768), (1920, 1080), (1280, 720)):
        page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
        page.evaluate(TWO_FRAMES)
        assert page.locator("aside").is_visible()
    map_ = page.locator("[data-variable=psl] .map.model")
    shown = map_.bounding_box()["width"]
    page.locator("#fold").click()
    assert map_.bounding_box()["width"] <= 1.05 * shown
    assert page.locator("#fold").get_attribute("aria-expanded") == "false"
    # Once chosen it stays, also where the page would have shown them.
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.evaluate(TWO_FRAMES)
    assert page.locator("aside").is_hidden()


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
    assert page.evaluate(SMALL) == []
    assert page.locator("aside").is_hidden()
    page.locator("#fold").click()
    sheet = page.locator("aside").bounding_box()
    assert sheet["y"] + sheet["height"] == pytest.approx(844, abs=1)
    assert sheet["width"] == 390
    assert out_of_reach(page)[0] == []
    page.keyboard.press("Escape")
    assert page.locator("aside").is_hidden()
    page.locator("#fold").click()
    page.locator("#close").click()
    assert page.locator("aside").is_hidden()
    # What has no room in the bar is in a menu, for the keyboard too.
    assert page.locator("#theme").is_hidden()
    page.locator("#more").focus()
    page.keyboard.press("Enter")
    assert page.locator("#more").get_attribute("aria-expanded") == "true"
    assert page.locator("#theme").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#theme").is_hidden()
    assert page.evaluate(FOCUSED) == "more"


def test_a_button_enlarges_a_row_for_the_back_of_a_room(revisit):
    visitor = revisit()
    page = visitor.page
    row = page.locator("[data-variable=tas]")
    before = row.locator(".map.model").bounding_box()["width"]
    row.locator(".enlarge").click()
    visitor.settle()
    assert row.locator(".map.model").bounding_box()["width"] > 1.5 * before
    for text in (".legend .name b", ".legend .name i", ".ticks span", ".scores .r", ".axes .x"):
        assert row.locator(text).first.evaluate(SIZE) >= 24
    # What the column shows is still chosen above it, and the same button leaves.
    page.locator(".shows-column select").select_option("Spread")
    visitor.settle()
    assert row.locator(".enlarge").get_attribute("aria-pressed") == "true"
    row.locator(".enlarge").click()
    assert page.locator("[data-variable=psl]").is_visible()
    row.focus()
    page.keyboard.press("Enter")
    assert page.locator("[data-variable=psl]").is_hidden()
    page.keyboard.press("Escape")
    assert page.locator("[data-variable=psl]").is_visible()


def test_an_open_foot_leaves_the_maps_where_they_are_and_has_the_height_one_gives_it(visit):
    visitor = visit(width=1280, height=720)
    page = visitor.page
    map_, last = (page.locator(f"[data-variable={name}] .map.model") for name in ("psl", "pr"))
    handle, foot = page.locator("#foot-size"), page.locator("footer")
    assert handle.is_hidden()
    before = map_.bounding_box()
    page.locator("footer label").filter(has_text=re.compile("^Verification$")).click()
    handle.wait_for(state="visible")
    assert map_.bounding_box() == before
    last.scroll_into_view_if_needed()
    box, below = last.bounding_box(), foot.bounding_box()
    assert box["y"] + box["height"] <= below["y"] + 1
    assert below["y"] + below["height"] <= 721
    first, at = below["height"], handle.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 100, steps=4)
    page.mouse.up()
    assert foot.bounding_box()["height"] == pytest.approx(first + 100, abs=3)
    handle.focus()
    page.keyboard.press("ArrowDown")
    assert foot.bounding_box()["height"] == pytest.approx(first + 76, abs=3)
    # However far it is stepped, maps are left.
    for _ in range(30):
        page.keyboard.press("ArrowUp")
    assert page.locator("#maps").bounding_box()["height"] > 100
    handle.dblclick()
    assert foot.bounding_box()["height"] == first


def test_on_a_phone_the_foot_follows_the_hand_that_drags_it(visit):
    visitor = visit(width=390, height=844)
    page = visitor.page
    foot = page.locator("footer")
    page.locator("footer label").filter(has_text=re.compile("^Verification$")).click()
    handle = page.locator("#foot-size")
    handle.wait_for(state="visible")
    visitor.settle()
    first, at = foot.bounding_box()["height"], handle.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"]
    page.mouse.move(x, y)
    page.mouse.down()
    # Its line of headings is higher here than on a wide screen: no jump by the difference.
    page.mouse.move(x, y - 2)
    assert foot.bounding_box()["height"] == pytest.approx(first + 2, abs=1)
    page.mouse.move(x, y + 60, steps=4)
    page.mouse.up()
    assert foot.bounding_box()["height"] == pytest.approx(first - 60, abs=1)
    handle.focus()
    page.keyboard.press("ArrowUp")
    assert foot.bounding_box()["height"] == pytest.approx(first - 36, abs=1)
    # With the series below the table nothing is wider than the window.
    page.locator("footer label").filter(has_text=re.compile("^Series$")).click()
    visitor.settle()
    wide = page.locator("footer .results").evaluate("(node) => node.getBoundingClientRect().right")
    assert wide <= 391


def test_buttons_below_the_maps_take_the_theme_that_is_chosen_last(visit):
    visitor = visit("?theme=dark")
    page = visitor.page
    page.locator("footer label").filter(has_text=re.compile("^Verification$")).click()
    button = page.locator("footer button").filter(has_text="Compare").first
    button.wait_for(state="visible")
    raised = """() => {
      const probe = document.body.appendChild(document.createElement("i"))
      probe.style.background = "var(--raised)"
      const found = getComputedStyle(probe).backgroundColor
      probe.remove()
      return found
    }"""
    dark = page.evaluate(raised)
    expect(button).to_have_css("background-color", dark)
    page.locator("#theme").evaluate("(node) => node.click()")
    page.wait_for_function("() => document.documentElement.dataset.theme === 'light'")
    light = page.evaluate(raised)
    assert light != dark
    expect(button).to_have_css("background-color", light)


def test_start_again_is_one_step_that_undo_takes_back(revisit):
    visitor = revisit()
    page = visitor.page
    first = visitor.pixels()
    page.locator("[data-month='6']").click()
    page.select_option("#projection", "north")
    visitor.settle()
    there = visitor.pixels()
    page.locator("#again").click()
    expect(page.locator(".strip .month")).to_have_text("December 1997")
    expect(page.locator("#projection")).to_have_value("robinson")
    expect(page.locator("html")).to_have_attribute("data-tool", "observe")
    visitor.settle()
    page.locator("#undo").click()
    expect(page.locator("#projection")).to_have_value("north")
    visitor.until_back(there)
    assert there != first


def test_a_first_visit_is_dark_where_the_system_is_and_a_choice_lasts(browser, server):
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    plain = f"{server.url}?tool=explore&model=code&network=none"

    def themed(theme):
        page.wait_for_function(f"() => document.documentElement.dataset.theme === '{theme}'")

    page.goto(plain + "&month=1850-13")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.wait_for_selector("#theme", state="attached")
    page.wait_for_function("() => !document.documentElement.hasAttribute('data-busy')")
    # What the link was refused for is still said.
    expect(page.locator(".status")).to_contain_text("1850-13")
    page.locator("#theme").evaluate("(node) => node.click()")
    themed("light")
    for query, theme in (("", "light"), ("&theme=dark", "dark")):
        page.goto(plain + query, wait_until="domcontentloaded")
        themed(theme)
    context.close()


def test_the_served_page_says_at_once_what_it_waits_for(browser, server):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.url)
    assert page.locator(".loading").is_visible()
    assert page.locator(".loading").inner_text().strip()
    context.close()

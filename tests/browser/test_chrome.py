"""The bar and its words: readable in both themes, whole, and honest when the server is gone."""

import pytest
from playwright.sync_api import expect

COLOURS = """() => {
  const found = []
  const walk = (root) => {
    for (const e of root.querySelectorAll("*")) {
      if (e.shadowRoot) walk(e.shadowRoot)
      const style = getComputedStyle(e)
      const shown = e.checkVisibility() && e.getClientRects().length > 0
      const words = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())
      if (shown && words && ["BUTTON", "B", "OUTPUT", "SELECT", "SUMMARY"].includes(e.tagName)) {
        found.push([e.id || e.className || e.textContent.trim(), style.color])
      }
      if (shown && e.tagName === "INPUT" && e.type !== "range") found.push([e.id, style.color])
    }
  }
  walk(document)
  return found
}"""


def brightness(colour: str) -> float:
    red, green, blue = (float(part) for part in colour.split("(")[1].rstrip(")").split(",")[:3])
    return (0.3 * red + 0.59 * green + 0.11 * blue) / 255


@pytest.mark.parametrize(("query", "dark"), [("", True), ("?theme=dark", False)])
def test_words_are_readable_after_the_theme_is_switched(visit, query, dark):
    visitor = visit(query)
    page = visitor.page
    page.locator("#theme").click()
    wanted = "dark" if dark else "light"
    page.wait_for_function(f"() => document.documentElement.dataset.theme === '{wanted}'")
    visitor.settle()
    colours = page.evaluate(COLOURS)
    assert len(colours) > 30
    # Words on an accent stand out the other way round: the pressed month.
    month = page.locator('.months button[aria-pressed="true"]').inner_text()
    poor = [
        (what, colour)
        for what, colour in colours
        if "test" not in what and what != month and (brightness(colour) > 0.45) != dark
    ]
    assert poor == []


def test_a_failure_is_read_whole_on_a_small_screen(visit):
    visitor = visit("?month=1850-13&z=garbage", width=1280, height=720)
    status = visitor.page.locator(".status.failed")
    status.wait_for()
    assert status.evaluate("(e) => e.scrollWidth <= e.clientWidth")
    assert status.get_attribute("title") == status.inner_text()


def test_a_server_that_is_gone_is_missed_and_the_page_comes_back_with_its_state(visit, serve):
    server = serve()
    visitor = visit("?month=1998-03&tool=explore", url=server.url)
    page = visitor.page
    visitor.number().fill("1.5")
    visitor.number().press("Enter")
    visitor.settle()
    visitor.asks(month="1998-03")
    shown = visitor.pixels(".map")
    server.kill()
    visitor.says("connection to the server is lost")
    page.locator("#next").click()
    expect(page.locator("b.month")).to_have_text("March 1998")
    serve(port=server.port)
    visitor.says("The server was away")
    page.wait_for_selector("html[data-listens]", timeout=120_000)
    expect(page.locator("b.month")).to_have_text("March 1998")
    assert visitor.value() == 1.5
    visitor.settle()
    assert visitor.pixels(".map") == shown


# Sizes of all words that are seen, those of canvases apart.
SIZES = """() => {
  const deep = (root) => [...root.querySelectorAll("*")].flatMap(
    (n) => [n, ...(n.shadowRoot ? deep(n.shadowRoot) : [])])
  const seen = (n) => n.checkVisibility({ visibilityProperty: true }) &&
    n.getBoundingClientRect().width > 2 &&
    !n.matches(".unseen, .hidden, .skip, style, script, .info, .info *") &&
    [...n.childNodes].some((c) => c.nodeType === 3 && c.data.trim())
  return deep(document.body).filter(seen).map(
    (n) => [parseFloat(getComputedStyle(n).fontSize), n.textContent.trim().slice(0, 30)])
}"""


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720)])
def test_a_presentation_is_large_and_alone_and_ends(visit, size):
    visitor = visit("?tool=observe", width=size[0], height=size[1])
    page = visitor.page
    maps = page.locator("[data-variable=psl] .map")
    narrow = maps.nth(1).bounding_box()["width"]
    # On the smaller window it is in the menu of what has no room.
    page.locator("#present").evaluate("(button) => button.click()")
    page.wait_for_url("**present=maps**")
    expect(page.locator("aside")).to_be_hidden()
    expect(page.locator("[data-variable=psl] .scatter")).to_be_hidden()
    visitor.settle()
    assert maps.nth(1).bounding_box()["width"] >= narrow
    page.locator("#presenting").hover()
    page.get_by_role("button", name="Maps and scatter").click()
    page.wait_for_url("**present=all**")
    expect(page.locator("[data-variable=psl] .scatter")).to_be_visible()
    visitor.settle()
    assert [found for found in page.evaluate(SIZES) if found[0] < 24] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Second map").click()
    expect(maps.nth(0)).to_be_hidden()
    visitor.settle()
    # Two variables side by side, larger than one above the other.
    assert maps.nth(1).bounding_box()["width"] > narrow
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "present" not in url)
    expect(page.locator("aside")).to_be_visible()
    expect(maps.nth(0)).to_be_visible()


def test_folded_tools_say_what_they_are(visit):
    visitor = visit(width=820, height=1180)
    fold = visitor.page.locator("#fold")
    # What is seen: the word is hidden, not gone.
    expect(fold).to_have_text("Tools", use_inner_text=True)
    fold.click()
    expect(fold).to_have_text("", use_inner_text=True)

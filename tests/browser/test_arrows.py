"""Arrows in a real Chromium: drawn over the height, they follow what the page shows."""

from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import expect

# One page of the bundle: in one process of pytest-xdist.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("upper")]

ALOFT = "?bundle=upper&month=2004-01"
HEIGHT, WIND = "zg500", "ua850"


def arrows(visitor, kind):
    """Return how many arrows a column has, and their summed length, as the browser holds them."""
    return visitor.page.evaluate(
        """(kind) => {
          const {x, y} = Bokeh.documents[0].get_model_by_name(`arrows-${kind}`).data
          let count = 0, sum = 0
          for (let i = 0; i < x.length; i += 6) {
            if (!Number.isFinite(x[i])) continue
            count += 1
            sum += Math.hypot(x[i + 1] - x[i], y[i + 1] - y[i])
          }
          return [count, sum]
        }""",
        kind,
    )


def test_arrows_follow_the_slider_and_can_be_switched_off(revisit):
    visitor = revisit(ALOFT)
    target, model = arrows(visitor, "target"), arrows(visitor, "model")
    assert target[0] > 150
    assert model[0] > 150
    before = visitor.pixels()
    visitor.number(0).fill("3")
    visitor.number(0).press("Enter")
    moved = visitor.changed(before)
    assert f"{HEIGHT} model" in moved
    assert f"{HEIGHT} target" not in moved
    assert arrows(visitor, "target") == target
    assert arrows(visitor, "model") != model
    # They are drawn, on the height alone.
    before = visitor.pixels()
    visitor.page.locator(".arrows input").uncheck()
    visitor.until_changed(before, {f"{HEIGHT} target", f"{HEIGHT} model"})
    assert visitor.changed(before) == {f"{HEIGHT} target", f"{HEIGHT} model"}
    visitor.page.locator(".arrows input").check()
    visitor.until_back(before)


def test_another_projection_and_a_zoom_keep_arrows_and_their_key(revisit):
    visitor = revisit(f"{ALOFT}&projection=north")
    north = arrows(visitor, "target")
    assert 60 < north[0] < 150
    box = visitor.page.locator(f"[data-variable={HEIGHT}] .map.target").bounding_box()
    visitor.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for _ in range(3):
        visitor.page.mouse.wheel(0, -300)
        visitor.settle()
    inside = visitor.page.evaluate(
        """() => {
          const x = Bokeh.documents[0].get_model_by_name("map-x")
          const y = Bokeh.documents[0].get_model_by_name("map-y")
          const key = Bokeh.documents[0].get_model_by_name("arrows-key").data
          const within = (range, values) => [...values].every((v) =>
            !Number.isFinite(v) || (v > range.start && v < range.end))
          return [x.end - x.start, within(x, key.x) && within(y, key.y), key.x[1] - key.x[0]]
        }"""
    )
    assert inside[0] < 3
    assert inside[1]
    # As long on the map as before: what it says stays true.
    assert inside[2] == pytest.approx(0.16, rel=1e-3)
    assert arrows(visitor, "target") == north


def test_one_button_shows_what_one_observation_does_by_two_methods(revisit):
    visitor = revisit(f"{ALOFT}&tool=observe")
    page = visitor.page
    first = visitor.pixels()
    visitor.form.get_by_role("button", name="Try one alone").click()
    page.wait_for_selector("text=converged in")
    page.wait_for_function("document.querySelector('.against .other').textContent == 'ensemble OI'")
    visitor.until_changed(
        first, {f"{name} {column}" for name in (HEIGHT, WIND) for column in ("target", "model")}
    )
    asked = parse_qs(urlparse(page.url).query)
    assert asked["beside"] == ["enoi"]
    assert asked["scale"] == ["5"]
    assert asked["column"] == ["increment"]
    expect(page.locator(".heading.beside select")).to_have_value("Ensemble OI: increment")
    expect(page.locator(".counts")).to_contain_text("1 observation")
    ours, theirs = arrows(visitor, "model"), arrows(visitor, "target")
    # Its localisation ends ensemble OI's increment; the decoder's patterns go round the globe.
    assert 30 < theirs[0] < ours[0]
    assert "+30" in visitor.text(f"[data-variable={HEIGHT}] .legend")
    page.locator("#undo").click()
    expect(page.locator(".heading.beside select")).to_have_value("Target")

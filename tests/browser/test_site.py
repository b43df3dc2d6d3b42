"""The page without a server: exported, served as plain files, its numbers beside Python's."""

import functools
import http.server
import threading

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.plotting.site import export_site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("site")]

MONTHS = ("1997-12", "1998-12")
NUMBERS = """async ([z, observations]) => {
  const {Climate} = await import('/climate.js'), {fetched} = await import('/files.js')
  const {Analyses} = await import('/analysis.js')
  const about = await (await fetch('site.json')).json()
  const own = new Climate(about, await fetched(about.files.decoder), 12)
  const {statistics, 'analysis-12': month} = about.files
  const parts = {...await fetched(statistics), ...await fetched(month)}
  const {x} = own.decoder.decode(z)
  const seen = observations.map(({cell, value}) => (
    {cell, value: own.standardised(value, cell), sd: own.parts.errorStandardised[cell]}))
  let last
  for (last of new Analyses(about.shape, parts, own.decoder).run(seen)) {}
  const months = await fetched(about.files.months)
  const lists = {
    x, anomalies: own.anomalies(x, own.parts.residualSd), error: own.parts.error,
    analysis: last.x, sd: last.sd, z: last.z, shown: own.anomalies(last.x, last.sd),
    target: own.anomalies(months['1997-12/x'], null),
  }
  return Object.fromEntries(Object.entries(lists).map(([name, values]) => [name, [...values]]))
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Any web host."""

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def site(speedy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "site"
    export_site(speedy, folder, months=MONTHS, first=MONTHS[0])
    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def opened(browser, site):
    """Open the page; at the end nothing may have gone wrong, or been asked of another host."""
    contexts, wrong, asked = [], [], []

    def open_page(hash_="", width=1280, height=800, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(site + hash_)
        page.wait_for_selector("html[data-decoded]", timeout=60_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []
    assert [url for url in asked if not url.startswith((site, "data:", "blob:"))] == []


def floats(values):
    return np.array([np.nan if v is None else v for v in values], float)


def image(page, name):
    """Return the image of a map as the page has written it."""
    return floats(
        page.evaluate(
            """(name) => {
              for (const doc of Bokeh.documents) {
                const source = doc.get_model_by_name(`image-${name}`)
                if (!source) continue
                return [...source.data.image[0]].map((v) => (Number.isFinite(v) ? v : null))
              }
            }""",
            name,
        )
    )


def test_its_numbers_are_python_s(opened, speedy):
    rng = np.random.default_rng(0)
    z = rng.standard_normal(speedy.n_latent)
    lat, lon = speedy.grid.lat, speedy.grid.lon
    size = lat.size * lon.size
    target = speedy.target(MONTHS[0]).ravel()
    cells = [
        v * size + int(cell)
        for v in range(len(speedy.variables))
        for cell in rng.choice(np.flatnonzero(speedy.mask[v].ravel()), 12, replace=False)
    ]
    values = [float(np.round(target[cell], 2)) for cell in cells]
    given = [{"cell": c, "value": v} for c, v in zip(cells, values, strict=True)]
    found = {k: floats(v) for k, v in opened().evaluate(NUMBERS, [z.tolist(), given]).items()}
    decoded = speedy.decode_standardised(z[None], 12).ravel()
    np.testing.assert_allclose(found["x"], decoded, atol=1e-4)
    anomalies = speedy.decode_anomalies(z, 12).ravel()
    np.testing.assert_allclose(found["anomalies"], anomalies, atol=1e-3)
    # Halves of the standardised fields.
    gap = np.abs(found["target"] - target)
    limits = np.repeat([v.anomaly_limit for v in speedy.variables], size)
    assert np.nanmax(gap / limits) < 3e-3
    table = pd.DataFrame(
        {
            "variable": [speedy.variables[c // size].name for c in cells],
            "lat": [lat[c % size // lon.size] for c in cells],
            "lon": [lon[c % lon.size] for c in cells],
            "value": values,
            "error_sd": found["error"][cells],
            "withheld": False,
        }
    )
    analysis = Assimilator(speedy).run(table, MONTHS[0], sea_prior=False)
    left = found["analysis"] - analysis.standardised.ravel()
    assert np.sqrt(np.mean(left**2)) < 1e-3
    # Each minimisation ends at a hundred-thousandth of the cost: .003 from the minimum.
    assert np.abs(left).max() < 6e-3
    np.testing.assert_allclose(found["z"], analysis.z, atol=6e-3)
    shown = np.abs(found["shown"] - analysis.anomalies.ravel())
    assert np.nanmax(shown) < 0.03
    means = [np.nanmean(shown[v * size : (v + 1) * size]) for v in range(len(speedy.variables))]
    assert max(means) < 2e-3


def test_a_slider_moves_the_maps_at_once_and_then_exactly(opened):
    page = opened()
    before = image(page, "model-psl")
    slider = page.locator(".slider input").first
    decoded = page.evaluate("document.documentElement.dataset.decoded")
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("(id) => document.documentElement.dataset.decoded !== id", arg=decoded)
    expect(page.locator(".slider .value").first).to_have_text("0.50")
    page.wait_for_function("() => location.hash.includes('z=0:0.5')")
    moved = image(page, "model-psl")
    on = np.isfinite(moved)
    assert np.abs(moved[on] - before[on]).max() > 0.3
    difference = image(page, "difference-psl")[on] - (moved - image(page, "target-psl"))[on]
    assert np.abs(difference).max() < 1e-4
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".slider .value").first).to_have_text("0.00")
    page.wait_for_function("() => !location.hash.includes('z=')")


def test_a_click_observes_and_an_analysis_fits_it(opened):
    page = opened()
    target = page.locator("#map-target-psl")
    box = target.bounding_box()
    page.mouse.click(box["x"] + 0.35 * box["width"], box["y"] + 0.4 * box["height"])
    rows = page.locator("#observations tbody tr")
    expect(rows).to_have_count(1)
    expect(page.locator("#status")).to_contain_text("Sea-level pressure is observed at")
    # Off the globe, and on a map of the model, nothing is observed.
    page.mouse.click(box["x"] + 12, box["y"] + 4)
    page.locator("#map-model-psl").click()
    expect(rows).to_have_count(1)
    value = rows.first.locator("input")
    value.fill("9")
    value.press("Enter")
    page.wait_for_function("() => location.hash.includes(':9')")
    page.get_by_role("button", name="Assimilate").click()
    page.wait_for_selector("html[data-analysed]", timeout=120_000)
    expect(page.locator("#status")).to_contain_text("Analysis of 1 observation:")
    model = image(page, "model-psl")
    assert 5 < np.nanmax(model) < 13
    link = page.url
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function("() => !location.hash.includes('z=')")
    expect(rows).to_have_count(1)
    again = opened(link[link.index("#") :])
    expect(again.locator("#observations tbody tr")).to_have_count(1)
    assert again.locator(".slider .value").first.inner_text() != "0.00"


def test_stations_are_placed_scored_and_removed(opened):
    page = opened()
    page.locator("#count").fill("40")
    page.get_by_role("button", name="Place at random").click()
    expect(page.locator("#observations tbody tr")).to_have_count(40)
    page.get_by_role("button", name="Assimilate").click()
    page.wait_for_selector("html[data-analysed]", timeout=120_000)
    explained = page.locator("#scores tbody tr").first.locator("td").nth(2).inner_text()
    assert 0.4 < float(explained) < 0.95
    page.get_by_role("button", name="Remove all").click()
    expect(page.locator("#observations tbody tr")).to_have_count(0)
    expect(page.get_by_role("button", name="Assimilate")).to_be_disabled()
    page.locator("#count").fill("0")
    page.get_by_role("button", name="Place at random").click()
    expect(page.locator("#status")).to_contain_text("from 1 to 300")
    page.locator("#month").select_option(MONTHS[1])
    page.wait_for_function("(month) => location.hash.includes(month)", arg=MONTHS[1])


def test_a_link_that_is_wrong_says_so(opened):
    page = opened("#month=1700-01&z=0:1")
    expect(page.locator("#status")).to_contain_text("The link has the month 1700-01")
    expect(page.locator(".slider .value").first).to_have_text("1.00")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 900, 1280, 1920])
def test_it_is_accessible_and_within_its_window(opened, scheme, width):
    page = opened(width=width, color_scheme=scheme)
    page.get_by_role("button", name="Place at random").click()
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert [v["id"] for v in found.response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_is_changed_meanwhile_ends_the_analysis_and_undo_keeps_one(opened):
    page = opened()
    page.locator("#count").fill("300")
    page.get_by_role("button", name="Place at random").click()
    page.get_by_role("button", name="Assimilate").click()
    expect(page.get_by_role("button", name="Assimilate")).to_be_disabled()
    page.get_by_role("button", name="Remove all").click()
    expect(page.locator("#observations tbody tr")).to_have_count(0)
    page.locator("#count").fill("20")
    page.get_by_role("button", name="Place at random").click()
    # Asked for while a state waits to be decoded, it comes all the same.
    page.get_by_role("button", name="Mean state").click()
    page.get_by_role("button", name="Encode the target").click()
    page.get_by_role("button", name="Assimilate").click()
    page.wait_for_selector("html[data-analysed]", timeout=120_000)
    expect(page.locator("#status")).to_contain_text("Analysis of 20 observations")
    shown = image(page, "model-psl")
    page.get_by_role("button", name="Remove Sea-level pressure").first.click()
    expect(page.locator("#observations tbody tr")).to_have_count(19)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#observations tbody tr")).to_have_count(20)
    np.testing.assert_array_equal(image(page, "model-psl"), shown)


def test_a_link_opens_in_a_page_that_is_open(opened):
    page = opened()
    page.evaluate("location.hash = '#month=1998-12&z=2:1.5'")
    expect(page.locator("#status")).to_contain_text("Opened the link")
    expect(page.locator("#month")).to_have_value("1998-12")
    expect(page.locator(".slider .value").nth(2)).to_have_text("1.50")


def test_opened_as_a_file_it_says_how_to_serve_it(browser, speedy, tmp_path):
    made = export_site(speedy, tmp_path / "site", months=MONTHS[:1])
    context = browser.new_context()
    page = context.new_page()
    page.goto((made.path / "index.html").as_uri())
    expect(page.locator("#status")).to_contain_text("python -m http.server")
    context.close()

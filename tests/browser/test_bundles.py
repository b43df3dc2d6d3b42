"""Other bundles in the same page: a regional, masked model of two variables that a test trains."""

import json

import pytest
from gappy import make_region
from playwright.sync_api import expect

from mlda_core.observations.networks import NETWORKS

# One server of the region: in one process of pytest-xdist.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("region")]


@pytest.fixture(scope="module")
def regional(tmp_path_factory, serve):
    """The page with a bundle of a region as its own, beside those that ship."""
    return serve(MLDA_BUNDLE=str(make_region(tmp_path_factory.mktemp("region"))))


def gap(visitor, name, words):
    """Wait until a map says this of its month."""
    expect(visitor.page.locator(f"main .row[data-variable={name}] .gap").first).to_have_text(words)


def options(visitor, selector):
    return visitor.page.locator(f"{selector} option").evaluate_all("all => all.map((o) => o.value)")


def test_a_region_with_two_masked_variables_opens_in_the_same_page(revisit, regional):
    v = revisit("?month=1963-02&network=stations&stations=12&model=analysis", url=regional.url)
    assert "A made-up region" in v.text(".brand .long")
    assert v.page.locator("main .row[data-variable]").count() == 2
    assert v.page.locator("#projection").input_value().startswith("region:")
    assert v.page.locator("[role=tab]").all_inner_texts() == ["Explore", "Observe", "Learn"]
    drawn = v.pixels()
    v.page.get_by_role("tab", name="Observe").click()
    # The form is built when its tool is first open.
    expect(v.form.get_by_label("Network", exact=True)).to_be_visible()
    networks = v.form.get_by_label("Network", exact=True).locator("option")
    kinds = ("none", "all_fields", "stations", "historical", "ship_tracks", "custom")
    expect(networks).to_have_text([NETWORKS[kind].label for kind in kinds])
    v.page.get_by_role("tab", name="Explore").click()
    v.settle()
    assert len(drawn) == 6
    assert len(set(drawn.values())) == 6
    # Two rows fill the window as four do, and nothing has to be scrolled for.
    rows = [row.bounding_box() for row in v.page.locator("main .row[data-variable]").all()]
    assert min(row["height"] for row in rows) > 230
    assert v.page.evaluate("document.scrollingElement.scrollHeight <= innerHeight")
    # Where two rows leave room, the series stand below them.
    expect(v.page.locator("footer .series canvas").first).to_be_visible()
    # A slider moves the model and the scatters of both.
    v.slider(0).evaluate("(s) => { s.value = 2; s.dispatchEvent(new Event('input')) }")
    assert v.changed(drawn) == {f"{n} {k}" for n in ("tas", "psl") for k in ("model", "scatter")}


def test_a_month_without_a_variable_says_so_on_its_map(revisit, regional):
    v = revisit("?month=1945-03", url=regional.url)
    gap(v, "psl", "No sea-level pressure in March 1945")
    gap(v, "tas", "")
    assert "no target" in v.text("main .row[data-variable=psl] .scores")
    v.page.locator("#next").click()
    gap(v, "psl", "No sea-level pressure in April 1945")
    v.page.locator("#year").evaluate(
        "(s) => { s.value = 1963; s.dispatchEvent(new Event('input')) }"
    )
    gap(v, "psl", "")
    v.settle()
    assert "RMSE" in v.text("main .row[data-variable=psl] .scores")


def test_the_bundle_is_chosen_in_the_bar_and_links_and_files_keep_it(visit, regional, tmp_path):
    v = visit("?month=1963-02&theme=dark", url=regional.url)
    assert {"region", "speedy"} <= set(options(v, "#bundle"))
    assert v.page.locator("#bundle").input_value() == "region"
    with v.page.expect_download() as download:
        v.page.locator("#save").click()
    saved = tmp_path / "state.json"
    download.value.save_as(saved)
    assert json.loads(saved.read_text())["bundle"] == "region"

    v.page.locator("#bundle").select_option("speedy")
    v.page.wait_for_url("**bundle=speedy**", timeout=90_000)
    v.page.wait_for_selector(
        "main .row[data-variable=tos] canvas", state="attached", timeout=90_000
    )
    # Not until its first analysis is there, which takes seconds: the page can be used before.
    v.page.locator(".strip .month", has_text="December 1997").wait_for(timeout=90_000)
    assert v.page.locator("main .row[data-variable]").count() == 4
    # It has no 1963: its own first month; the page's settings came along.
    assert v.page.evaluate("document.documentElement.dataset.theme") == "dark"

    # A state that was saved with the region leads back to it.
    v.page.locator("#file").set_input_files(saved)
    v.page.wait_for_url("**bundle=region**", timeout=90_000)
    v.page.wait_for_selector(
        "main .row[data-variable=tas] canvas", state="attached", timeout=90_000
    )
    v.settle()
    v.says("The saved state is loaded.")
    expect(v.page.locator(".strip .month")).to_contain_text("February 1963")


def test_a_bundle_that_is_not_here_leaves_the_default_and_a_sentence(visit, regional):
    v = visit("?bundle=elsewhere&month=1800-01", url=regional.url)
    v.says("There is no bundle 'elsewhere' here")
    assert "A made-up region" in v.text(".brand .long")

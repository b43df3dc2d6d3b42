"""A bundle of days in the same page: year, month and day are chosen, and it plays day by day."""

import pytest
from days import make_daily
from playwright.sync_api import expect

# One server of the days: in one process of pytest-xdist.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("days")]


@pytest.fixture(scope="module")
def daily(tmp_path_factory, serve):
    """The page with a bundle of days as its own, beside those that ship."""
    bundle, _ = make_daily(tmp_path_factory.mktemp("days"))
    return serve(MLDA_BUNDLE=str(bundle.path))


def when(visitor):
    return visitor.page.locator("b.month")


def test_year_month_and_day_are_chosen(revisit, daily):
    v = revisit("?month=1984-01-31", url=daily.url)
    day = v.page.get_by_label("Day of the month", exact=True)
    assert when(v).inner_text() == "31 January 1984"
    assert day.locator("option").count() == 31
    # A month without the day: its last.
    v.page.locator(".months button[data-month='2']").click()
    expect(when(v)).to_have_text("29 February 1984")
    v.page.locator("#year").evaluate(
        "(s) => { s.value = 1983; s.dispatchEvent(new Event('input')) }"
    )
    expect(when(v)).to_have_text("28 February 1983")
    assert day.locator("option").count() == 28
    v.page.locator("#next").click()
    expect(when(v)).to_have_text("1 March 1983")
    assert "validation day" in v.page.locator(".split").inner_text()
    # Else the next message takes the place of this one.
    v.settle()
    before = v.pixels()
    day.select_option(label="15")
    expect(when(v)).to_have_text("15 March 1983")
    assert {"psl target", "psl model"} <= v.changed(before)
    assert "month=1983-03-15" in v.page.url
    v.page.locator("#undo").click()
    expect(when(v)).to_have_text("1 March 1983")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_day_has_room_in_the_bar(visit, daily, width):
    height = 844 if width == 390 else 720
    v = visit("?month=1984-12-31", url=daily.url, width=width, height=height)
    assert v.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for name in ("#prev", "#play", "#next", "#day", "output.year"):
        box = v.page.locator(name).bounding_box()
        assert box["x"] >= 0, name
        assert box["x"] + box["width"] <= width, name


def test_observations_of_a_day_are_assimilated(revisit, daily):
    v = revisit(
        "?month=1984-02-29&network=stations&stations=20&model=analysis&tool=observe",
        url=daily.url,
    )
    expect(v.form.get_by_label("Network", exact=True)).to_be_visible()
    before = v.pixels()
    v.page.locator("#prev").click()
    expect(when(v)).to_have_text("28 February 1984")
    assert {"tas target", "tas model"} <= v.changed(before)
    v.page.get_by_role("tab", name="Explore").click()
    expect(v.page.locator("#encode")).to_have_text("Encode day")

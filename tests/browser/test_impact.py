"""The impact series in a real Chromium: the Thames beside the maps of the real world."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from app.results.impacts import figures
from mlda_core.bundle.bundle import load_bundle
from mlda_core.impact.files import load_impact

pytestmark = pytest.mark.browser
MONTH = "1998-01"


@pytest.fixture(scope="module")
def bundle(repo_root):
    return load_bundle(repo_root / "assets/bundles/real")


@pytest.fixture(scope="module")
def head(bundle):
    return load_impact("thames", bundle)


def said(head, z, month=MONTH):
    low, median, high = head.predict(z, month).quantile(np.array([0.1, 0.5, 0.9]))[0]
    return [figures(median), f"80 %: {figures(low)}–{figures(high)}"]


def shown(visitor):
    return [visitor.text(f"footer .impact {name}").strip() for name in (".big output", ".range")]


def test_a_slider_moves_the_prediction_and_the_chart_goes_to_months(visit, bundle, head):
    v = visit(f"?bundle=real&month={MONTH}&impact=thames")
    z = np.asarray(bundle.code(MONTH), np.float32)
    expect(v.page.locator("footer .big output")).to_have_text(said(head, z)[0])
    assert shown(v) == said(head, z)
    assert "Thames" in v.text("footer .impact .title")
    facts = v.page.locator("footer .facts")
    measured = head.record.observed[head.record.row[MONTH]]
    expect(facts).to_contain_text(f"measured {figures(measured)}")
    # The slider that rules the flow most of the first twelve.
    both = np.stack([z + 2 * step * row for row in np.eye(z.size)[:12] for step in (-1, 1)])
    effect = np.diff(head.predict(both, MONTH).centre.reshape(12, 2)).ravel()
    k = int(np.abs(effect).argmax())
    v.number(k).fill("2.5")
    v.number(k).press("Enter")
    expect(v.page.locator("footer .impact .range").first).not_to_have_text(said(head, z)[1])
    v.settle()
    z[k] = 2.5
    moved = shown(v)
    assert moved != said(head, bundle.code(MONTH))
    assert float(moved[0]) == pytest.approx(float(said(head, z)[0]), rel=0.02)
    assert "impact=thames" in v.page.url

    # The chart goes to months, and so does the list beside it.
    months = v.page.get_by_label("Month of the impact series")
    months.select_option("1998-02")
    usual = figures(head.usual[1][1])
    expect(facts).to_contain_text(f"usual for February {usual}")
    v.settle()
    chart = v.page.locator("footer .then div.bk-Figure").first
    box = chart.bounding_box()
    v.page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 30)
    expect(months).not_to_have_value("1998-02")
    v.page.locator("footer .then label", has_text="Test years").click()
    # A month without pressure has no prediction of its own in the chart.
    v.page.mouse.move(box["x"] + 0.08 * box["width"], box["y"] + 40)
    expect(v.page.locator(".bk-Tooltip", has_text="no prediction")).to_be_visible()
    v.page.locator("footer label").filter(has_text=re.compile("^Series$")).click()
    expect(chart).to_be_hidden()
    v.asks(impact=None)

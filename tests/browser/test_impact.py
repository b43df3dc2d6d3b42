"""The impact series in a real Chromium: the Thames beside the maps of the real world."""

from __future__ import annotations

import numpy as np
import pytest

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
    return [visitor.text(f".impact .{name}").strip() for name in ("big output", "range")]


def test_a_slider_moves_the_prediction_and_the_chart_goes_to_months(visit, bundle, head):
    v = visit(f"?bundle=real&month={MONTH}&impact=thames")
    z = np.asarray(bundle.code(MONTH), np.float32)
    assert shown(v) == said(head, z)
    assert "Thames" in v.text(".impact .title")
    measured = head.record.observed[head.record.row[MONTH]]
    assert f"measured {figures(measured)}" in v.text(".impact .facts")
    # The slider that rules the flow most of the first twelve.
    both = np.stack([z + 2 * step * row for row in np.eye(z.size)[:12] for step in (-1, 1)])
    effect = np.diff(head.predict(both, MONTH).centre.reshape(12, 2)).ravel()
    k = int(np.abs(effect).argmax())
    series = v.page.locator(".impact path.observed").get_attribute("d")
    mark = v.page.locator(".impact .chart .now circle").get_attribute("cy")
    v.number(k).fill("2.5")
    v.number(k).press("Enter")
    v.settle()
    z[k] = 2.5
    moved = shown(v)
    assert moved != said(head, bundle.code(MONTH))
    assert float(moved[0]) == pytest.approx(float(said(head, z)[0]), rel=0.02)
    assert v.page.locator(".impact .chart .now circle").get_attribute("cy") != mark
    assert v.page.locator(".impact path.observed").get_attribute("d") == series
    assert "impact=thames" in v.page.url

    # The chart goes to months.
    chart = v.page.locator(".impact .chart svg")
    chart.focus()
    v.page.keyboard.press("ArrowRight")
    assert v.text(".impact .read").startswith("1998-02: measured ")
    v.page.keyboard.press("Enter")
    v.settle()
    usual = figures(head.usual[1][1])
    assert f"usual for February {usual}" in v.text(".impact .facts")
    v.page.locator("#impactScope [data-key=test]").click()
    tests = sum(split == "test" for split in head.record.splits)
    assert int(chart.get_attribute("aria-valuemax")) == tests - 1
    # A month without pressure has no prediction of its own in the chart.
    chart.focus()
    v.page.keyboard.press("Home")
    assert "no prediction" in v.text(".impact .read")
    v.page.locator("[data-part=series]").click()
    v.settle()
    assert not chart.is_visible()
    assert "impact=" not in v.page.url

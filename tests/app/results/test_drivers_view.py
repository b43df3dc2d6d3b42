"""The drivers of a month."""

import pytest
from driver_account import make_drivers
from unfolding import unfold

from mlda_core.climate.regions import BASINS


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


def test_drivers_are_bars_with_their_numbers(shown):
    shown.foot.mode = "perturb"
    unfold(shown, "drivers")
    view = shown.views["drivers"]
    label = view.find.name
    assert "1997-12" in view.what.object
    assert not view.chart.figure.visible
    shown.variable.widget.value = "pr"
    view.find.clicks += 1
    assert shown.heard[-1] == {"type": "drivers", "value": "pr"}
    shown.foot.show_drivers(make_drivers("pr"))
    assert view.chart.figure.visible
    bars = view.chart._bars.data
    assert len(bars["x"]) == len(BASINS)
    # The first stands at the top; warm where it adds, cold where it takes away.
    assert bars["y"][0] == len(BASINS) - 1
    assert bars["warm"][:2] == [1.0, 0.0]
    assert view.chart.figure.yaxis[0].major_label_overrides[len(BASINS) - 1] == "Arctic"
    assert "+4.800 mm/day" in view.chart._numbers.major_label_overrides[len(BASINS) - 1]
    assert "mm/day" in view.chart.figure.xaxis[0].axis_label
    assert "mostly cancel" in view.words.object
    shown.variable.widget.value = "tas"
    assert "of other settings: Precipitation" in view.what.object
    assert view.chart._renderer.glyph.fill_alpha < 0.6
    shown.foot.show_drivers(None, busy="Finding the drivers of 1997-12")
    assert "Finding the drivers" in view.what.object
    # The element would be made anew, and the keyboard's focus lost.
    assert (view.find.name, view.find.disabled) == (label, False)

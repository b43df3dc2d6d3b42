"""The rank histogram."""

import numpy as np
import pytest

from app.charts.ranks import RankChart


def test_bars_stand_side_by_side():
    chart = RankChart("light")
    chart.draw({"withheld": [0.5, 0.5], "used": [0.2, 0.8]})
    first, second = (chart._sources[kind].data for kind in ("withheld", "used"))
    assert np.all(np.array(first["right"]) <= np.array(second["left"]) + 1e-12)
    assert second["right"][1] <= 1
    assert chart.figure.y_range.end > 0.8
    assert chart._even.location == pytest.approx(0.5)
    chart.draw({"used": [1.0]})
    assert not chart._bars["withheld"].visible
    chart.set_theme("dark")


def test_behind_each_bar_is_what_chance_makes_of_so_many():
    chart = RankChart("light")
    chart.draw(
        {"withheld": [0.5, 0.5], "used": [0.2, 0.8]}, {"withheld": (0.3, 0.7), "used": (0.4, 0.9)}
    )
    band, bars = chart._band.data, chart._sources
    assert band["left"] == bars["withheld"].data["left"] + bars["used"].data["left"]
    assert band["low"] == [0.3, 0.3, 0.4, 0.4]
    assert band["high"] == [0.7, 0.7, 0.9, 0.9]
    assert chart.figure.y_range.end > 0.9
    legend = chart.figure.legend[0]
    assert "by chance" in legend.items[0].label.value
    assert legend.items[0].visible
    chart.draw({"used": [1.0]})
    assert not chart._chance.visible
    assert not legend.items[0].visible

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

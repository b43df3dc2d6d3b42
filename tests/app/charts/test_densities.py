"""Densities of one quantity."""

import numpy as np
import pytest

from app.charts.colors import COLORS
from app.charts.densities import Densities, DensityChart, Mark, normal


def test_a_normal_curve_holds_one_and_peaks_at_its_mean():
    curve = normal("before", "analysis", 2.0, 0.5, fill=True)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(1, abs=2e-3)
    assert curve.x[curve.y.argmax()] == pytest.approx(2.0)
    assert curve.y.max() == pytest.approx(1 / (0.5 * np.sqrt(2 * np.pi)))
    assert curve.fill


def test_the_axis_holds_every_curve_and_mark_with_its_error():
    chart = DensityChart("light")
    curves = [
        normal("before", "muted", 0.0, 1.0, dash="dashed"),
        normal("after", "analysis", 1, 0.2),
    ]
    marks = [Mark("observed", "changed", 6.0, error=0.5), Mark("target", "text", -7.0)]
    chart.draw(Densities(curves, marks, "K"))
    shown = chart.figure.x_range
    assert shown.start < -7.0
    assert shown.end > 6.75
    assert chart.figure.y_range.end > max(c.y.max() for c in curves)
    assert chart.figure.xaxis[0].axis_label == "K"
    bars = chart._marks.data
    assert (bars["low"], bars["high"]) == ([5.5, -7.0], [6.5, -7.0])
    # A mark with an error is a dot, one without a line over the whole height.
    assert [bool(size) for size in bars["size"]] == [True, False]
    assert bars["foot"][1] == 0
    assert bars["top"][1] == pytest.approx(chart.figure.y_range.end)
    key = chart.key()
    assert key.index("before") < key.index("after") < key.index("observed") < key.index("target")
    assert key.count("dashed") == 1


def test_marks_are_repainted_in_another_theme_and_taken_away():
    chart = DensityChart("light")
    chart.draw(Densities(marks=[Mark("observed", "changed", 1.0, error=0.5)]))
    assert chart._marks.data["color"] == [COLORS["light"]["changed"]]
    chart.set_theme("dark")
    assert chart._marks.data["color"] == [COLORS["dark"]["changed"]]
    chart.draw(Densities())
    assert chart._marks.data["x"] == []
    assert chart.key() == ""


def test_a_range_is_a_bar_to_its_ends_and_of_a_bound_to_the_edge_of_the_axis():
    chart = DensityChart("light")
    marks = [
        Mark("bound", "text", np.nan, low=-3.0, high=np.inf),
        Mark("class", "changed", np.nan, low=-1.5, high=0.5),
    ]
    chart.draw(Densities([normal("after", "analysis", 0.0, 1.0)], marks, "K"))
    bars, axis = chart._marks.data, chart.figure.x_range
    assert bars["low"] == [-3.0, -1.5]
    assert bars["high"] == [pytest.approx(axis.end), 0.5]
    assert np.isnan(bars["x"]).all()
    assert chart.key().count("━") == 2

"""The chart of a month's drivers."""

from app.charts.drivers import AXIS, ROW, DriversChart

PARTS = [
    {"label": "Tropical Pacific", "contribution": 0.8, "share": 1.6, "anomaly": 1.234},
    {"label": "Indian Ocean", "contribution": -0.3, "share": None, "anomaly": -0.1},
]


def test_the_first_basin_stands_at_the_top_with_its_numbers_beside_it():
    chart = DriversChart("light")
    chart.draw(PARTS, "mm/day", 2)
    bars = chart._bars.data
    assert (bars["y"], bars["x"], bars["warm"]) == ([1, 0], [0.8, -0.3], [1.0, 0.0])
    names, numbers = (
        axis.major_label_overrides for axis in (chart.figure.yaxis[0], chart._numbers)
    )
    assert names == {1: "Tropical Pacific", 0: "Indian Ocean"}
    assert numbers[1].split() == ["+0.80", "mm/day", "160", "%"]
    # Where contributions cancel there is no share.
    assert numbers[0].split() == ["−0.30", "mm/day"]
    assert bars["text"][0] == (
        "Tropical Pacific: +0.80 mm/day, 160 %\nits sea is +1.23 K from normal"
    )
    assert chart.figure.xaxis[0].axis_label == "Contribution, mm/day"


def test_the_scale_is_symmetric_and_holds_every_bar():
    chart = DriversChart("light")
    chart.draw(PARTS[::-1], "K", 1)
    shown = chart.figure.x_range
    assert shown.start == -shown.end
    assert shown.end > 0.8
    assert (shown.reset_start, shown.reset_end) == (shown.start, shown.end)
    assert chart.height == 2 * ROW + AXIS


def test_without_drivers_there_is_no_figure():
    chart = DriversChart("light")
    assert not chart.figure.visible
    chart.draw(PARTS, "K", 1)
    assert chart.figure.visible
    chart.draw([], "K", 1)
    assert not chart.figure.visible
    assert chart.height == AXIS


def test_it_fades_and_follows_the_theme():
    chart = DriversChart("light")
    chart.fade(True)
    assert chart._renderer.glyph.fill_alpha < 0.6
    chart.fade(False)
    assert chart._renderer.glyph.fill_alpha == 1
    before = list(chart._mapper.palette)
    chart.set_theme("dark")
    assert not set(before) & set(chart._mapper.palette)

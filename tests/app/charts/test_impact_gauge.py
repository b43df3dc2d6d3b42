"""The gauge of an impact."""

import numpy as np

from app.charts.colors import COLORS
from app.charts.impact_gauge import ROWS, ImpactGauge, empty


def test_before_a_month_is_shown_each_row_is_there_and_empty():
    now = empty()
    assert now.data["row"] == list(ROWS)
    for name, values in now.data.items():
        if name != "row":
            assert np.isnan(values).all()
            assert len(values) == len(ROWS)


def test_the_axis_is_set_with_its_units_and_resets_to_its_ends():
    gauge = ImpactGauge(empty(), "light")
    gauge.scale(0.0, 1.0, "K")
    gauge.scale(-2.0, 9.0, "m³/s")
    shown = gauge.figure.x_range
    assert (shown.start, shown.end, shown.reset_start, shown.reset_end) == (-2, 9, -2, 9)
    assert gauge.figure.xaxis[0].axis_label == "m³/s"
    assert gauge.figure.toolbar_location is None


def test_rows_have_their_own_colours_in_both_themes():
    gauge = ImpactGauge(empty(), "light")
    for theme in ("light", "dark"):
        gauge.set_theme(theme)
        palette = dict(zip(ROWS, gauge._mappers[0].palette, strict=True))
        assert palette["predicted"] == COLORS[theme]["analysis"]
        assert len(set(palette.values())) == 3

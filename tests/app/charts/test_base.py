"""What all charts share."""

import pytest

from app.charts.base import Chart, make_figure, paint
from app.charts.colors import COLORS


def test_a_figure_can_be_zoomed_reset_and_saved_in_the_direction_it_is_for():
    for given, dimensions in (({}, "width"), ({"dimensions": "both"}, "both")):
        fig = make_figure(**given)
        kinds = {type(tool).__name__: tool for tool in fig.tools}
        assert set(kinds) == {"PanTool", "WheelZoomTool", "ResetTool", "SaveTool"}
        for name in ("PanTool", "WheelZoomTool"):
            assert kinds[name].dimensions == dimensions
            assert not kinds[name].visible
        assert fig.toolbar.active_drag is kinds["PanTool"]
        assert fig.toolbar.active_scroll is kinds["WheelZoomTool"]
    assert make_figure(toolbar_location="above").toolbar_location == "above"


@pytest.mark.parametrize("theme", COLORS)
def test_a_saved_picture_has_the_themes_own_background(theme):
    fig = make_figure()
    fig.line([0, 1], [0, 1], legend_label="a")
    colors = paint(fig, theme)
    assert colors is COLORS[theme]
    assert fig.background_fill_color == fig.border_fill_color == colors["page"]
    assert {axis.major_label_text_color for axis in fig.axis} == {colors["muted"]}
    assert fig.legend[0].label_text_color == colors["text"]
    assert {grid.grid_line_color for grid in fig.grid} == {colors["line"]}


def test_a_chart_is_painted_anew_for_another_theme_alone():
    class Line(Chart):
        painted = 0

        def _paint(self):
            self.painted += 1

    made = Line("light")
    made.set_theme("light")
    assert made.painted == 0
    made.set_theme("dark")
    made.set_theme("dark")
    assert made.painted == 1

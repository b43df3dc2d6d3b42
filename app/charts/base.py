"""What all charts share: tools, axes, and the two themes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import bokeh.models
import bokeh.plotting

from app.charts.colors import COLORS
from app.maps.figures import FONT

# Bokeh's annotations reject much that Bokeh accepts, such as arrays in a source.
bm: Any = bokeh.models
figure: Any = bokeh.plotting.figure

TOOLTIP = (
    # The page's own colours, over the padding of Bokeh's white box.
    f'<div style="font:13px/1.45 {FONT.replace(chr(34), chr(39))};'
    "font-variant-numeric:tabular-nums;white-space:pre;background:var(--raised);"
    'color:var(--text);margin:-6px;padding:6px 10px;border-radius:3px">@text</div>'
)
FONT_SIZE = "11px"


def make_figure(**options: Any) -> Any:
    """Return an empty figure that fills its place, with tools to zoom, reset and save.

    Parameters
    ----------
    **options
        Of Bokeh's figure.
    """
    dimensions = options.pop("dimensions", "width")
    fig = figure(
        sizing_mode="stretch_both",
        min_width=60,
        min_height=40,
        title=None,
        tools=[],
        outline_line_color=None,
        min_border=0,
        output_backend="canvas",
        **{"toolbar_location": "right", **options},
    )
    # Always on, and so without a button: two fit beside the lowest chart.
    pan = bm.PanTool(dimensions=dimensions, visible=False)
    wheel = bm.WheelZoomTool(dimensions=dimensions, visible=False)
    fig.add_tools(pan, wheel, bm.ResetTool(), bm.SaveTool())
    fig.toolbar.active_drag, fig.toolbar.active_scroll = pan, wheel
    fig.toolbar.update(logo=None, autohide=True)
    for axis in fig.axis:
        axis.update(
            major_label_text_font_size=FONT_SIZE,
            major_label_text_font=FONT,
            axis_label_text_font_size=FONT_SIZE,
            axis_label_text_font=FONT,
            axis_label_text_font_style="normal",
            axis_label_standoff=3,
            major_label_standoff=4,
            major_tick_in=0,
            major_tick_out=4,
            minor_tick_out=2,
            axis_line_color=None,
        )
    fig.grid.minor_grid_line_color = None
    return fig


def paint(fig: Any, theme: str) -> dict[str, str]:
    """Colour a figure's background, axes, grid and legend by a theme; return the colours."""
    colors = COLORS[theme]
    # Filled, unlike the maps: a saved picture must be readable on any background.
    fig.update(
        background_fill_color=colors["page"],
        border_fill_color=colors["page"],
    )
    for axis in fig.axis:
        axis.update(
            major_label_text_color=colors["muted"],
            axis_label_text_color=colors["muted"],
            major_tick_line_color=colors["muted"],
            minor_tick_line_color=colors["line"],
        )
    fig.grid.grid_line_color = colors["line"]
    for legend in fig.legend:
        legend.update(label_text_color=colors["text"], inactive_fill_color=colors["page"])
    return colors


class Chart(ABC):
    """A chart in one of the page's themes.

    Parameters
    ----------
    theme : str
    """

    figure: Any

    def __init__(self, theme: str) -> None:
        self._theme = theme

    def set_theme(self, theme: str) -> None:
        """Repaint in another theme."""
        if theme != self._theme:
            self._theme = theme
            self._paint()

    @abstractmethod
    def _paint(self) -> None:
        """Colour figure and marks by the theme."""

"""Several pictures side by side, of one height, without wasted room between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import holoviews as hv

from mlda_core.plotting.look import TEXT

# Height of a row: screen pixels and inches.
HEIGHT_PIXELS, HEIGHT_INCHES = 180, 1.7
# Between pictures, in inches: a colour bar with its numbers stands beside, a title above.
_BESIDE, _ABOVE = 0.62, 0.3


def panel(ratio: float, title: str, backend: str, *, tall: float = 1.0) -> dict[str, Any]:
    """Return the options of one picture: title, size, sizes of text.

    Parameters
    ----------
    ratio : float
        Width by height.
    title : str
    backend : str
    tall : float
        Height, in rows of a layout.
    """
    if backend == "bokeh":
        size: dict[str, Any] = {
            "frame_height": round(tall * HEIGHT_PIXELS),
            "frame_width": round(ratio * tall * HEIGHT_PIXELS),
            "toolbar": "above",
            "active_tools": [],
            "fontsize": {key: f"{points}pt" for key, points in TEXT.items()},
        }
    else:
        size = {
            "aspect": ratio,
            "fig_inches": (
                ratio * tall * HEIGHT_INCHES + _BESIDE,
                tall * HEIGHT_INCHES + _ABOVE,
            ),
            "fontsize": TEXT,
        }
    return {"title": title, **size}


def legend(backend: str) -> dict[str, Any]:
    """Return the options of a legend beside a picture, at its top."""
    if backend == "bokeh":
        words: dict[str, Any] = {"location": "top", "border_line_color": None, "padding": 4}
    else:
        words = {"frameon": False}
    return {"legend_position": "right", "legend_opts": words}


def arrange(
    plots: Sequence[Any], ratios: Sequence[float], backend: str, *, below: float = 0.0
) -> hv.Layout:
    """Lay pictures out in rows.

    Parameters
    ----------
    plots : sequence of element or overlay
        Row by row.
    ratios : sequence of float
        Width by height of each column.
    backend : str
    below : float
        Room for the axis below each picture, in inches.
    """
    columns = min(len(ratios), len(plots))
    rows = -(-len(plots) // columns)
    wide = sum(ratios[:columns]) * HEIGHT_INCHES
    gap = _ABOVE + below
    options: dict[str, Any] = {"shared_axes": False}
    if backend == "matplotlib":
        width = wide + columns * _BESIDE + 0.3
        height = rows * (HEIGHT_INCHES + gap)
        options |= {
            "fig_inches": (width, height),
            "fig_bounds": (
                0.3 / width,
                below / height,
                1 - _BESIDE / width,
                1 - _ABOVE / height,
            ),
            # Of the mean width and height.
            "hspace": _BESIDE * columns / wide,
            "vspace": gap / HEIGHT_INCHES,
            "aspect_weight": 1.0,
            "sublabel_format": "",
        }
    else:
        options["toolbar"] = "right"
    return hv.Layout(list(plots)).opts(**options, backend=backend).cols(columns)

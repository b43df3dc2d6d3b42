"""A glyph on a map costs its renderer, its view and itself, and no more."""

from __future__ import annotations

from typing import Any

import bokeh.models
import bokeh.plotting

from app.maps.glyphs import draw

bm: Any = bokeh.models
figure: Any = bokeh.plotting.figure


def _added(fig: Any, source: Any, **options: Any) -> set[str]:
    before = fig.references()
    draw(fig, bm.Line(), source, **options)
    return {type(model).__name__ for model in fig.references() - before}


def test_a_glyph_brings_no_models_that_are_never_shown() -> None:
    fig, source = figure(), bm.ColumnDataSource({"x": [], "y": []})
    _added(fig, source)
    assert _added(fig, source) == {"GlyphRenderer", "CDSView", "Line"}


def test_options_are_the_renderers() -> None:
    fig, source = figure(), bm.ColumnDataSource({"x": [], "y": []})
    renderer = draw(fig, bm.Line(line_width=3), source, name="coast", visible=False)
    assert (renderer.name, renderer.visible, renderer.glyph.line_width) == ("coast", False, 3)
    assert fig.renderers == [renderer]

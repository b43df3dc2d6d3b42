"""The figures of one session: made once, afterwards only their data sources change.

Colours come through HoloViews' colour maps, projected lines from `app.maps.projections`. The
figures themselves are Bokeh's own: rendering the twelve first frames through HoloViews took 430 ms
each when this was measured, five seconds a visitor, against 10 ms for a bare figure, and the plot
objects that it keeps would be held for every session.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import bokeh.models
import bokeh.plotting
import numpy as np
from numpy.typing import NDArray

from app.maps.color_scales import (
    THEMES,
    UNSIGNED,
    Look,
    around,
    column_palette,
    column_units,
    density_palette,
    limits,
    look_palette,
    map_palette,
    scatter_limits,
    units,
)
from app.maps.frames import (
    COLUMNS,
    BundleLike,
    Frame,
    MapPane,
    Request,
    ScatterPane,
    amplification,
)
from app.maps.glyphs import draw
from app.maps.legends import WAITING, axes_html, gap_words, key_html, score_html
from app.maps.projections import EXTENT, pixel_map, projection
from app.maps.slopes import Slope
from app.maps.vector_glyphs import ArrowGlyphs
from app.maps.vectors import stretched
from app.web_files import read
from mlda_core.climate.variables import Variable

# Bokeh's annotations reject much that Bokeh accepts, such as arrays in a source.
bm: Any = bokeh.models
figure: Any = bokeh.plotting.figure

FONT = '"Segoe UI", "Helvetica Neue", Roboto, "Liberation Sans", Arial, sans-serif'

_HOVER = read("callbacks/hover.js")
_ON_GLOBE = read("callbacks/on_globe.js")
_UNPACK = read("callbacks/unpack.js") + read("callbacks/look_again.js")
_LEARN = read("callbacks/learn_slope.js")
_SLOPE = ("k", "rates", "scales", "lows", "per_unit")
_SCORES_CSS, _KEY_CSS = read("score.css"), read("key.css")
_GAP_CSS, _AXES_CSS = read("gap.css"), read("axes.css")

_TOOLTIP = (
    # The page's own colours, over the padding of Bokeh's white box.
    '<div style="font:13px/1.45 {font};font-variant-numeric:tabular-nums;white-space:pre;'
    'background:var(--raised);color:var(--text);margin:-6px;padding:6px 10px;border-radius:3px">'
    '<span style="opacity:.7">@image{{place}}</span><br>'
    "@image{{first}}  <b>@image{{target}}</b><br>"
    "@image{{what}}  <b>@image{{model}}</b></div>"
)


class DisplayOptions(NamedTuple):
    """Colours and titles of a frame: they change seldom, unlike its numbers."""

    kind: str
    look: Look | None
    left: Look | None
    words: tuple[str, str]
    spans: tuple[float, ...]
    left_kind: str = "model"
    scale: int = 1
    left_scale: int = 1
    said: tuple[str, ...] = ()


def display_options_of(request: Request) -> DisplayOptions:
    """Return how a frame is coloured."""
    column, scene, scales = request.column, request.scene, amplification(request)
    if scene is None:
        name = request.name
        what = COLUMNS[column.kind] if column.kind not in ("model", "difference") else name
        words = ("target", f"{name} − target" if column.kind == "difference" else what)
        return DisplayOptions(
            column.kind,
            column.look,
            None,
            words,
            (),
            scale=scales["model"],
            said=column.said,
        )
    left = scene.left
    return DisplayOptions(
        column.kind,
        column.look,
        left.look,
        scene.words,
        scene.spans,
        left.kind,
        scales["model"],
        scales["target"],
    )


def _image(mapper: Any, **options: Any) -> Any:
    return bm.Image(image="image", dw="dw", dh="dh", color_mapper=mapper, **options)


class Figures:
    """The twelve figures of a session and the sources behind them.

    Parameters
    ----------
    bundle : Bundle
        Only its grid and variables are used.
    frame : Frame
        The first frame, complete.
    theme : str
        ``light`` or ``dark``.
    """

    def __init__(self, bundle: BundleLike, frame: Frame, theme: str) -> None:
        self._bundle = bundle
        self._theme = theme
        self._full = frame.request.full
        self._projection = frame.request.projection
        self.figures: dict[tuple[str, str], Any] = {}
        self._images: dict[tuple[str, str], Any] = {}
        # Lines and marks by variable, kind and name: Bokeh's search for them took .15 s a session.
        self._drawn: dict[tuple[str, str, str], Any] = {}
        self._mappers: dict[tuple[str, str], Any] = {}
        self._cells: dict[str, Any] = {}
        self._meta: dict[str, Any] = {}
        self.scores: dict[str, Any] = {}
        self._said: dict[str, str] = {}
        self._waits = False
        self._guides: dict[str, dict[str, Any]] = {}
        self.axes: dict[str, Any] = {}
        self.keys: dict[str, Any] = {}
        self.gaps: dict[str, Any] = {}
        self._withheld: dict[str, Any] = {}
        self._how = display_options_of(frame.request)
        self._order = {variable.name: i for i, variable in enumerate(bundle.variables)}

        shown = projection(self._projection)
        x0, x1, y0, y1 = EXTENT
        # Gestures on the maps find these by name.
        self.x_range = bm.Range1d(x0, x1, bounds=(x0, x1), name="map-x")
        self.y_range = bm.Range1d(y0, y1, bounds=(y0, y1), name="map-y")
        # One source for the lines of all eight maps.
        self._lines = {
            name: bm.ColumnDataSource(dict(zip("xy", getattr(shown, name), strict=True)))
            for name in ("coast", "graticule", "outline")
        }
        self._pixels = bm.ColumnDataSource(self._index_image())
        lat, lon = np.meshgrid(bundle.grid.lat, bundle.grid.lon, indexing="ij")
        self._places = {
            "lon": lon.ravel().astype(np.float32),
            "lat": lat.ravel().astype(np.float32),
        }
        self._arrows = ArrowGlyphs(bundle, self.x_range, self.y_range, self._projection)
        for variable in bundle.variables:
            self._make_row(variable, frame)
        self._arrows.packed(frame.arrows)
        self._arrows.show(frame.arrows, on=frame.request.arrows)
        self._packet = bm.ColumnDataSource(
            {"bytes": [np.zeros(0, np.uint8)], "panes": [[]], "z": [np.asarray(frame.request.z)]}
        )
        self._packet.js_on_change(
            "data",
            bm.CustomJS(
                args=self._unpack_args(),
                code=_UNPACK,
            ),
        )
        self._slope = bm.ColumnDataSource({name: [] for name in _SLOPE})
        learnt = {
            "slope": self._slope,
            "images": [self._images[variable.name, "model"] for variable in bundle.variables],
            "cells": [self._cells[variable.name] for variable in bundle.variables],
            "index": self._pixels,
        }
        self._slope.js_on_change("data", bm.CustomJS(args=learnt, code=_LEARN))
        # Models that only a callback refers to must be in the document, or they are not sent.
        next(iter(self.figures.values())).tags = [self._packet, self._slope]
        self._paint()

    # -- first frame -----------------------------------------------------------------------

    def _index_image(self) -> dict[str, Any]:
        index = pixel_map(self._projection, self._bundle.grid).index
        cells = int(np.prod(self._bundle.grid.shape))
        kind = np.uint16 if cells < 2**16 - 1 else np.int32
        return {"image": [np.where(index < 0, cells, index).astype(kind)], **self._box()}

    def _box(self) -> dict[str, list[float]]:
        x0, x1, y0, y1 = EXTENT
        return {"x": [x0], "y": [y0], "dw": [x1 - x0], "dh": [y1 - y0]}

    def _make_row(self, variable: Variable, frame: Frame) -> None:
        name = variable.name
        maps = {kind: frame.panes[name, kind] for kind in ("target", "model")}
        cells: dict[str, Any] = {}
        for kind, pane in maps.items():
            if isinstance(pane, MapPane):
                cells[kind] = pane.cells.copy()
                self._images[name, kind] = bm.ColumnDataSource(
                    {"image": [pane.image.copy()], **self._box()}
                )
        self._cells[name] = bm.ColumnDataSource(cells)
        self._meta[name] = bm.ColumnDataSource(self._meta_of(variable))
        hover = bm.CustomJSHover(
            args={
                "cells": self._cells[name],
                "meta": self._meta[name],
                **self._places,
            },
            code=_HOVER,
        )
        for kind in ("target", "model"):
            self._make_map(variable, kind, hover)
        self.keys[name] = bm.Div(text=self._key(variable), stylesheets=[_KEY_CSS], margin=0)
        target = maps["target"]
        words = gap_words(variable, frame.request, target) if isinstance(target, MapPane) else ""
        self.gaps[name] = bm.Div(text=words, stylesheets=[_GAP_CSS], margin=0)
        scatter = frame.panes[name, "scatter"]
        if isinstance(scatter, ScatterPane):
            self._make_scatter(variable, scatter)

    def _meta_of(self, variable: Variable) -> dict[str, list[Any]]:
        """Return the hover text for the values of target and model."""
        how, i = self._how, self._order[variable.name]
        looks = [look if look and look.limits[i] else None for look in (how.left, how.look)]
        plain = how.kind == "model" or (how.look is not None and looks[1] is None)
        left_plain = how.left_kind == "model" and looks[0] is None
        full = [self._full and left_plain, self._full and plain]
        kinds = (how.left_kind, how.kind)
        nothing = "no sea here" if variable.domain == "sea" else "no value here"
        waits = not plain and how.kind != "difference" and variable.domain != "sea"
        gone = "nothing yet" if waits else nothing
        if how.kind == "next" and how.look is not None and variable.domain != "sea":
            gone = "observed already"
        what = list(how.words)
        if how.left is None and looks[1] is not None:
            what[1] = looks[1].words
        return {
            "what": what,
            "units": [
                look.units[i]
                if look
                else units(variable, full=True)
                if whole
                else column_units(variable, kind)
                for look, whole, kind in zip(looks, full, kinds, strict=True)
            ],
            "decimals": [
                look.decimals if look else 0 if kind == "probability" else variable.decimals
                for look, kind in zip(looks, kinds, strict=True)
            ],
            "signed": [
                not full[0] and how.left_kind not in UNSIGNED,
                not full[1] and how.kind not in UNSIGNED,
            ],
            "missing": [nothing, gone],
        }

    def _key(self, variable: Variable) -> str:
        """Return the scale of the model's column; where both columns share one, it is the row's."""
        how = self._how
        alike = how.left_kind == how.kind and how.left_scale == how.scale
        # Full fields have ends of their own, which are not amplified.
        if how.left is not None or (alike and how.look is None) or self._shows_full:
            return ""
        if how.kind == "next" and how.look is None:
            # Its scale is that of what is still computed.
            return ""
        (scaled,) = stretched((variable,), how.scale)
        i = self._order[variable.name]
        said = how.said[i] if how.said else ""
        named = how.words[1] if how.kind == "difference" else ""
        return key_html(scaled, how.kind, how.look, i, said=said, named=named)

    @property
    def _shows_full(self) -> bool:
        return self._full and self._how.kind == "model" and self._how.look is None

    def _spans(self, variable: Variable) -> tuple[float, float]:
        """Return the limits of both axes of a scatter."""
        if self._how.spans:
            return around(self._how.spans[self._order[variable.name]])
        return scatter_limits(variable, full=self._full)

    def _make_map(self, variable: Variable, kind: str, hover: Any) -> None:
        on_globe = bm.CustomJS(args={"cells": len(self._places["lon"])}, code=_ON_GLOBE)
        fig = figure(
            x_range=self.x_range,
            y_range=self.y_range,
            sizing_mode="stretch_both",
            min_width=60,
            min_height=30,
            toolbar_location=None,
            title=None,
            tools=[],
            min_border=0,
            outline_line_color=None,
            # No axes, not even hidden ones: those of twelve figures took 15 ms a frame in looking
            # up CSS values.
            x_axis_type=None,
            y_axis_type=None,
            # WebGL without a GPU costs 640 ms a frame.
            output_backend="canvas",
        )
        mapper = bm.LinearColorMapper(palette=["#000000"] * 256, low=-0.5, high=255.5)
        self._mappers[variable.name, kind] = mapper
        draw(fig, _image(mapper), self._images[variable.name, kind])
        # Drawn with no opacity: only to know which cell the pointer is over.
        black = bm.LinearColorMapper(palette=["#000000"], low=0, high=1)
        cells = draw(fig, _image(black, global_alpha=0.0), self._pixels)
        for line, width, alpha in (
            ("graticule", 0.5, 0.16),
            ("halo", 2.0, 0.5),
            ("coast", 0.8, 0.85),
            ("outline", 1.0, 1.0),
        ):
            source = self._lines["coast" if line == "halo" else line]
            glyph = bm.Line(line_width=width, line_alpha=alpha)
            self._drawn[variable.name, kind, line] = draw(fig, glyph, source, name=line)
        self._arrows.add(variable.name, kind, fig)
        pan, wheel = bm.PanTool(), bm.WheelZoomTool(maintain_focus=False)
        fig.add_tools(
            pan,
            wheel,
            bm.HoverTool(
                renderers=[cells],
                tooltips=_TOOLTIP.format(font=FONT.replace('"', "'")),
                formatters={"@image": hover},
                filters={"@image": on_globe},
                point_policy="follow_mouse",
            ),
        )
        fig.toolbar.active_drag = pan
        fig.toolbar.active_scroll = wheel
        self.figures[variable.name, kind] = fig

    def _make_scatter(self, variable: Variable, pane: ScatterPane) -> None:
        name = variable.name
        low, high = self._spans(variable)
        fig = figure(
            x_range=bm.Range1d(low, high),
            y_range=bm.Range1d(low, high),
            sizing_mode="stretch_both",
            min_width=30,
            min_height=30,
            toolbar_location=None,
            title=None,
            tools=[],
            min_border=0,
            outline_line_color=None,
            x_axis_type=None,
            y_axis_type=None,
            output_backend="canvas",
        )
        fig.toolbar.active_drag = None
        self._guides[name] = {
            key: bm.ColumnDataSource({"x": [], "y": []}) for key in ("cross", "diagonal")
        }
        for key, source in self._guides[name].items():
            self._drawn[name, "scatter", key] = draw(fig, bm.Line(line_width=1), source, name=key)
        source = bm.ColumnDataSource({"image": [pane.image.copy()], **self._scatter_box(variable)})
        self._images[name, "scatter"] = source
        mapper = bm.LinearColorMapper(palette=["#000000"] * 256, low=-0.5, high=255.5)
        self._mappers[name, "scatter"] = mapper
        draw(fig, _image(mapper), source)
        self._withheld[name] = bm.ColumnDataSource({"x": [], "y": []})
        rings = bm.Scatter(size=6, fill_alpha=0.0, line_width=1.4)
        drawn = draw(fig, rings, self._withheld[name], name="withheld")
        self._drawn[name, "scatter", "withheld"] = drawn
        self.axes[name] = bm.Div(stylesheets=[_AXES_CSS], sizing_mode="stretch_both", margin=0)
        self._said[name] = score_html(pane, variable, full=self._full)
        self.scores[name] = bm.Div(
            text=self._said[name],
            stylesheets=[_SCORES_CSS],
            sizing_mode="stretch_width",
            margin=0,
        )
        self.figures[name, "scatter"] = fig
        self._scale_scatter(variable)

    def _scatter_box(self, variable: Variable) -> dict[str, list[float]]:
        low, high = self._spans(variable)
        return {"x": [low], "y": [low], "dw": [high - low], "dh": [high - low]}

    def _scale_scatter(self, variable: Variable) -> None:
        name = variable.name
        fig = self.figures[name, "scatter"]
        low, high = self._spans(variable)
        first, last = limits(variable, full=self._full)
        if self._how.spans:
            last = self._how.spans[self._order[name]]
            first = -last
        for shown in (fig.x_range, fig.y_range):
            shown.update(start=low, end=high)
        middle = (first + last) / 2
        cross = {
            "x": [low, high, np.nan, middle, middle],
            "y": [middle, middle, np.nan, low, high],
        }
        self._guides[name]["cross"].data = cross
        self._guides[name]["diagonal"].data = {"x": [low, high], "y": [low, high]}
        self.axes[name].text = axes_html((first, middle, last), low, high, full=self._full)

    # -- later frames ----------------------------------------------------------------------

    def write(self, frame: Frame) -> None:
        """Write the changed panes into the sources; the caller holds the document."""
        if frame.request.projection != self._projection:
            self._projection = frame.request.projection
            self._reproject()
        how, before = display_options_of(frame.request), self._how
        rescaled = (frame.request.full, how.spans) != (self._full, before.spans)
        if how != before or rescaled:
            self._how, self._full = how, frame.request.full
            for variable in self._bundle.variables:
                self._meta[variable.name].data = self._meta_of(variable)
                self.keys[variable.name].text = self._key(variable)
                if rescaled:
                    self._scale_scatter(variable)
                    box = self._scatter_box(variable)
                    self._images[variable.name, "scatter"].data.update(box)
            self._paint()
        self._arrows.show(frame.arrows, on=frame.request.arrows)
        if not frame.panes:
            return
        by_name = {variable.name: variable for variable in self._bundle.variables}
        parts: list[bytes] = []
        names: list[str] = []
        for (name, kind), pane in frame.panes.items():
            names.append(f"{name}_{kind}")
            parts.append(pane.image.tobytes())
            # What a browser is given that asks for the page only now: an analysis is often there
            # before it. Changed in place, so that Bokeh sends nothing of it.
            np.copyto(self._images[name, kind].data["image"][0], pane.image)
            if isinstance(pane, MapPane):
                parts.append(pane.cells.tobytes())
                np.copyto(self._cells[name].data[kind], pane.cells)
                if kind == "target":
                    self.gaps[name].text = gap_words(by_name[name], frame.request, pane)
            else:
                awaited = frame.request.scene is not None
                self._said[name] = score_html(pane, by_name[name], full=self._full, awaited=awaited)
                self._tell(name)
        for kind, part in self._arrows.packed(frame.arrows):
            names.append(f"arrows_{kind}")
            parts.append(part)
        joined = np.frombuffer(b"".join(parts), dtype=np.uint8)
        z = np.asarray(frame.request.z)
        self._packet.data = {"bytes": [joined], "panes": [names], "z": [z]}

    def write_slope(self, slope: Slope | None) -> None:
        """Tell the browser how the model's maps change with a latent; None where they do not."""
        given = (
            ()
            if slope is None
            else (
                slope.k,
                slope.rates.ravel(),
                slope.scales,
                slope.lows,
                slope.per_unit,
            )
        )
        self._slope.data = {name: list(given[i : i + 1]) for i, name in enumerate(_SLOPE)}

    def wait(self, waits: bool) -> None:
        """Blank the numbers in the scatters while they are still of another month."""
        if waits != self._waits:
            self._waits = waits
            for name in self._said:
                self._tell(name)

    def _tell(self, name: str) -> None:
        self.scores[name].text = WAITING if self._waits else self._said[name]

    def write_withheld(self, points: dict[str, tuple[NDArray[Any], NDArray[Any]]]) -> None:
        """Mark withheld observations in the scatters.

        Parameters
        ----------
        points : dict
            For each variable the observed and the analysed values, in the units shown.
        """
        for name, source in self._withheld.items():
            x, y = points.get(name, (np.zeros(0), np.zeros(0)))
            if len(x) or len(source.data["x"]):
                source.data = {"x": np.asarray(x, np.float32), "y": np.asarray(y, np.float32)}

    def _unpack_args(self) -> dict[str, Any]:
        panes = list(self._images)
        return {
            "packet": self._packet,
            "names": [f"{name}_{kind}" for name, kind in panes],
            "images": [self._images[pane] for pane in panes],
            "cells": [self._cells[name] for name, _ in panes],
            "arrow_names": [f"arrows_{kind}" for kind in self._arrows.sources],
            "arrows": list(self._arrows.sources.values()),
        }

    def _reproject(self) -> None:
        shown = projection(self._projection)
        for name, source in self._lines.items():
            source.data = dict(zip("xy", getattr(shown, name), strict=True))
        self._pixels.data = self._index_image()
        self._arrows.reproject(self._projection)
        self.reset_view()

    def reset_view(self) -> None:
        """Show the whole map again."""
        x0, x1, y0, y1 = EXTENT
        self.x_range.update(start=x0, end=x1)
        self.y_range.update(start=y0, end=y1)

    def set_theme(self, theme: str) -> None:
        """Repaint everything that surrounds the data."""
        if theme != self._theme:
            self._theme = theme
            self._paint()

    def _paint(self) -> None:
        theme = THEMES[self._theme]
        how = self._how
        for i, variable in enumerate(self._bundle.variables):
            plain = map_palette(variable, self._theme, full=self._full)
            for kind, look, shown in (
                ("target", how.left, how.left_kind),
                ("model", how.look, how.kind),
            ):
                palette = plain
                if look is not None and shown not in UNSIGNED:
                    palette = look_palette(variable, self._theme) if look.limits[i] else plain
                elif shown != "model":
                    palette = column_palette(variable, self._theme, shown)
                self._mappers[variable.name, kind].palette = palette
            self._mappers[variable.name, "scatter"].palette = list(density_palette(self._theme))
        for (name, kind), fig in self.figures.items():
            # Transparent: the page's own colour shows, whichever theme it has. (A filled one is
            # painted over itself at its edges, frame after frame.)
            fig.background_fill_alpha = 0.0
            fig.border_fill_alpha = 0.0
            if kind == "scatter":
                self._drawn[name, kind, "withheld"].glyph.line_color = theme["withheld"]
                for line, alpha in (("cross", 0.6), ("diagonal", 1.0)):
                    colour = theme["line" if line == "cross" else "muted"]
                    self._drawn[name, kind, line].glyph.update(line_color=colour, line_alpha=alpha)
            else:
                for line, colour in (
                    ("graticule", theme["grid"]),
                    ("coast", theme["coast"]),
                    ("outline", theme["outline"]),
                ):
                    self._drawn[name, kind, line].glyph.line_color = colour
                # Dark coasts are lost in the dark ends of fields and probabilities; anomalies are
                # light nearly everywhere, and a second line would cost time in each of a slider's
                # frames.
                halo = self._drawn[name, kind, "halo"]
                probable = kind == "model" and self._how.kind == "probability"
                halo.visible = self._full or probable
                halo.glyph.line_color = "#ffffff"

"""From a state to what is drawn: pure functions of plain data, tested without a browser.

One call of `draw` per change. It decodes once, computes only the panes that the change touched,
and returns arrays; `app.maps.figures` writes them into the page. No panel, bokeh or holoviews here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from dataclasses import field as attribute
from functools import lru_cache
from typing import Any, Protocol

import datashader as ds
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.maps.color_scales import (
    HATCH,
    LEVELS,
    MISSING,
    OUTSIDE,
    UNSIGNED,
    Look,
    around,
    column_limits,
    limits,
    quantise,
    scatter_limits,
)
from app.maps.projections import PixelMap, pixel_map
from app.maps.vectors import Arrows, draw_arrows, lattice, stretched
from mlda_core.climate.grid import Grid
from mlda_core.climate.metrics import Comparison, compare
from mlda_core.climate.regions import REGIONS, regional_mean
from mlda_core.climate.seasons import Seasons
from mlda_core.climate.variables import Variable
from mlda_core.observations.networks import observed_as
from mlda_core.page_state.latents import with_remainder

HATCH_EVERY = 6
# Cells of the scatter: three screen pixels each at 1080p.
SCATTER = 75
# Where the index of El Nino is taken, from whichever of these a bundle has, by what observes it.
NINO_VARIABLES = ("tos", "tas")

Pane = tuple[str, str]  # variable name, and one of "target", "model", "scatter"

# What the model column can show, and the words for it.
COLUMNS = {
    "model": "model",
    "increment": "increment",
    "difference": "model − target",
    "influence": "influence",
    "spread": "spread",
    "probability": "probability",
    "next": "less variance",
}


class BundleLike(Protocol):
    """The interface of a bundle that drawing needs: `mlda_core.bundle.bundle.Bundle` has it."""

    @property
    def grid(self) -> Grid:
        """The grid of every field."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables, in the order of the fields."""

    @property
    def seasons(self) -> Seasons:
        """Its time step, and the seasons of its times."""

    @property
    def vectors(self) -> tuple[tuple[str, str], ...]:
        """Names of variables that are one vector's components, eastward and northward."""

    def target(self, month: str) -> NDArray[np.floating]:
        """Return a month's anomalies."""

    def climatology(self, season: int) -> NDArray[np.floating]:
        """Return a season's mean state."""

    def decode_anomalies(self, z: Any, season: int) -> NDArray[np.floating]:
        """Return the anomalies that a latent vector stands for."""


@dataclass(frozen=True, eq=False)
class Column:
    """What the model column shows.

    Parameters
    ----------
    kind : str
        One of `COLUMNS`.
    fields : ndarray, shape (V, lat, lon), optional
        Increment, influence or spread, display units; without it that column is empty. The model
        and its difference from the target need none.
    reference : ndarray, shape (V, lat, lon), optional
        Climatological spread, display units.
    hatch : float
        A spread above this share of the reference is hatched.
    look : Look, optional
        Scales of its own, of responses and sensitivities; the reference is then what fades them.
    said : tuple of str
        What stands before each map's scale; nothing by default.
    """

    kind: str = "model"
    fields: NDArray[np.floating] | None = None
    reference: NDArray[np.floating] | None = None
    hatch: float = 0.5
    look: Look | None = None
    said: tuple[str, ...] = ()

    def plain(self, i: int) -> bool:
        """Whether a variable's map is drawn as an anomaly or a full field."""
        return self.kind == "model" or (self.look is not None and self.look.limits[i] is None)


PLAIN = Column()


@dataclass(frozen=True, eq=False)
class ColumnContent:
    """What stands in the columns instead of the target and the model; never changed in place.

    Parameters
    ----------
    first, second : ndarray, shape (V, lat, lon)
        Display units; the scatter is of the second against the first.
    words : tuple of str
        What they are, for hovering.
    left, right : Column
        How they are drawn.
    spans : tuple of float
        Limits of the scatters, where they are not those of the anomalies.
    readings : tuple of tuple of (str, str, str)
        For each variable the names, values and units inside its scatter, where they are not the
        scores.
    season : int, optional
        Of the first, where it is another than the month's: its full fields have that climatology.
    """

    first: NDArray[np.floating]
    second: NDArray[np.floating]
    words: tuple[str, str]
    left: Column = PLAIN
    right: Column = PLAIN
    spans: tuple[float, ...] = ()
    readings: tuple[tuple[tuple[str, str, str], ...], ...] = ()
    season: int | None = None


@dataclass(frozen=True, eq=False)
class Request:
    """The part of a state that the picture depends on.

    Parameters
    ----------
    month : str
        ``YYYY-MM``, or ``YYYY-MM-DD`` of a bundle of days.
    z : ndarray, shape (n_latent,)
        Latent vector; never changed in place.
    projection : str
        Key of the projection.
    full : bool
        Full fields instead of anomalies.
    analysis : ndarray, shape (V, lat, lon), optional
        Anomalies that the model shows instead of what z decodes to; never changed in place.
    residual : ndarray, shape (V, lat, lon), optional
        Anomalies added to what z decodes to; never changed in place.
    column : Column
        What the model column shows.
    scene : ColumnContent, optional
        What both columns show instead.
    scale : int
        What the model column's colour range is divided by, an option of the setting ``scale`` of
        `mlda_core.page_state.observations.ObservationSettings`; see `amplification`.
    arrows : bool
        Whether the bundle's vector is drawn over its other variables.
    name : str
        What the model is, within a sentence.
    """

    month: str
    z: NDArray[np.float32]
    projection: str
    full: bool
    analysis: NDArray[np.floating] | None = None
    residual: NDArray[np.floating] | None = None
    column: Column = PLAIN
    scene: ColumnContent | None = None
    scale: int = 1
    arrows: bool = False
    name: str = "model"

    @property
    def date(self) -> str:
        """Month, or month and day, without the year: each is a season of its own."""
        return self.month[5:]


@dataclass(frozen=True, eq=False)
class MapPane:
    """What one map needs.

    Parameters
    ----------
    image : ndarray of uint8, shape (NY, NX)
        Palette indices.
    cells : ndarray of float32, shape (nlat * nlon,)
        Values of the cells, display units, for hovering; NaN where missing.
    """

    image: NDArray[np.uint8]
    cells: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ScatterPane:
    """What one scatter needs.

    Parameters
    ----------
    image : ndarray of uint8, shape (SCATTER, SCATTER)
        Palette indices of the area-weighted density, 0 where empty.
    scores : Comparison
        How model and target compare, always as anomalies.
    readings : tuple of (str, str, str)
        Names, values and units to be written instead.
    """

    image: NDArray[np.uint8]
    scores: Comparison
    readings: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture, or the part of it that changed.

    Parameters
    ----------
    request : Request
        What it was made for.
    changed : frozenset of Pane
        Panes in `panes`; the others look as before.
    panes : dict
        Arrays by pane.
    model : ndarray, shape (V, lat, lon)
        Anomalies of the model.
    nino : tuple of float or None
        Nino 3.4 of target and model, K; None where the bundle has no sea.
    arrows : dict
        Those that changed, by column; None where a column shows no vector.
    """

    request: Request
    changed: frozenset[Pane]
    panes: dict[Pane, MapPane | ScatterPane]
    model: NDArray[np.floating]
    nino: tuple[float, float] | None
    arrows: dict[str, Arrows | None] = attribute(default_factory=dict)


def amplification(request: Request) -> dict[str, int]:
    """Return what the colour range of each column of maps is divided by.

    The target stays as it is, for months compare by its colours; another method's increment beside
    the model's has the model's scale, and so has its analysis beside the analysis.
    """
    scene = request.scene
    alike = scene is not None and scene.left.kind == request.column.kind
    return {"target": request.scale if alike else 1, "model": request.scale}


def changes(before: Request | None, now: Request, variables: tuple[Variable, ...]) -> set[Pane]:
    """Return the panes that have to be drawn again.

    Dragging a slider touches models and scatters only: 8 panes of 12.
    """
    kinds: set[str] = set()
    if (
        before is None
        or before.full != now.full
        # Switched on, arrows need the fields that they are drawn from.
        or (now.arrows and not before.arrows)
    ):
        kinds = {"target", "model", "scatter"}
    else:
        if before.projection != now.projection:
            kinds |= {"target", "model"}
        scales, old = amplification(now), amplification(before)
        kinds |= {kind for kind in scales if scales[kind] != old[kind]}
        if before.month != now.month:
            kinds |= {"target", "scatter"}
            if before.date != now.date:
                kinds |= {"model"}
        if _differs(before, now):
            kinds |= {"model", "scatter"}
        if before.column is not now.column:
            kinds |= {"model"}
        if before.scene is not now.scene:
            kinds |= _changes_of_scene(before.scene, now.scene)
        if now.column.kind == "difference" and (
            before.month != now.month or _first(before) is not _first(now)
        ):
            kinds |= {"model"}
    return {(variable.name, kind) for variable in variables for kind in kinds}


def _first(request: Request) -> NDArray[np.floating] | None:
    return None if request.scene is None else request.scene.first


def _changes_of_scene(before: ColumnContent | None, now: ColumnContent | None) -> set[str]:
    """Return the kinds of panes that another scene touches, the model's own changes apart."""
    if before is None or now is None:
        return {"target", "model", "scatter"}
    kinds = {"target", "scatter"} if before.first is not now.first else set()
    if before.left is not now.left:
        kinds |= {"target"}
    if (before.spans, before.readings) != (now.spans, now.readings):
        kinds |= {"scatter"}
    return kinds


def draw_map(
    field: NDArray[np.floating], pixels: PixelMap, low: float, high: float
) -> NDArray[np.uint8]:
    """Draw a field as palette indices, shape (NY, NX)."""
    image = quantise(pixels.project(field), low, high)
    image[~pixels.inside] = OUTSIDE
    return image


def draw_column(
    column: Column, i: int, variable: Variable, pixels: PixelMap
) -> tuple[NDArray[np.uint8], NDArray[np.floating]]:
    """Draw one map of a column that is not the model.

    Parameters
    ----------
    column : Column
        With its fields, or without: then nothing is there.
    i : int
        Which variable, in the order of the fields.
    variable : Variable
        The same.
    pixels : PixelMap
        The projection.

    Returns
    -------
    image : ndarray of uint8, shape (NY, NX)
        Palette indices.
    field : ndarray, shape (lat, lon)
        The values drawn.
    """
    field = (
        np.full(pixels.grid_shape, np.nan, dtype=np.float32)
        if column.fields is None
        else np.asarray(column.fields[i])
    )
    if column.look is not None and column.kind in UNSIGNED:
        return draw_map(field, pixels, 0.0, column.look.limits[i] or 1.0), field
    if column.look is not None:
        reference = None if column.reference is None else np.asarray(column.reference[i])
        return column.look.draw(i, field, reference, pixels), field
    image = draw_map(field, pixels, *column_limits(variable, column.kind))
    if column.kind == "spread":
        drawn = (image != OUTSIDE) & (image != MISSING)
        image[drawn] = np.minimum(image[drawn], HATCH - 1)
        if column.reference is not None:
            wide = pixels.project(field - column.hatch * column.reference[i]) > 0
            ny, nx = image.shape
            stripes = (np.arange(ny)[:, None] + np.arange(nx)) % HATCH_EVERY == 0
            image[drawn & wide & stripes] = HATCH
    return image, field


@lru_cache(maxsize=32)
def _canvas(low: float, high: float) -> ds.Canvas:
    return ds.Canvas(
        plot_width=SCATTER, plot_height=SCATTER, x_range=(low, high), y_range=(low, high)
    )


def draw_scatter(
    target: NDArray[np.floating],
    model: NDArray[np.floating],
    weights: NDArray[np.floating],
    low: float,
    high: float,
) -> NDArray[np.uint8]:
    """Draw the area-weighted density of all cells as palette indices.

    Datashader's own Canvas takes 0.5 ms; HoloViews' rasterize around it 18.
    """
    # What lies outside is drawn at the edge, for the scores count it; a little inside, for the
    # upper edge belongs to no pixel.
    top = np.float32(high - 1e-4 * (high - low))
    points = pd.DataFrame(
        {
            "x": np.clip(np.asarray(target, dtype=np.float32).ravel(), low, top),
            "y": np.clip(np.asarray(model, dtype=np.float32).ravel(), low, top),
            "w": np.asarray(weights, dtype=np.float32).ravel(),
        },
        copy=False,
    )
    density = _canvas(low, high).points(points, "x", "y", agg=ds.sum("w")).to_numpy()
    full = np.nan_to_num(density)
    # Against a fixed reference, so that the picture does not flicker while a slider moves: one
    # part in 40 of the globe in one pixel is the darkest, one cell near the equator is visible.
    shade = np.log1p(full * 6000.0) / np.log1p(6000.0 / 40.0)
    image = np.clip(shade * LEVELS, 0, LEVELS)
    image[full > 0] = np.maximum(image[full > 0], 24)
    return image.astype(np.uint8)


def nino34(bundle: BundleLike, anomalies: NDArray[np.floating]) -> float | None:
    """Return the Nino 3.4 index of a state's anomalies, K; None without a sea in the region."""
    names = [observed_as(variable) for variable in bundle.variables]
    for name in NINO_VARIABLES:
        if name in names:
            mean = float(
                regional_mean(anomalies[names.index(name)], bundle.grid, REGIONS["nino34"])
            )
            return mean if np.isfinite(mean) else None
    return None


def draw(bundle: BundleLike, request: Request, before: Frame | None = None) -> Frame:
    """Draw what changed.

    Parameters
    ----------
    bundle : Bundle
        The model and its months; only read.
    request : Request
        What to show.
    before : Frame, optional
        What is shown now; without it, everything is drawn.

    Returns
    -------
    Frame
        The changed panes.
    """
    changed = changes(before.request if before else None, request, bundle.variables)
    season = bundle.seasons.of(request.month)
    scene = request.scene
    target = bundle.target(request.month) if scene is None else scene.first
    if request.analysis is not None:
        model = request.analysis
    elif before is not None and not _decodes(before.request, request):
        model = before.model
    else:
        model = bundle.decode_anomalies(request.z, season)
        if request.residual is not None:
            model = with_remainder(model, request.residual, bundle, season)
    means: dict[str, NDArray[np.floating]] = {}
    if request.full:
        other = season if scene is None or scene.season is None else scene.season
        means = {"target": bundle.climatology(other), "model": bundle.climatology(season)}

    pixels = pixel_map(request.projection, bundle.grid)
    weights = bundle.grid.weights
    column = request.column
    if column.kind == "difference":
        column = replace(column, fields=model - target)
    panes: dict[Pane, MapPane | ScatterPane] = {}
    drawn_fields: dict[Pane, tuple[NDArray[np.floating], float]] = {}
    scales = amplification(request)
    by_kind = {kind: stretched(bundle.variables, scale) for kind, scale in scales.items()}
    for i, variable in enumerate(bundle.variables):
        shown = {"target": target[i], "model": model[i]}
        if means:
            shown = {kind: field + means[kind][i] for kind, field in shown.items()}
            if variable.non_negative:
                shown = {kind: np.maximum(field, 0) for kind, field in shown.items()}
        for kind, field in shown.items():
            if (variable.name, kind) not in changed:
                continue
            drawn = column if kind == "model" else PLAIN if scene is None else scene.left
            coloured = by_kind[kind][i]
            if not drawn.plain(i):
                image, values = draw_column(drawn, i, coloured, pixels)
                end = _end(drawn, i, coloured)
            else:
                low, high = limits(coloured, full=request.full)
                image, values = draw_map(field, pixels, low, high), field
                end = max(-low, high)
            drawn_fields[variable.name, kind] = values, end
            panes[variable.name, kind] = MapPane(
                image, np.ascontiguousarray(values, dtype=np.float32).ravel()
            )
        if (variable.name, "scatter") in changed:
            spans = scatter_limits(variable, full=request.full)
            if scene is not None and scene.spans:
                spans = around(scene.spans[i])
            panes[variable.name, "scatter"] = ScatterPane(
                draw_scatter(shown["target"], shown["model"], weights, *spans),
                compare(target[i], model[i], weights),
                scene.readings[i] if scene is not None and scene.readings else (),
            )
    ours, theirs = nino34(bundle, target), nino34(bundle, model)
    nino = None if ours is None or theirs is None else (ours, theirs)
    arrows = _arrows(bundle, request, drawn_fields, pixels)
    return Frame(request, frozenset(changed), panes, model, nino, arrows)


def _end(column: Column, i: int, variable: Variable) -> float:
    """Return where the colours of a column that is not the model end; 0 without a direction."""
    if column.kind in UNSIGNED:
        return 0.0
    if column.look is not None:
        return column.look.limits[i] or 0.0
    return column_limits(variable, column.kind)[1]


def _arrows(
    bundle: BundleLike,
    request: Request,
    fields: dict[Pane, tuple[NDArray[np.floating], float]],
    pixels: PixelMap,
) -> dict[str, Arrows | None]:
    """Return the arrows of the columns whose maps were drawn; a spread has no direction."""
    if not request.arrows or not bundle.vectors:
        return {}
    pair = bundle.vectors[0]
    places = lattice(request.projection, bundle.grid, pixels)
    made: dict[str, Arrows | None] = {}
    for kind in ("target", "model"):
        parts = [fields.get((name, kind)) for name in pair]
        if parts[0] is None or parts[1] is None:
            continue
        (east, end), (north, other) = parts[0], parts[1]
        made[kind] = draw_arrows(east, north, places, max(end, other)) if end and other else None
    return made


def _decodes(before: Request, now: Request) -> bool:
    """Whether the decoder has to run again."""
    return before.date != now.date or _differs(before, now)


def _differs(before: Request, now: Request) -> bool:
    """Whether the model is another one, the season apart."""
    if before.analysis is not None or now.analysis is not None:
        return before.analysis is not now.analysis
    if before.residual is not now.residual:
        return True
    return before.z is not now.z and not np.array_equal(before.z, now.z)

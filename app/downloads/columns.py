"""Both columns of maps as they are shown: values, colours, and what is hatched or faded.

Pure functions of a frame, like `app.maps.frames`, which draws the same for the screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.maps.color_scales import (
    UNSIGNED,
    cmap_of,
    column_limits,
    column_units,
    limits,
    units,
)
from app.maps.frames import COLUMNS, PLAIN, Column, Request, amplification
from app.maps.vectors import stretched

if TYPE_CHECKING:
    from app.maps.frames import Frame
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.climate.variables import Variable

Float = NDArray[np.floating]


class MapLook(NamedTuple):
    """Colours and words of one map, as of :class:`mlda_core.plotting.Look`."""

    title: str
    units: str
    cmap: str
    limits: tuple[float, float]


@dataclass(frozen=True, eq=False)
class ShownColumn:
    """A column of maps.

    Parameters
    ----------
    title : str
        What it is.
    fields : ndarray, shape (V, lat, lon)
        The values shown, in the units of the looks; NaN where there are none.
    looks : tuple of MapLook
        Of each variable.
    plain : bool
        Whether all of it are anomalies or full fields, so that they can be compared.
    marked : ndarray of bool, shape (V, lat, lon), optional
        Where the page hatches or fades.
    """

    title: str
    fields: Float
    looks: tuple[MapLook, ...]
    plain: bool
    marked: NDArray[np.bool_] | None = None


def shown_columns(bundle: Bundle, frame: Frame) -> tuple[ShownColumn, ShownColumn]:
    """Return the first and the second column of a frame.

    Parameters
    ----------
    bundle : Bundle
    frame : Frame
        What the page shows.
    """
    request, scene = frame.request, frame.request.scene
    first = bundle.target(request.month) if scene is None else scene.first
    left = PLAIN if scene is None else scene.left
    scales = amplification(request)
    words = words_of(request)
    return (
        _shown(
            bundle,
            request,
            left,
            first,
            words=words[0],
            scale=scales["target"],
            season=None if scene is None else scene.season,
        ),
        _shown(
            bundle,
            request,
            request.column,
            frame.model,
            other=first,
            words=words[1],
            scale=scales["model"],
        ),
    )


def words_of(request: Request) -> tuple[str, str]:
    """Return what both columns are, within a sentence."""
    scene, kind = request.scene, request.column.kind
    if scene is not None:
        return scene.words
    return "target", request.name if kind == "model" else COLUMNS[kind]


def _shown(
    bundle: Bundle,
    request: Request,
    column: Column,
    state: Float,
    *,
    words: str,
    scale: int,
    other: Float | None = None,
    season: int | None = None,
) -> ShownColumn:
    """Return a column; `other` is what a difference is from, `season` of a state of its own."""
    variables = bundle.variables
    fields = column.fields
    if column.kind == "difference" and other is not None:
        fields = state - other
    if fields is None:
        fields = np.full_like(state, np.nan)
    plain = [column.plain(i) for i in range(len(variables))]
    whole = _whole(bundle, request, state, season)
    shown = np.stack([whole[i] if plain[i] else fields[i] for i in range(len(variables))])
    title = words[:1].upper() + words[1:]
    coloured = stretched(variables, scale)
    return ShownColumn(
        title,
        shown,
        tuple(
            _look(column, i, coloured[i], title, full=request.full) for i in range(len(variables))
        ),
        all(plain),
        _marked(column, fields, plain),
    )


def _whole(bundle: Bundle, request: Request, state: Float, season: int | None) -> Float:
    """Return a state as it is shown: anomalies, or full fields; of the month's season if None."""
    if not request.full:
        return state
    season = bundle.seasons.of(request.month) if season is None else season
    made = state + bundle.climatology(season)
    for i, variable in enumerate(bundle.variables):
        if variable.non_negative:
            made[i] = np.maximum(made[i], 0)
    return made


def _look(column: Column, i: int, variable: Variable, title: str, *, full: bool) -> MapLook:
    heading = f"{title}: {variable.label}"
    if column.plain(i):
        ends = limits(variable, full=full)
        return MapLook(heading, units(variable, full=full), cmap_of(variable, full=full), ends)
    cmap = UNSIGNED.get(column.kind, variable.anomaly_cmap)
    look = column.look
    if look is None:
        return MapLook(
            heading,
            column_units(variable, column.kind),
            cmap,
            column_limits(variable, column.kind),
        )
    end = look.limits[i] or 1.0
    if column.kind == "sensitivity":
        # The column's words are of what the scatter compares.
        heading = f"{look.words[:1].upper()}{look.words[1:]}: {variable.label}"
    return MapLook(heading, look.units[i], cmap, (0.0 if column.kind in UNSIGNED else -end, end))


def _marked(column: Column, fields: Float, plain: list[bool]) -> NDArray[np.bool_] | None:
    """Return where a column is hatched (a spread) or faded (a response); None where it is not."""
    if column.reference is None:
        return None
    if column.look is not None:
        found = np.abs(fields) < column.reference if column.look.faded else None
    elif column.kind == "spread":
        found = fields > column.hatch * column.reference
    else:
        found = None
    if found is None:
        return None
    return np.asarray(found & ~np.asarray(plain)[:, None, None])

"""The maps shown as a figure for paper: PNG, SVG or PDF, by the library's plotting package."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.downloads.columns import ShownColumn
from mlda_core.climate.errors import ExtraError
from mlda_core.climate.projections import REGION

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.bundle.bundle import Bundle

# Media types of the formats.
FORMATS = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}


@dataclass(frozen=True)
class Caption:
    """What is written below a figure.

    Parameters
    ----------
    what : str
        What the columns are.
    month : str
        The month or day that they are of, or the mean of several.
    method : str
        Key of the method of an analysis; '' where nothing is analysed.
    notes : tuple of str
        Further sentences.
    """

    what: str
    month: str
    method: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class FigureRequest:
    """What is to be drawn; it does not change with the page.

    Parameters
    ----------
    bundle : Bundle
    columns : tuple of ShownColumn
        From left to right.
    projection : str
        Key of the page's projection.
    caption : Caption
    variables : tuple of str
        The rows; all by default.
    observations : DataFrame, optional
        Over the first column.
    arrows : bool
        Whether the bundle's vector is drawn over the other variables.
    """

    bundle: Bundle
    columns: tuple[ShownColumn, ...]
    projection: str
    caption: Caption
    variables: tuple[str, ...] = ()
    observations: pd.DataFrame | None = None
    arrows: bool = False


def draw_figure(request: FigureRequest, kind: str) -> bytes:
    """Draw a figure; takes seconds, and is not safe in two threads at once.

    Parameters
    ----------
    request : FigureRequest
    kind : str
        One of :data:`FORMATS`.

    Returns
    -------
    bytes
        Of the file.

    Raises
    ------
    ExtraError
        If the plotting package is not installed.
    """
    try:
        from mlda_core.plotting import Look, caption, save, state_maps
    except ImportError as error:
        raise ExtraError("A figure", "plot") from error
    columns, said = request.columns, request.caption
    titles = [column.title for column in columns]
    comparable = len(columns) == 2 and all(column.plain for column in columns)
    picture = state_maps(
        request.bundle,
        {c.title: (c.fields, [Look(*look) for look in c.looks]) for c in columns},
        variables=request.variables,
        stippled={c.title: c.marked for c in columns if c.marked is not None},
        observations=request.observations,
        arrows=request.arrows,
        with_scatter=(titles[0], titles[1]) if comparable else None,
        projection="region" if request.projection.startswith(REGION) else request.projection,
        backend="matplotlib",
    )
    words = caption(request.bundle, month=said.month, method=said.method, what=said.what)
    below = " ".join([words, *said.notes])
    with tempfile.TemporaryDirectory(prefix="mlda-") as folder:
        return save(picture, Path(folder) / f"figure.{kind}", caption=below).read_bytes()

"""The effect of a latent as a small map, beside its slider."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from app.maps.color_scales import colours
from app.maps.projections import EXTENT, choices_of, coastline, pixel_map, projection
from app.text import short_labels
from mlda_core.climate.grid import Grid
from mlda_core.climate.projections import REGION
from mlda_core.climate.seasons import Seasons
from mlda_core.climate.variables import Variable

# Twice the size on the page, so that it is sharp on dense screens.
WIDTH, HEIGHT = 168, 84
_COAST = (48, 52, 58)
_LAND = (211, 211, 207)


class Directions(Protocol):
    """The interface of a bundle that thumbnails need."""

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
    def direction_share(self) -> NDArray[np.floating]:
        """Share of each variable's variance that each latent carries."""

    def direction_effect(self, k: int, season: int) -> NDArray[np.floating]:
        """Return the change of the anomalies for one unit of a latent."""


@dataclass(frozen=True)
class Latent:
    """What stands beside a slider.

    Parameters
    ----------
    k : int
        Which latent, from 0.
    label : str
        The variable that it moves most.
    title : str
        The same at length.
    thumb : str
        A PNG as a data URI: what one unit more does to that variable.
    """

    k: int
    label: str
    title: str
    thumb: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the browser."""
        return {"k": self.k, "label": self.label, "title": self.title, "thumb": self.thumb}


def strongest(bundle: Directions, k: int) -> int:
    """Return the number of the variable that a latent moves most."""
    return int(np.argmax(np.nan_to_num(bundle.direction_share[k])))


def thumbnail(field: NDArray[np.floating], grid: Grid, cmap: str) -> str:
    """Draw a field as a small PNG on symmetric colours, as a data URI."""
    key = choices_of(grid)[0].key
    # The globe whole and plain; a region as its map shows it.
    key = key if key.startswith(REGION) else "platecarree"
    drawn = pixel_map(key, grid).project(field)
    rows = np.linspace(drawn.shape[0] - 1, 0, HEIGHT).round().astype(int)
    cols = np.linspace(0, drawn.shape[1] - 1, WIDTH).round().astype(int)
    small = drawn[np.ix_(rows, cols)]
    seen = np.abs(small[np.isfinite(small)])
    # Scaled to its own maximum: it shows pattern and sign, the maps show amounts.
    limit = max(float(np.quantile(seen, 0.99)) if seen.size else 0.0, 1e-9)
    level = np.clip((small / limit + 1) * 126.5, 0, 253)
    index = np.where(np.isfinite(small), np.nan_to_num(level) + 1, 0).astype(np.uint8)
    image = Image.fromarray(index, mode="P")
    table = [_LAND, *(_rgb(c) for c in colours(cmap)), _COAST]
    image.putpalette([part for rgb in table for part in rgb])
    pen = ImageDraw.Draw(image)
    for line in _coast_pixels(key):
        pen.line(line, fill=255, width=1)
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@lru_cache(maxsize=8)
def _coast_pixels(key: str) -> tuple[list[tuple[float, float]], ...]:
    """Return the coastline in pixels of a thumbnail, simplified to what can be seen."""
    lines: list[list[tuple[float, float]]] = []
    if key.startswith(REGION):
        x0, x1, y0, y1 = EXTENT
        x, y = projection(key).coast
        place = np.column_stack([(x - x0) / (x1 - x0) * WIDTH, (y1 - y) / (y1 - y0) * HEIGHT])
        for piece in np.split(place, np.flatnonzero(np.isnan(x))):
            part = piece[np.isfinite(piece[:, 0])]
            # Islands smaller than some pixels would be dots.
            if len(part) > 1 and np.ptp(part, axis=0).max() > 6:
                lines.append([(float(a), float(b)) for a, b in part])
        return tuple(lines)
    for part in coastline().simplify(1.5).geoms:
        place = np.asarray(part.coords)
        x = (place[:, 0] % 360) / 360 * WIDTH
        y = (90 - place[:, 1]) / 180 * HEIGHT
        if part.length < 8:
            continue
        # The map is cut at Greenwich: a line that jumps across it is two.
        for piece in np.split(np.column_stack([x, y]), np.flatnonzero(np.abs(np.diff(x)) > 80) + 1):
            points = [(float(a), float(b)) for a, b in piece]
            lines += [points] if len(points) > 1 else []
    return tuple(lines)


# By bundle, and gone with it.
_MADE: WeakKeyDictionary[Directions, dict[tuple[int, int], Latent]] = WeakKeyDictionary()
# A longer name of a variable has no room beside a thumbnail.
LABEL = 24


def latent(bundle: Directions, k: int, calendar_month: int) -> Latent:
    """Return what stands beside a slider, made once per process and calendar month.

    Days of a month share it: their networks are the same, and their spreads nearly so.
    """
    made, name = _MADE.setdefault(bundle, {}), (k, calendar_month)
    if name not in made:
        i = strongest(bundle, k)
        variable = bundle.variables[i]
        middle = int(bundle.seasons.middles[calendar_month - 1])
        share = float(np.nan_to_num(bundle.direction_share[k, i]))
        made[name] = Latent(
            k=k,
            label=_short(bundle, i),
            title=(
                f"Effect of +1 on {variable.label.lower()}; explains {100 * share:.1f} % of its "
                "variance"
            ),
            thumb=thumbnail(
                bundle.direction_effect(k, middle)[i], bundle.grid, variable.anomaly_cmap
            ),
        )
    return made[name]


def plain(bundle: Directions, k: int) -> Latent:
    """Return what stands beside a slider before its picture is there."""
    return Latent(k=k, label=_short(bundle, strongest(bundle, k)), title="", thumb="")


def _short(bundle: Directions, i: int) -> str:
    """Return a variable's label if there is room for it, else a word."""
    label = bundle.variables[i].label
    if len(label) <= LABEL:
        return label
    short = short_labels(bundle.variables)[bundle.variables[i].name]
    return short[:1].upper() + short[1:]

"""SST changes: uniform, regions, boxes, polygons or patterns, with tapered edges."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate import places
from mlda_core.climate.errors import UserError
from mlda_core.climate.regions import REGIONS, Region

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.climate.grid import Grid

Float = NDArray[np.float64]

# Width of the taper in degrees, centred on the region's edge, as in the GCM's own runs.
TAPER = 10.0
MOST_KELVIN = 20.0
MOST_VERTICES = 2000
# A patch whose weight over open sea is below this fraction of its maximum covers no open sea.
_LEAST_SHARE = 0.02
# Sea water freezes at -1.8 degC. In the GCM's runs with a uniform +1 K a cell at this temperature
# does not change (0.01 K, it is under ice), one a degree warmer changes fully (0.97 K), between .3
# to .9.
FREEZING, OPEN = -1.75, -0.75
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"


class PerturbationError(UserError):
    """An SST change is invalid; the message is one sentence with the remedy."""


@dataclass(frozen=True)
class Patch:
    """One SST change: an amount and an area.

    Parameters
    ----------
    kelvin : float
        The change at full strength.
    region : str
        A key of :data:`mlda_core.climate.regions.REGIONS`; ``globe`` is uniform.
    box : tuple of float, optional
        South, north, west, east in degrees; ``west > east`` crosses Greenwich.
    polygon : tuple of (float, float)
        Vertices (lat, lon) of an outline; it may cross the dateline or enclose a pole.
    file : str
        A netCDF file with a pattern in kelvin, which ``kelvin`` multiplies.
    taper : float
        Width in degrees over which the change falls from full to zero, half of it inside;
        limited to the width of the box.
    enabled : bool
        Whether it is applied.

    Raises
    ------
    PerturbationError
        If a value is invalid.
    """

    kelvin: float = 1.0
    region: str = ""
    box: tuple[float, float, float, float] | None = None
    polygon: tuple[tuple[float, float], ...] = ()
    file: str = ""
    taper: float = TAPER
    enabled: bool = True

    def __post_init__(self) -> None:
        for name in ("region", "file"):
            if not isinstance(getattr(self, name), str):
                raise PerturbationError(
                    f"The {name} of a change of the sea is no text; correct it."
                )
        for name in ("box", "polygon"):
            if not isinstance(getattr(self, name), tuple | list | None):
                raise PerturbationError(f"The {name} of a change of the sea is no list of numbers.")
        if not isinstance(self.enabled, bool):
            raise PerturbationError("Whether a change of the sea counts is true or false.")
        ways = [bool(self.region), self.box is not None, bool(self.polygon), bool(self.file)]
        if sum(ways) != 1:
            raise PerturbationError(
                "A change of the sea is over one of a region, a box, a polygon or a file's "
                "pattern; give exactly one."
            )
        if not _is_number(self.kelvin) or abs(self.kelvin) > MOST_KELVIN:
            raise PerturbationError(
                f"A change of {_shown(self.kelvin)} K is not one of at most {MOST_KELVIN:g} K "
                "either way; correct it."
            )
        if not _is_number(self.taper) or not 0 <= self.taper <= 360:
            raise PerturbationError(
                f"A taper of {_shown(self.taper)} degrees is not within 0 to 360; correct it."
            )
        if self.region and self.region not in REGIONS:
            raise PerturbationError(
                f"There is no region '{str(self.region)[:40]}'; use one of {', '.join(REGIONS)}, "
                "or a box as south:north:west:east."
            )
        if self.box is not None:
            _check_box(self.box)
        if self.polygon:
            _check_polygon(self.polygon)

    @property
    def where(self) -> str:
        """Description of the area."""
        if self.region:
            return "Everywhere" if self.region == "globe" else REGIONS[self.region].short
        if self.box is not None:
            south, north, west, east = self.box
            if self.taper > TAPER and self.taper >= max(north - south, (east - west) % 360.0):
                # Full nowhere but in the middle, as the patches of a Green's function.
                middle = west + 0.5 * ((east - west) % 360.0)
                return f"Hump round {places.place(0.5 * (south + north), middle % 360.0, 0)}"
            return places.box(south, north, west, east)
        if self.polygon:
            lat, lon = _middle(self.polygon)
            return f"Lasso round {places.place(lat, lon, 0)}"
        return Path(self.file).name

    @property
    def label(self) -> str:
        """Description of area and amount: ``Niño 3.4 +2.0 K``."""
        if self.file:
            return self.where if self.kelvin == 1 else f"{self.where} x {self.kelvin:g}"
        return f"{self.where} {places.signed(self.kelvin, 1)} K"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-serialisable values; defaults are omitted."""
        default = {f.name: f.default for f in fields(self)}
        return {k: v for k, v in asdict(self).items() if k == "kelvin" or v != default[k]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Patch:
        """Build a validated patch from plain values.

        Raises
        ------
        PerturbationError
            If a key is unknown, or a value is invalid.
        """
        if not isinstance(values, Mapping):
            raise PerturbationError("A change of the sea is not a set of named values; correct it.")
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise PerturbationError(
                f"A change of the sea has no '{str(unknown[0])[:24]}'; it has "
                f"{', '.join(f.name for f in fields(cls))}."
            )
        given = dict(values)
        try:
            if given.get("box") is not None:
                given["box"] = tuple(given["box"])
            given["polygon"] = tuple(tuple(v) for v in given.get("polygon", ()))
        except TypeError:
            raise PerturbationError(
                "The box or polygon of a change of the sea is not a list of numbers; correct it."
            ) from None
        return cls(**given)

    @classmethod
    def parse(cls, text: str) -> Patch:
        """Parse a change in the command line's syntax.

        ``nino34:+2K``, ``globe:+1K``, ``south:north:west:east:+1.5K``, ``pattern.nc`` or
        ``pattern.nc:0.5``.

        Raises
        ------
        PerturbationError
            If it is none of these.
        """
        text = text.strip()
        file = re.fullmatch(rf"(.+\.nc4?)(?::(?:x)?({_NUMBER}))?", text)
        if file:
            return cls(kelvin=float(file[2]) if file[2] else 1.0, file=file[1])
        where, _, amount = text.rpartition(":")
        degrees = re.fullmatch(rf"({_NUMBER})\s*K?", amount.strip())
        if degrees and where:
            kelvin = float(degrees[1])
            edges = where.split(":")
            if len(edges) == 4 and all(re.fullmatch(_NUMBER, e.strip()) for e in edges):
                south, north, west, east = (float(e) for e in edges)
                return cls(kelvin=kelvin, box=(south, north, west, east))
            if len(edges) == 1:
                return cls(kelvin=kelvin, region=where)
        raise PerturbationError(
            f"'{text[:60]}' is not a change of the sea; write it as region:+2K, as "
            "south:north:west:east:+1.5K or as the name of a netCDF file."
        )

    def weights(self, grid: Grid) -> Float:
        """Return the tapered shape, or a file's pattern, unscaled, in kelvin.

        Parameters
        ----------
        grid : Grid

        Returns
        -------
        ndarray, shape (lat, lon)
            0..1 at the cells' centres.

        Raises
        ------
        PerturbationError
            If the file is invalid.
        """
        if self.file:
            return read_pattern(self.file, grid)
        if self.polygon:
            return _polygon_weights(self.polygon, grid, self.taper)
        region = REGIONS[self.region] if self.box is None else Region("", *self.box)
        return _box_weights(region, grid, self.taper)


def sst_change(patches: Sequence[Patch], bundle: Bundle, month: str) -> Float:
    """Sum SST changes.

    Parameters
    ----------
    patches : sequence of Patch
        Disabled ones are validated but not added.
    bundle : Bundle
    month : str
        ``YYYY-MM``: determines where there is ice.

    Returns
    -------
    ndarray, shape (lat, lon)
        Kelvin; zero over land and under ice.

    Raises
    ------
    PerturbationError
        If one covers no open sea, or the bundle has no SST.
    StateError
        If the month is not in the bundle.
    """
    open_sea = open_water(bundle, month)
    total = np.zeros(bundle.grid.shape)
    for patch in patches:
        weights = patch.weights(bundle.grid)
        # Relative to the maximum of a file's pattern, which may be scaled by its factor.
        most = float(np.abs(weights).max()) if patch.file else 1.0
        if most == 0:
            raise PerturbationError(f"{patch.where} is zero in every cell of the bundle's grid.")
        open_fraction = np.abs(weights * open_sea).max() / most
        if open_fraction < _LEAST_SHARE:
            raise PerturbationError(_no_sea(patch, weights / most, bundle))
        if patch.enabled:
            total += patch.kelvin * weights * open_sea
    if np.abs(total).max() > MOST_KELVIN:
        raise PerturbationError(
            f"Together the changes move the sea by {np.abs(total).max():.3g} K; at most "
            f"{MOST_KELVIN:g} K can be used: lower an amount or leave one out."
        )
    return total


def open_water(bundle: Bundle, month: str) -> Float:
    """Return the fraction of each cell that is open sea: neither land nor under ice.

    Parameters
    ----------
    bundle : Bundle
    month : str
        ``YYYY-MM``.

    Returns
    -------
    ndarray, shape (lat, lon)
        0..1.

    Raises
    ------
    PerturbationError
        If the bundle has no SST.
    """
    sea = bundle.sea_row
    if sea < 0:
        raise PerturbationError(
            "This bundle has no sea surface temperature to change; open one that has tos."
        )
    # Validates the month before its text is parsed below.
    anomaly = bundle.target(month)[sea]
    warm = anomaly + bundle.climatology(int(month[5:7]))[sea]
    fraction = np.clip((np.nan_to_num(warm, nan=FREEZING) - FREEZING) / (OPEN - FREEZING), 0.0, 1.0)
    return np.asarray(fraction * bundle.mask[sea], np.float64)


def read_pattern(path: str | Path, grid: Grid) -> Float:
    """Read an SST change from netCDF, interpolated to a grid.

    Parameters
    ----------
    path : str or Path
        With a variable ``tos``, or one variable alone, in kelvin on latitudes and longitudes.
    grid : Grid

    Returns
    -------
    ndarray, shape (lat, lon)
        Kelvin; zero where missing in the file.

    Raises
    ------
    PerturbationError
        If it cannot be read, or is not such a pattern.
    """
    name = Path(path).name
    try:
        with xr.open_dataset(path) as opened:
            data = opened.load()
    except (OSError, ValueError) as error:
        raise PerturbationError(
            f"{path} cannot be read as netCDF; give a file with the variable tos."
        ) from error
    names = [n for n, v in data.data_vars.items() if v.ndim >= 2]
    chosen = "tos" if "tos" in names else names[0] if len(names) == 1 else None
    if chosen is None:
        raise PerturbationError(f"{name} has no variable tos, nor one alone; name the pattern tos.")
    field = data[chosen].squeeze(drop=True)
    rename = {"latitude": "lat", "longitude": "lon"}
    field = field.rename({k: v for k, v in rename.items() if k in field.dims})
    if set(field.dims) != {"lat", "lon"} or not {"lat", "lon"} <= set(field.coords):
        raise PerturbationError(
            f"{name} has {chosen} on ({', '.join(map(str, field.dims))}); a pattern is one field "
            "on lat and lon: take one time of it."
        )
    units = str(field.attrs.get("units", "K"))
    if units not in {"K", "degC", "degree_C", "degrees_C", "celsius", "Celsius", "kelvin"}:
        raise PerturbationError(f"{name} has {chosen} in '{units}'; give kelvin.")
    if not all(np.issubdtype(part.dtype, np.number) for part in (field, field.lat, field.lon)):
        raise PerturbationError(f"{name} has {chosen} or its axes in text; give numbers.")
    made = _interpolated(field.transpose("lat", "lon").astype(np.float64), grid, name)
    if np.abs(made).max(initial=0.0) > MOST_KELVIN:
        raise PerturbationError(
            f"{name} changes the sea by {np.abs(made).max():.3g} K; at most {MOST_KELVIN:g} K can "
            "be used: is it a temperature, not a change?"
        )
    return np.asarray(made, np.float64)


def _interpolated(field: xr.DataArray, grid: Grid, name: str) -> Float:
    """Interpolate a pattern to cell centres; zero outside its domain and where missing."""
    field = field.assign_coords(lon=np.mod(field["lon"], 360.0)).sortby("lat").sortby("lon")
    # Merge duplicate meridians: 0 and 360, or -180 and 180.
    meridian = np.round(field["lon"].to_numpy(), 6)
    field = field.isel(lon=np.unique(meridian, return_index=True)[1])
    lat, lon = field["lat"].to_numpy(), field["lon"].to_numpy()
    if (
        min(lat.size, lon.size) < 2
        or not np.isfinite([*lat, *lon]).all()
        or (np.diff(lat) <= 0).any()
    ):
        raise PerturbationError(
            f"{name} needs at least two latitudes and two longitudes, numbers that differ; correct "
            "its axes."
        )
    if np.isinf(field).any():
        raise PerturbationError(f"{name} has infinite values; correct them.")
    gaps = np.diff([*lon, lon[0] + 360.0])
    widest = int(gaps.argmax())
    step = float(np.median(gaps))
    if gaps[widest] <= 1.5 * step:
        # Global: periodic in longitude.
        parts = [field.isel(lon=[-1]), field, field.isel(lon=[0])]
        field = xr.concat(parts, "lon").assign_coords(lon=[lon[-1] - 360.0, *lon, lon[0] + 360.0])
        start = 0.0
    else:
        # Regional: the domain begins after its widest gap.
        field = field.roll(lon=-(widest + 1), roll_coords=True)
        begin = float(field["lon"][0])
        field = field.assign_coords(lon=np.mod(field["lon"] - begin, 360.0) + begin)
        # Include cells up to half a step beyond the edge column.
        start = begin - 0.5 * step
    at = np.mod(grid.lon - start, 360.0) + start
    return np.asarray(field.fillna(0.0).interp(lat=grid.lat, lon=at).fillna(0.0).to_numpy())


# Shapes


def _ramp(inside: Float, width: float) -> Float:
    """Cosine from 0 to 1 over a width in degrees, 1/2 at the edge; ``inside`` is the distance."""
    if width <= 0:
        return (inside >= 0).astype(np.float64)
    return np.asarray(0.5 * (1.0 + np.sin(np.pi * np.clip(inside / width, -0.5, 0.5))))


def _box_weights(region: Region, grid: Grid, taper: float) -> Float:
    height = region.north - region.south
    rows = np.ones(grid.lat.size)
    width = min(taper, height)
    if region.south > -90:
        rows = np.minimum(rows, _ramp(grid.lat - region.south, width))
    if region.north < 90:
        rows = np.minimum(rows, _ramp(region.north - grid.lat, width))
    columns = np.ones(grid.lon.size)
    if abs(region.east - region.west) < 360:
        span = (region.east - region.west) % 360.0
        away = np.abs((grid.lon - region.west - 0.5 * span + 180.0) % 360.0 - 180.0)
        columns = _ramp(0.5 * span - away, min(taper, span))
    return np.outer(rows, columns)


def _polygon_weights(polygon: tuple[tuple[float, float], ...], grid: Grid, taper: float) -> Float:
    shape, stretch = _outline(polygon)
    # Limit the taper to the half-width of a narrow outline, so that the full change is reached.
    parts = [shapely.maximum_inscribed_circle(p).length for p in shapely.get_parts(shape)]
    width = min(taper, 2.0 * float(max(parts)))
    west, east = shape.bounds[0] / stretch, shape.bounds[2] / stretch
    # The outline is unwrapped: take the greatest depth over shifts of longitude by 360 degrees. An
    # outline around a pole is repeated three times, so that its seams are far from the middle one.
    turns = (0.0,) if east - west > 720.0 else (-360.0, 0.0, 360.0)
    lat, lon = np.meshgrid(grid.lat, grid.lon, indexing="ij")
    middle = 0.5 * (west + east)
    lon = np.mod(lon - middle + 180.0, 360.0) + middle - 180.0
    out = np.zeros(grid.shape)
    for turn in turns:
        x = (lon + turn) * stretch
        away = shapely.distance(shape.boundary, shapely.points(x, lat))
        inside = np.where(shapely.contains_xy(shape, x, lat), away, -away)
        out = np.maximum(out, _ramp(inside, width))
    return out


def _outline(polygon: tuple[tuple[float, float], ...]) -> tuple[Any, float]:
    """Return the outline in great-circle degrees, and the length of a degree of longitude in them.

    Around a pole it is closed far beyond the pole, and repeated three times.
    """
    lat = np.array([p[0] for p in polygon])
    lon = np.rad2deg(np.unwrap(np.deg2rad([p[1] for p in polygon])))
    closed = lon[-1] + (lon[0] - lon[-1] + 180.0) % 360.0 - 180.0
    stretch = max(float(np.cos(np.deg2rad(lat.mean()))), 0.1)
    if abs(closed - lon[0]) > 180.0:
        shift = np.sign(closed - lon[0]) * 360.0
        lon = np.concatenate([lon - shift, lon, lon + shift, [lon[0] + 2 * shift]])
        lat = np.concatenate([lat, lat, lat, [lat[0]]])
        pole = 180.0 if lat.mean() > 0 else -180.0
        lon, lat = np.append(lon, [lon[-1], lon[0]]), np.append(lat, [pole, pole])
    shape = shapely.make_valid(shapely.Polygon(np.stack([lon * stretch, lat], axis=1)))
    # Drop lines without area, such as those drawn out and back.
    areas = [p for p in shapely.get_parts(shape) if p.geom_type.endswith("Polygon")]
    return shapely.union_all(areas), stretch


def _middle(polygon: tuple[tuple[float, float], ...]) -> tuple[float, float]:
    shape, stretch = _outline(polygon)
    if shape.bounds[2] - shape.bounds[0] > 720.0 * stretch:
        return (90.0 if shape.bounds[3] > 90.0 else -90.0), 0.0
    point = shape.representative_point()
    return float(point.y), float(point.x / stretch)


# Validation and labels


def _check_box(box: Any) -> None:
    if len(box) != 4 or not all(_is_number(v) for v in box):
        raise PerturbationError(
            "A box of the sea has four numbers, south, north, west and east; correct it."
        )
    south, north, west, east = box
    if not (-90 <= south < north <= 90):
        raise PerturbationError(
            f"A box from {south:g} to {north:g} degrees north has no area or leaves the globe; "
            "give south, then north, within -90 to 90."
        )
    whole = abs(east - west) >= 360
    if not (-360 <= west <= 720 and -360 <= east <= 720) or (
        (east - west) % 360 == 0 and not whole
    ):
        raise PerturbationError(
            f"A box from {west:g} to {east:g} degrees east has no area or is more than a turn "
            "away; give west, then east, within 0 to 360."
        )


def _check_polygon(polygon: Any) -> None:
    good = all(len(p) == 2 and all(_is_number(v) for v in p) for p in polygon)
    if not good or not all(-90 <= p[0] <= 90 and -720 <= p[1] <= 720 for p in polygon):
        raise PerturbationError("A lasso has a vertex that is not (lat, lon); draw it again.")
    if not 3 <= len(polygon) <= MOST_VERTICES or _outline(polygon)[0].area < 1e-6:
        raise PerturbationError(
            f"A lasso needs 3 to {MOST_VERTICES} vertices round an area; draw it again."
        )


def _no_sea(patch: Patch, weights: Float, bundle: Bundle) -> str:
    sea = bundle.mask[bundle.sea_row]
    if np.abs(weights).max() < _LEAST_SHARE:
        return f"{patch.where} is smaller than a cell of the grid; draw it larger."
    if np.abs(weights * sea).max() < _LEAST_SHARE:
        return f"{patch.where} lies on land, where there is no sea to change; draw it over the sea."
    return (
        f"{patch.where} lies under sea ice in this month, where the sea does not warm; draw it "
        "over open water."
    )


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _shown(value: Any) -> str:
    return f"{float(value):g}" if _is_number(value) else repr(value)[:24]

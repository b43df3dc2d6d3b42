"""Read one variable of a downloaded netCDF file step by step, in canonical form."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.grid import Grid
from mlda_core.climate.time_step import MONTH
from mlda_core.sources import SourceError
from mlda_core.sources.axes import eastwards
from mlda_core.sources.base_period import stated
from mlda_core.sources.calendars import FileTimes, months_of
from mlda_core.sources.cell_methods import cell_of
from mlda_core.sources.choices import Choices, selected
from mlda_core.sources.days import days_of
from mlda_core.sources.dimensions import axes_of, time_of
from mlda_core.sources.haduk import X, Y
from mlda_core.sources.layout import CANONICAL, Conversion, Known, Layout, conversion, says
from mlda_core.sources.levels import at_level
from mlda_core.sources.locks import is_open_elsewhere
from mlda_core.sources.missing import decode, numbers_in, take_out, undeclared
from mlda_core.sources.places import Address, Place, is_store, open_served
from mlda_core.sources.plausible import Check, Seen
from mlda_core.sources.pressure_eofs import expand, is_eof_file
from mlda_core.sources.rain import conversion_of

_MAGIC = {
    b"PK\x03\x04": "is a ZIP archive; unpack it and give the .nc files in it.",
    b"GRIB": "is a GRIB file; download it as NetCDF.",
    b"\x1f\x8b": "is compressed by gzip; unpack it with gunzip.",
    b"<!DO": "is a web page and no data; download the file again.",
    b"<htm": "is a web page and no data; download the file again.",
    b"\x00\x05\x16\x07": "is a companion file of macOS; give the one without '._'.",
}
# NetCDF's classic format, with 32-bit and with 64-bit offsets.
_CLASSIC = (b"CDF\x01", b"CDF\x02")


@contextmanager
def open_source(path: Place, choices: Choices | None = None) -> Iterator[xr.Dataset]:
    """Open a file, a Zarr store or an address: values unpacked, times not decoded.

    Parameters
    ----------
    path : Place
    choices : Choices, optional
        Selections along dimensions.

    Raises
    ------
    SourceError
        If it is no netCDF file; the message names its format if known.
    """
    with _opened(path) as data:
        yield selected(data, choices, path) if choices is not None else data


@contextmanager
def _opened(path: Place) -> Iterator[xr.Dataset]:
    plain = not isinstance(path, Address) and not is_store(path)
    with _open_file(Path(str(path))) if plain else open_served(path) as raw:
        opened = decode(raw, path)
        try:
            yield expand(opened, path) if is_eof_file(opened) else opened
        except RuntimeError as error:
            # Values are read lazily.
            if str(error).startswith("NetCDF:"):
                what = "is damaged" if plain else "failed while it was read"
                remedy = "download it again" if plain else "try again, or download the data"
                raise SourceError(f"{path} {what} ({error}); {remedy}.") from error
            raise


def _open_file(path: Path) -> xr.Dataset:
    try:
        with path.open("rb") as file:
            head = file.read(4)
        for magic, remedy in _MAGIC.items():
            if head.startswith(magic):
                raise SourceError(f"{path} {remedy}")
        if head in _CLASSIC:
            _refuse_cut(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", xr.SerializationWarning)
            return xr.open_dataset(path, engine="netcdf4", decode_cf=False)
    except SourceError:
        raise
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        if path.is_file() and is_open_elsewhere(path, for_writing=True):
            raise SourceError(
                f"{path} is open for writing in another program; close it there first."
            ) from error
        raise SourceError(
            f"{path} cannot be read as netCDF (truncated?); download it again."
        ) from error


def _refuse_cut(path: Path) -> None:
    """Refuse a file of netCDF's classic format that ends early.

    The C library reads zeros past its end; unpacked, they are plausible values.
    """
    from scipy.io import netcdf_file

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # some views still refer to it
            netcdf_file(path, mmap=True).close()
    except Exception as error:
        raise SourceError(f"{path} is truncated; download it again.") from error


@dataclass(frozen=True, eq=False)
class Projected:
    """A projected grid, with latitude and longitude of every cell.

    Parameters
    ----------
    y, x : ndarray, shape (ny,), (nx,)
        Cell centres, metres, ascending.
    lat, lon : ndarray, shape (ny, nx)
        Degrees north, degrees east within 0..360.
    mapping : dict
        Attributes of the CF grid mapping.
    """

    y: NDArray[np.float64]
    x: NDArray[np.float64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    mapping: dict[str, object]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return self.y.size, self.x.size


@dataclass(frozen=True, eq=False)
class Field:
    """A variable of a file.

    Parameters
    ----------
    path : Place
        The file, store or address.
    variable : str
        Its name in the file.
    known : Known
        Its canonical identity.
    layout : Layout
        Of the file's provider.
    convert : Conversion
        To canonical units.
    times : FileTimes
        In file order.
    grid : Grid or Projected
        Ascending.
    rows, columns : ndarray of int
        The grid's rows and columns as indices into the file's.
    units : str
        Of the file.
    base_period : str
        Of an anomaly, '' if unknown.
    level : tuple of (str, int), optional
        Dimension and position of the pressure level.
    """

    path: Place
    variable: str
    known: Known
    layout: Layout
    convert: Conversion
    times: FileTimes
    grid: Grid | Projected
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    units: str = ""
    base_period: str = ""
    level: tuple[str, int] | None = None

    def read(
        self,
        data: xr.Dataset,
        which: NDArray[np.int64],
        *,
        missing: Sequence[float] = (),
        check: Check | None = None,
    ) -> NDArray[np.float64]:
        """Return selected times in canonical units, (n, rows, columns), NaN where missing.

        Parameters
        ----------
        data : Dataset
            The file, opened.
        which : ndarray of int
            Positions on its time axis.
        missing : sequence of float
            Undeclared missing-value codes, unpacked and in the file's units.
        check : Check, optional
            Checks every value, and refuses impossible ones.

        Raises
        ------
        SourceError
            If the file is truncated, or a value is impossible.
        """
        field = data[self.variable]
        if self.level is not None:
            field = field.isel(dict([self.level]))
        names = axes_of(field)
        try:
            # Overflow becomes infinite, which the check refuses.
            with np.errstate(over="ignore", invalid="ignore"):
                block = field.isel({names["time"]: which}).load()
        except (OSError, RuntimeError) as error:
            raise SourceError(
                f"{self.path} cannot be read to its end (truncated?); download it again."
            ) from error
        if self.layout.merge is not None:
            block = self.layout.merge(block)
        block = block.squeeze([d for d in block.dims if d not in names.values()], drop=True)
        block = block.transpose(names["time"], names["lat"], names["lon"])
        with np.errstate(invalid="ignore"):
            raw = np.asarray(block.values, dtype=np.float64)[:, self.rows][:, :, self.columns]
        raw = self._without_missing(data, raw, tuple(missing), check)
        days = self.times.days[which]
        # Undefined bytes may be signalling NaNs, which some kernels warn of.
        with np.errstate(over="ignore", invalid="ignore"):
            values = self.convert.apply(raw, days)
        if check is not None:
            check.see(values, self._seen(field, raw, which))
        return values if self.known.floor is None else np.maximum(values, self.known.floor)

    def _without_missing(
        self,
        data: xr.Dataset,
        raw: NDArray[np.float64],
        missing: tuple[float, ...],
        check: Check | None,
    ) -> NDArray[np.float64]:
        """Return unpacked values with NaN for missing values that decoding did not catch."""
        field = data[self.variable]
        stored = np.dtype(field.encoding.get("dtype", field.dtype))
        step = float(field.encoding.get("scale_factor", 0.0)) if stored.kind in "iu" else 0.0
        raw, found = undeclared(take_out(raw, missing, step))
        if check is not None:
            check.note(self.path, self.variable, found)
        limits = valid_limits(field)
        own = limits is not None
        if limits is None and self.layout.limits is not None:
            limits = self.layout.limits(data)
        if limits is None:
            return raw
        outside = (raw < limits[0]) | (raw > limits[1])
        if check is not None and own:
            check.note_limits(self.path, self.variable, int(outside.sum()))
        return np.where(outside, np.nan, raw)

    def _seen(
        self, field: xr.DataArray, raw: NDArray[np.float64], which: NDArray[np.int64]
    ) -> Seen:
        def convert(values: NDArray[np.float64], units: str) -> NDArray[np.float64] | None:
            try:
                made = conversion(self.known, units, self.path, self.variable)
            except SourceError:
                return None
            days = self.times.days[which]
            return made.apply(values, days if len(days) == len(values) else days[:1])

        return Seen(
            self.path,
            self.variable,
            str(field.attrs.get("units", "")).strip(),
            raw,
            self.times.names[which],
            self.grid.lat,
            self.grid.lon,
            convert,
        )


def find_fields(
    path: Place, data: xr.Dataset, layout: Layout, choices: Choices | None = None
) -> list[Field]:
    """Return the known variables of an opened file, one for each canonical name.

    Parameters
    ----------
    path : Place
        Name of the file in messages.
    data : Dataset
        The file, opened.
    layout : Layout
        Of the file's provider.
    choices : Choices, optional
        The user's answers to what the file leaves open.

    Raises
    ------
    SourceError
        If the units, dimensions or stamps of a variable cannot be read.
    """
    choices = choices or Choices()
    fields: dict[str, Field] = {}
    for name, known in layout.find(data).items():
        if known.name in fields:
            continue  # the layout's first match needs the least conversion
        field, level = at_level(data[name], known, path)
        names = axes_of(field, path)
        for extra in field.dims:
            merged = layout.merge is not None and extra == "expver"
            if extra not in names.values() and field.sizes[extra] > 1 and not merged:
                raise SourceError(
                    f"{path} has {name} on {field.sizes[extra]} values of '{extra}'; select one, "
                    f"such as by --select {extra}={_first(data, str(extra))}."
                )
        grid, rows, columns = (
            _projected(path, data, field)
            if layout.projected
            else _rectilinear(path, data[names["lat"]], data[names["lon"]])
        )
        anomaly = CANONICAL[known.name].anomaly
        fields[known.name] = Field(
            path,
            name,
            known,
            layout,
            conversion_of(known, field, data, where=path, layout=layout, choices=choices),
            _times_of(data, names["time"], field, known, path, layout=layout, choices=choices),
            grid,
            rows,
            columns,
            units=str(field.attrs.get("units", "")),
            base_period=(stated(data, name) or layout.base_period) if anomaly else "",
            level=level,
        )
    return list(fields.values())


def _times_of(
    data: xr.Dataset,
    dim: str,
    field: xr.DataArray,
    known: Known,
    path: Place,
    *,
    layout: Layout,
    choices: Choices,
) -> FileTimes:
    """Return the months or days of a variable, whichever the user asked for."""
    own = layout.begins and (not layout.words or says(data, *layout.words))
    begins = layout.key if own else ""
    name = time_of(data, dim, path)
    if choices.step is MONTH:
        return months_of(data, name, path, stamp=choices.stamp, begins=begins)
    cell = cell_of(known, field, data, path, layout)
    return days_of(data, name, path, cell=cell, stamp=choices.stamp, begins=begins)


def _first(data: xr.Dataset, dim: str) -> object:
    return data[dim].values[0] if dim in data.variables else 0


def valid_limits(field: xr.DataArray) -> tuple[float, float] | None:
    """Return the valid range of a variable, unpacked, or None if the file does not state it.

    ``valid_range`` refers to the packed numbers if it has their type, and to the unpacked ones
    otherwise, by the netCDF users' guide; xarray ignores it.
    """
    attrs, encoding = field.attrs, field.encoding
    packed = "scale_factor" in encoding or "add_offset" in encoding
    if "valid_range" in attrs:
        given = numbers_in(attrs["valid_range"])
        kinds = {np.asarray(attrs["valid_range"]).dtype.kind}
    else:
        ends = [attrs.get(name) for name in ("valid_min", "valid_max")]
        given = [n for end in ends for n in ([np.nan] if end is None else numbers_in(end))]
        kinds = {np.asarray(end).dtype.kind for end in ends if end is not None}
    # Non-numeric limits are unusable; for packed data, text limits would be ambiguous.
    if len(given) != 2 or np.isnan(given).all() or (packed and kinds & set("US")):
        return None
    low, high = given
    stored = np.dtype(encoding.get("dtype", field.dtype))
    scale = float(encoding.get("scale_factor", 1.0)) if packed else 1.0
    if packed and kinds <= set("iu") and stored.kind in "iu":
        offset = float(encoding.get("add_offset", 0.0))
        low, high = sorted((low * scale + offset, high * scale + offset))
    # Do not lose values to half a packing step or to the rounding of 32-bit numbers.
    slack = abs(scale) / 2 if packed else 0.0
    sizes = [abs(v) for v in (low, high) if np.isfinite(v)]
    slack = max(slack, 1e-6 * max(sizes, default=0.0))
    return (
        -np.inf if np.isnan(low) else low - slack,
        np.inf if np.isnan(high) else high + slack,
    )


def _rectilinear(
    path: Place, lat: xr.DataArray, lon: xr.DataArray
) -> tuple[Grid, NDArray[np.int64], NDArray[np.int64]]:
    south: NDArray[np.float64] = np.asarray(lat.values, dtype=np.float64).round(5)
    rows = np.argsort(south)
    axis, columns = eastwards(lon.values)
    try:
        return Grid(south[rows], axis), rows, columns
    except ValueError as error:
        raise SourceError(f"{path}: {error}") from error


def _projected(
    path: Place, data: xr.Dataset, field: xr.DataArray
) -> tuple[Projected, NDArray[np.int64], NDArray[np.int64]]:
    missing = [n for n in ("latitude", "longitude") if n not in data.variables]
    if missing or data["latitude"].dims != (Y, X):
        raise SourceError(
            f"{path} has no two-dimensional {(missing or ['latitude'])[0]} of its cells; give the "
            "file as its provider made it."
        )
    y, x = (np.asarray(data[n].values, dtype=np.float64) for n in (Y, X))
    rows, columns = np.argsort(y), np.argsort(x)
    lat, lon = (
        np.asarray(data[n].values, dtype=np.float64)[rows][:, columns]
        for n in ("latitude", "longitude")
    )
    mapping = field.attrs.get("grid_mapping") or field.encoding.get("grid_mapping", "")
    attrs = dict(data[mapping].attrs) if mapping in data.variables else {}
    return Projected(y[rows], x[columns], lat, np.mod(lon, 360.0), attrs), rows, columns

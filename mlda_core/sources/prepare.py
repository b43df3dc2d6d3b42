"""Convert downloaded files of one provider to the canonical dataset.

What all providers have in common is here and in :mod:`mlda_core.sources.netcdf`; each provider's
specifics are in a module of its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.cf import EAST, NORTH, Cell, time_coordinates
from mlda_core.climate.grid import Grid
from mlda_core.climate.time_step import MONTH, TimeStep
from mlda_core.sources import (
    SourceError,
    cf_dataset,
    era5,
    gistemp,
    hadisst,
    haduk,
    ncep,
    pressure_eofs,
    twentieth_century,
)
from mlda_core.sources.choices import Choices, selected
from mlda_core.sources.layout import CANONICAL, Layout
from mlda_core.sources.netcdf import Field, Projected, find_fields, open_source
from mlda_core.sources.origin import Origin, origin_of
from mlda_core.sources.places import Address, Place, list_inputs
from mlda_core.sources.plausible import Check
from mlda_core.sources.projected import ProjectedRegridder, crop_to_projected
from mlda_core.sources.regrid import VALID_SHARE, Regridder, crop
from mlda_core.sources.series import Series
from mlda_core.sources.speedy import FILE_NAME

LAYOUTS: dict[str, Layout] = {
    layout.key: layout
    for layout in (
        twentieth_century.LAYOUT,
        gistemp.LAYOUT,
        pressure_eofs.LAYOUT,
        ncep.LAYOUT,
        era5.LAYOUT,
        haduk.LAYOUT,
        hadisst.LAYOUT,
    )
}
SOURCES = ("auto", "speedy", *LAYOUTS, cf_dataset.KEY)
_BLOCK = 12  # fields read at once: of ERA5 at a quarter of a degree they are 100 MB


Given = str | Path | Address


def recognise(paths: Sequence[Given], choices: Choices | None = None) -> str:
    """Identify the provider of files: a key of :data:`SOURCES`.

    Provider layouts are tried first, then CF standard names.

    Parameters
    ----------
    paths : sequence of str or Path
        Folders, files, Zarr stores and addresses.
    choices : Choices, optional
        Names of variables imply a generic CF dataset.

    Raises
    ------
    SourceError
        If a file is unknown, or the files are of several providers.
    """
    files = list_inputs(paths)
    step = MONTH if choices is None else choices.step
    if any(FILE_NAME.fullmatch(path.name) for path in files):
        return "speedy"
    if choices is not None and choices.names:
        return cf_dataset.KEY
    seen: dict[str, Place] = {}
    companion = None
    for path in files:
        with open_source(path) as data:
            if ncep.is_ersst(data):
                companion = path
                continue
            if _land(data) is not None:
                continue
            key = next((k for k, layout in LAYOUTS.items() if layout.recognises(data)), None)
            if key is None and cf_dataset.recognises(data, step):
                key = cf_dataset.KEY
            if key is None:
                raise SourceError(
                    f"{path} does not say whose data it holds: {cf_dataset.held(data, step)}; give "
                    f"--source {', '.join(SOURCES[1:])}, or a variable's meaning by --map tas=NAME."
                )
        seen.setdefault(key, path)
    if len(seen) > 1:
        (first, one), (second, other) = list(seen.items())[:2]
        raise SourceError(
            f"{one.name} looks like {first} and {other.name} like {second}; give the files of one "
            "source, or name it with --source."
        )
    if not seen:
        if companion is not None:
            return "ncep"
        raise SourceError(f"{files[0]} holds a land mask alone; give the fields as well.")
    return next(iter(seen))


def read_files(  # noqa: PLR0913 - what to read, where to, and how
    paths: Sequence[Given],
    source: str = "auto",
    *,
    choices: Choices | None = None,
    variables: Iterable[str] | None = None,
    years: Iterable[int] | None = None,
    grid: Grid | None = None,
    covered_only: bool = False,
    valid_share: float = VALID_SHARE,
    missing: Sequence[float] = (),
    progress: Callable[[int, int], None] | None = None,
    tell: Callable[[Origin], None] | None = None,
) -> xr.Dataset:
    """Read a provider's files, or any CF dataset, into the canonical dataset.

    Parameters
    ----------
    paths : sequence of str or Path
        Folders and files as downloaded, Zarr stores, and addresses of OPeNDAP or Zarr.
    source : str
        A key of :data:`LAYOUTS`, ``cf``, or ``auto``.
    choices : Choices, optional
        How to read files that are ambiguous.
    variables : iterable of str, optional
        Canonical names to read; by default all in the files.
    years : iterable of int, optional
        Years to read; all by default. Variables are cut to their common times.
    grid : Grid, optional
        Target grid of conservative regridding; by default the files' own grid.
    covered_only : bool
        Keep only the part of ``grid`` that the data cover: for a global grid chosen by its
        step.
    valid_share : float
        Least valid fraction of a target cell; see :class:`Regridder`.
    missing : sequence of float
        Undeclared missing-value codes, in the files' units.
    progress : callable, optional
        Called with (fields done, in all).
    tell : callable, optional
        Called with the provenance of each variable, before its fields are read.

    Returns
    -------
    Dataset
        float32, dimensions (member, time, lat, lon), one member; (member, time, y, x) with
        two-dimensional ``lat`` and ``lon`` on a projected grid. Undeclared missing values are
        noted in the variable's ``comment``, and the base period of anomalies in
        ``base_period``.

    Raises
    ------
    SourceError
        One sentence that names the file and the fault: units, a missing or duplicate month or
        day, differing grids, an unreadable file.
    """
    choices = choices or Choices()
    source = recognise(paths, choices) if source == "auto" else source
    if source not in LAYOUTS and source != cf_dataset.KEY:
        raise SourceError(f"There is no reader for '{source}'; known are {', '.join(SOURCES)}.")
    if choices.names and source != cf_dataset.KEY:
        raise SourceError(
            f"--map is for --source {cf_dataset.KEY}, and the variables of {source} are known; "
            "leave out one of them."
        )
    layout = LAYOUTS.get(source) or cf_dataset.layout(choices.names, choices.step)
    wanted = None if variables is None else tuple(variables)
    series, land = _collect(list_inputs(paths), layout, choices, wanted, years)
    for one in series:
        if tell is not None:
            tell(origin_of(one))
    times, cell = _common_times(series), _cell(series)
    target = _target(series, grid, covered_only=covered_only, valid_share=valid_share)
    done, total = 0, times.size * len(series)
    arrays: dict[str, NDArray[np.float32]] = {}
    notes: dict[str, list[str]] = {}
    for one in series:
        mask = _land_mask(one, land)
        regridder = _regridder(one.grid, target, valid_share)
        canonical = CANONICAL[one.name]
        check = Check(
            one.name,
            canonical.long_name,
            one.fields[0].known.possible_in(one.step),
            canonical.anomaly,
            one.step,
        )
        out = np.full((times.size, *target.shape), np.nan, dtype=np.float32)
        for part, rows, positions in _blocks(one, times):
            with open_source(part.path, choices) as data:
                for begin in range(0, rows.size, _BLOCK):
                    some = slice(begin, begin + _BLOCK)
                    values = part.read(data, positions[some], missing=missing, check=check)
                    if mask is not None:
                        values[:, mask] = np.nan
                    out[rows[some]] = values if regridder is None else regridder(values)
                    done += rows[some].size
                    if progress:
                        progress(done, total)
        check.done(one.grid)
        arrays[one.name] = out
        notes[one.name] = check.notes
    return _dataset(series, arrays, times, cell, target, notes)


def _collect(
    files: Sequence[Place],
    layout: Layout,
    choices: Choices,
    variables: Sequence[str] | None,
    years: Iterable[int] | None,
) -> tuple[list[Series], tuple[Place, Grid, NDArray[np.bool_]] | None]:
    """Open every file and collect their fields by variable."""
    by_name: dict[str, list[Field]] = {}
    land: tuple[Place, Grid, NDArray[np.bool_]] | None = None
    there: set[str] = set()
    for path in files:
        with open_source(path) as opened:
            mask = _land(opened)
            if mask is not None:
                land = path, *mask
                continue
            there |= {str(name) for name in (*opened.dims, *opened.data_vars)}
            data = selected(opened, choices, path)
            mapped = any(name in data.data_vars for _, name in choices.names)
            sea = ncep.is_ersst(data) and layout.key != "era5" and not mapped
            own = ncep.ERSST if sea else layout
            fields = find_fields(path, data, own, choices)
            if not fields:
                raise SourceError(_nothing(path, data, layout))
        for field in fields:
            by_name.setdefault(field.known.name, []).append(field)
    for name in (*(n for _, n in choices.names), *(n for n, _ in choices.select)):
        if name not in there:
            raise SourceError(
                f"The files hold no '{name}', which --map or --select names; they hold "
                f"{', '.join(sorted(there))}."
            )
    if variables is not None:
        absent = [name for name in variables if name not in by_name]
        if absent:
            raise SourceError(
                f"The files hold no '{absent[0]}'; they hold {', '.join(sorted(by_name))}."
            )
        by_name = {name: by_name[name] for name in variables}
    order = list(CANONICAL)
    chosen = None if years is None else set(years)
    names = list(by_name) if variables is not None else sorted(by_name, key=order.index)
    return [_series(name, by_name[name], chosen) for name in names], land


def _nothing(path: Place, data: xr.Dataset, layout: Layout) -> str:
    if isinstance(layout, cf_dataset.CfLayout):
        return (
            f"{path} holds no variable that its standard name makes known: "
            f"{cf_dataset.held(data, layout.step)}; say what one is by --map tas=NAME."
        )
    names = [name for known in layout.known for name in known.names]
    return (
        f"{path} holds none of the variables of {layout.key} ({', '.join(names)}); give other "
        "files or another --source."
    )


def _series(name: str, fields: list[Field], years: set[int] | None) -> Series:
    """Join the files of a variable: no month or day twice, and no gap between them."""
    where: dict[np.datetime64, tuple[int, int]] = {}
    step = fields[0].times.step
    for f, field in enumerate(fields):
        if not _same(field.grid, fields[0].grid):
            raise SourceError(
                f"{field.path} has {name} on another grid than {fields[0].path.name}; give files "
                "of one grid."
            )
        for position, time in enumerate(field.times.names):
            if years is not None and _year(time) not in years:
                continue
            if time in where:
                first = fields[where[time][0]].path.name
                raise SourceError(
                    f"{field.path} holds {name} of {time} again, after {first}; leave one of the "
                    "files out."
                )
            where[time] = f, position
    if not where:
        raise SourceError(f"{fields[0].path} has no {step} of the years asked for; ask for others.")
    for time in np.arange(min(where), max(where)):
        expected = fields[0].times.has(time) and (years is None or _year(time) in years)
        if time not in where and expected:
            before = max(t for t in where if t < time)
            raise SourceError(
                f"{fields[where[before][0]].path} ends {name} with {before} and no file has "
                f"{time}, though later {step.plural} are there; add the file or choose whole years "
                "with --years."
            )
    return Series(name, tuple(fields), where)


def _common_times(series: list[Series]) -> NDArray[np.datetime64]:
    step = series[0].step
    times = sorted(set.intersection(*(set(s.where) for s in series)))
    if not times:
        first, second = series[0], series[-1]
        raise SourceError(
            f"{first.fields[0].path.name} ({first.name}) and {second.fields[0].path.name} "
            f"({second.name}) have no {step} in common; give files of one period."
        )
    return np.array(times, dtype=f"datetime64[{step.unit}]")


def _cell(series: list[Series]) -> Cell:
    """Return whether the variables are means over the time step or states, all of them alike."""
    cells = [(field.times.cell, one.name, field) for one in series for field in one.fields]
    first = cells[0]
    for other in cells[1:]:
        if other[0] != first[0]:
            mean, state = sorted((first, other), key=lambda c: c[0] != "mean")
            raise SourceError(
                f"{mean[2].path} has {mean[1]} as a mean over the day, and {state[2].path} has "
                f"{state[1]} as the state at 00 UTC; give daily means of both."
            )
    return first[0]


def _blocks(
    one: Series, times: NDArray[np.datetime64]
) -> list[tuple[Field, NDArray[np.int64], NDArray[np.int64]]]:
    """Return for each file the rows of the output that it fills, and its own positions."""
    places = np.array([one.where[time] for time in times])
    out = []
    for f, field in enumerate(one.fields):
        rows = np.flatnonzero(places[:, 0] == f)
        if rows.size:
            out.append((field, rows, places[rows, 1]))
    return out


def _target(
    series: list[Series], grid: Grid | None, *, covered_only: bool, valid_share: float
) -> Grid | Projected:
    if grid is None:
        _refuse_several_grids(series)
        return series[0].grid
    if not covered_only:
        return grid
    first = series[0].grid
    if isinstance(first, Projected):
        return crop_to_projected(grid, first, valid_share)
    return crop(grid, [s.grid for s in series if isinstance(s.grid, Grid)], valid_share)


def _regridder(
    source: Grid | Projected, target: Grid | Projected, valid_share: float
) -> Regridder | ProjectedRegridder | None:
    """Return the regridder to the target, or None if the fields are on it already."""
    if _same(source, target) or not isinstance(target, Grid):
        return None
    if isinstance(source, Projected):
        return ProjectedRegridder(source, target, valid_share)
    return Regridder(source, target, valid_share)


def _refuse_several_grids(series: list[Series]) -> None:
    first = series[0]
    for other in series[1:]:
        if not _same(first.grid, other.grid):
            sizes = [" x ".join(map(str, s.grid.shape)) for s in (first, other)]
            raise SourceError(
                f"{first.name} is on {sizes[0]} cells ({first.fields[0].path.name}) and "
                f"{other.name} on {sizes[1]} ({other.fields[0].path.name}); choose one grid with "
                "--grid 2.5 or --like FILE.nc."
            )


def _same(one: Grid | Projected, other: Grid | Projected) -> bool:
    if isinstance(one, Grid) and isinstance(other, Grid):
        pairs = [(one.lat, other.lat), (one.lon, other.lon)]
    elif isinstance(one, Projected) and isinstance(other, Projected):
        pairs = [(one.y, other.y), (one.x, other.x)]
    else:
        return False
    return all(a.shape == b.shape and np.allclose(a, b, atol=1e-3) for a, b in pairs)


def _land(data: xr.Dataset) -> tuple[Grid, NDArray[np.bool_]] | None:
    """Return the grid and mask of a file that holds only a land mask."""
    if "land" not in data.data_vars or not {"lat", "lon"} <= set(data["land"].dims):
        return None
    field = data["land"].squeeze(drop=True).transpose("lat", "lon").sortby(["lat", "lon"])
    return Grid(field["lat"].values, field["lon"].values), np.asarray(field.values > 0.5)


def _land_mask(
    one: Series, land: tuple[Place, Grid, NDArray[np.bool_]] | None
) -> NDArray[np.bool_] | None:
    """Return the land cells to mask in a sea variable whose files give values there too."""
    field = next((f for f in one.fields if f.known.sea_only), None)
    if field is None:
        return None
    if land is None:
        raise SourceError(
            f"{field.path} holds the skin of land and sea; add the file land.nc of the same "
            "reanalysis, or leave the file out."
        )
    path, grid, mask = land
    if not _same(grid, field.grid):
        raise SourceError(f"{path} is on another grid than {field.path.name}; take the one of it.")
    return mask


def _year(time: np.datetime64) -> int:
    return int(time.astype("datetime64[Y]").astype(np.int64)) + 1970


def _dataset(
    series: list[Series],
    arrays: dict[str, NDArray[np.float32]],
    times: NDArray[np.datetime64],
    cell: Cell,
    target: Grid | Projected,
    notes: dict[str, list[str]],
) -> xr.Dataset:
    titles = list(dict.fromkeys(f.layout.title for s in series for f in s.fields))
    step = series[0].step
    attrs = {
        "Conventions": "CF-1.11",
        "source": "; ".join(titles),
        "frequency": step.frequency,
    }
    dims = ("member", "time", *(("lat", "lon") if isinstance(target, Grid) else ("y", "x")))
    out = xr.Dataset(
        {name: (dims, values[None], _attrs(name, step, cell)) for name, values in arrays.items()},
        coords={
            "member": ("member", [0]),
            **time_coordinates(times, step, cell),
        },
        attrs=attrs,
    )
    for one in series:
        attrs = {"comment": ". ".join(notes[one.name]), "base_period": one.base_period}
        out[one.name].attrs.update({k: v for k, v in attrs.items() if v})
    if isinstance(target, Grid):
        return out.assign_coords(lat=("lat", target.lat, NORTH), lon=("lon", target.lon, EAST))
    out = out.assign_coords(
        y=("y", target.y, {"standard_name": haduk.Y, "units": "m"}),
        x=("x", target.x, {"standard_name": haduk.X, "units": "m"}),
        lat=(("y", "x"), target.lat, NORTH),
        lon=(("y", "x"), target.lon, EAST),
    )
    out["crs"] = ((), np.int32(0), target.mapping)
    for name in arrays:
        out[name].attrs["grid_mapping"] = "crs"
    return out


def _attrs(name: str, step: TimeStep, cell: Cell) -> dict[str, str]:
    attrs = dict(CANONICAL[name].attrs)
    return attrs if step is MONTH else {**attrs, "cell_methods": f"time: {cell}"}

"""Output of the SPEEDY general circulation model, one file for each member and year.

Monthly means in ``mMM_YYYY.nc``; in ``dMM_YYYY.nc`` the state at 00 UTC of every day, and rain as
the mean of the 24 hours before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.cf import EAST, NORTH, Cell, time_coordinates
from mlda_core.climate.grid import Grid
from mlda_core.climate.possible import possible_in
from mlda_core.climate.time_step import DAY, MONTH, TimeStep
from mlda_core.sources import SourceError
from mlda_core.sources.plausible import Check, Seen

FILE_NAME = re.compile(r"([md])(\d+)_(\d{4})\.nc")
LETTERS = {MONTH: "m", DAY: "d"}
# What a year's file of each step holds.
VARIABLES = {
    MONTH: ("psl", "tos", "tas", "pr"),
    DAY: ("psl", "tas", "pr", "zg500", "ua850", "va850"),
}
_CELLS: dict[TimeStep, Cell] = {MONTH: "mean", DAY: "point"}
UNITS = {
    "psl": "Pa",
    "tos": "K",
    "tas": "K",
    "pr": "kg m-2 s-1",
    "zg500": "m",
    "ua850": "m s-1",
    "va850": "m s-1",
}


def file_name(member: int, year: int, step: TimeStep = MONTH) -> str:
    """Return the name of a member's file of a year."""
    return f"{LETTERS[step]}{member:02d}_{year:04d}.nc"


def list_files(folder: Path, step: TimeStep = MONTH) -> dict[tuple[int, int], Path]:
    """Map (member, year) to the files of a folder, of one time step.

    Raises
    ------
    SourceError
        If the folder is missing or empty, has files of another step only, or a netCDF file in it
        is misnamed.
    """
    pattern = f"{LETTERS[step]}MM_YYYY.nc"
    if not folder.is_dir():
        raise SourceError(f"There is no folder {folder}; give the one that holds {pattern}.")
    files: dict[tuple[int, int], Path] = {}
    other = ""
    for path in sorted(folder.glob("[!.]*.nc")):
        match = FILE_NAME.fullmatch(path.name)
        if not match:
            raise SourceError(
                f"{path} is not named {pattern} (member, year); rename it or move it away."
            )
        if match[1] == LETTERS[step]:
            files[int(match[2]), int(match[3])] = path
        else:
            other = path.name
    if not files and other:
        asked = "leave out --step day" if step is DAY else "give --step day"
        raise SourceError(
            f"{folder} holds no {step.adjective} files {pattern}, but others such as {other}; "
            f"{asked}, or the folder with the {step.adjective} ones."
        )
    if not files:
        raise SourceError(f"{folder} holds no {pattern} file; give the folder with the data.")
    return files


def read_speedy(
    folder: str | Path,
    *,
    variables: Iterable[str] | None = None,
    members: Iterable[int] | None = None,
    years: Iterable[int] | None = None,
    step: TimeStep = MONTH,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Read SPEEDY files into the canonical dataset.

    Parameters
    ----------
    folder : path
        Holds ``mMM_YYYY.nc`` or, of days, ``dMM_YYYY.nc``, any members and years; absent ones
        become missing values.
    variables : iterable of str, optional
        CF names to read; by default those of :data:`VARIABLES`.
    members, years : iterable of int, optional
        Selection; all by default.
    step : TimeStep
        Of the files.
    progress : callable, optional
        Called with (files done, files in all).

    Returns
    -------
    Dataset
        float32, dimensions (member, time, lat, lon), and ``sftlf`` (lat, lon) if the files have
        it.

    Raises
    ------
    SourceError
        Names the file that is truncated, misnamed, in other units or on another grid, or lacks a
        month or day, or has one twice.
    """
    variables = VARIABLES[step] if variables is None else tuple(variables)
    files = list_files(Path(folder), step)
    if members is not None:
        chosen = set(members)
        files = {key: path for key, path in files.items() if key[0] in chosen}
    if years is not None:
        wanted = set(years)
        files = {key: path for key, path in files.items() if key[1] in wanted}
    if not files:
        raise SourceError(f"{folder} has none of the members and years asked for; ask for others.")

    all_members = sorted({m for m, _ in files})
    all_years = sorted({y for _, y in files})
    times = np.concatenate([_times_of(y, step) for y in all_years])
    row = {y: np.flatnonzero(times.astype("datetime64[Y]") == _year(y)) for y in all_years}
    first: xr.Dataset | None = None
    arrays: dict[str, np.ndarray] = {}
    limits = {v: possible_in(v, step) for v in variables}
    checks = {v: Check(v, v, known, step=step) for v, known in limits.items() if known is not None}
    for done, ((member, year), path) in enumerate(files.items(), start=1):
        data = _read_file(path, variables, year, step)
        if first is None:
            first = data
            shape = (len(all_members), times.size, data.sizes["lat"], data.sizes["lon"])
            arrays = {v: np.full(shape, np.nan, dtype=np.float32) for v in variables}
        elif not (
            np.array_equal(data["lat"], first["lat"]) and np.array_equal(data["lon"], first["lon"])
        ):
            raise SourceError(
                f"{path} is on another grid than {next(iter(files.values())).name}; "
                "keep one grid in a folder."
            )
        where = (all_members.index(member), row[year])
        for v in variables:
            arrays[v][where] = data[v].values
            if v in checks:
                checks[v].see(data[v].values, _seen(path, data, v, step))
        if progress:
            progress(done, len(files))
    if first is None:
        raise SourceError(f"{folder} holds no file to read; give the folder with the data.")
    for check in checks.values():
        check.done(Grid(first["lat"].values, first["lon"].values))
    out = xr.Dataset(
        {v: (("member", "time", "lat", "lon"), arrays[v], dict(first[v].attrs)) for v in variables},
        coords={
            "member": ("member", all_members),
            **time_coordinates(times, step, _CELLS[step]),
            "lat": ("lat", first["lat"].values, NORTH),
            "lon": ("lon", first["lon"].values, EAST),
        },
        attrs={
            "Conventions": "CF-1.11",
            "source": first.attrs.get("source", "SPEEDY"),
            "frequency": step.frequency,
        },
    )
    if "sftlf" in first:
        out["sftlf"] = (("lat", "lon"), first["sftlf"].values, dict(first["sftlf"].attrs))
    return out


def _seen(path: Path, data: xr.Dataset, variable: str, step: TimeStep) -> Seen:
    field = data[variable]
    return Seen(
        path,
        variable,
        str(field.attrs.get("units", "")),
        field.values,
        step.times(data["time"].values),
        data["lat"].values,
        data["lon"].values,
        codes=False,
    )


def _year(year: int) -> np.datetime64:
    return np.datetime64(f"{year:04d}", "Y")


def _times_of(year: int, step: TimeStep) -> NDArray[np.datetime64]:
    """Return the months or days of a year."""
    begin = _year(year)
    return np.arange(begin, begin + 1, dtype=f"datetime64[{step.unit}]")


def _read_file(path: Path, variables: tuple[str, ...], year: int, step: TimeStep) -> xr.Dataset:
    """Load and check one file (lat ascending, unpacked)."""
    try:
        with xr.open_dataset(path) as opened:
            missing = [v for v in variables if v not in opened]
            if missing:
                raise SourceError(f"{path} has no variable '{missing[0]}'; ask for others.")
            keep = [*variables, *(["sftlf"] if "sftlf" in opened else [])]
            data = opened[keep].load()
    except SourceError:
        raise
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise SourceError(
            f"{path} cannot be read as netCDF (truncated?); copy it again."
        ) from error
    for v in variables:
        units = data[v].attrs.get("units")
        if v in UNITS and units != UNITS[v]:
            raise SourceError(
                f"{path} has {v} in '{units}', not '{UNITS[v]}'; convert the file first."
            )
        if data[v].dims != ("time", "lat", "lon"):
            raise SourceError(
                f"{path} has {v} on {data[v].dims}, not (time, lat, lon); transpose the file."
            )
    _refuse_other_times(path, data["time"].values, year, step)
    if not np.all(np.diff(data["lat"].values) > 0):
        data = data.sortby("lat")
    return data


def _refuse_other_times(
    path: Path, stamps: NDArray[np.datetime64], year: int, step: TimeStep
) -> None:
    """Refuse a file that does not hold the months or days of its year, each once and in order."""
    if stamps.dtype.kind != "M":
        raise SourceError(
            f"{path} has no dates of the standard calendar on its time axis; write it again with "
            "units such as 'days since 1979-01-01'."
        )
    expected = _times_of(year, step)
    times = step.times(stamps)
    if step is MONTH:
        if not np.array_equal(times, expected):
            raise SourceError(
                f"{path} does not hold the twelve months of {year} that its name says; rename it."
            )
        return
    found, counts = np.unique(times, return_counts=True)
    if (counts > 1).any():
        raise SourceError(f"{path} has {found[counts > 1][0]} twice; write each day once.")
    strange = np.setdiff1d(found, expected)
    if strange.size:
        raise SourceError(
            f"{path} holds {strange[0]}, which is not of {year} as its name says; rename it."
        )
    absent = np.setdiff1d(expected, found)
    if absent.size:
        raise SourceError(
            f"{path} lacks {absent[0]}, and a year's file has all its days; write it again."
        )
    off = stamps != expected.astype(stamps.dtype)
    if off.any():
        raise SourceError(
            f"{path} is stamped {np.datetime_as_string(stamps[off][0], unit='m')}, and its days "
            "are states at 00 UTC, in order; write it again."
        )

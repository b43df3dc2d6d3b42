"""Monthly means of the SPEEDY general circulation model, one file for each member and year."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import xarray as xr

from mlda_core.climate.cf import EAST, NORTH, time_axis
from mlda_core.climate.grid import Grid
from mlda_core.climate.possible import POSSIBLE
from mlda_core.sources import SourceError
from mlda_core.sources.plausible import Check, Seen

FILE_NAME = re.compile(r"m(\d+)_(\d{4})\.nc")
UNITS = {
    "psl": "Pa",
    "tos": "K",
    "tas": "K",
    "pr": "kg m-2 s-1",
    "zg500": "m",
    "ua850": "m s-1",
    "va850": "m s-1",
}


def list_files(folder: Path) -> dict[tuple[int, int], Path]:
    """Map (member, year) to the files of a folder.

    Raises
    ------
    SourceError
        If the folder is missing or empty, or a netCDF file in it is misnamed.
    """
    if not folder.is_dir():
        raise SourceError(f"There is no folder {folder}; give the one that holds mMM_YYYY.nc.")
    files: dict[tuple[int, int], Path] = {}
    for path in sorted(folder.glob("[!.]*.nc")):
        match = FILE_NAME.fullmatch(path.name)
        if not match:
            raise SourceError(
                f"{path} is not named mMM_YYYY.nc (member, year); rename it or move it away."
            )
        files[int(match[1]), int(match[2])] = path
    if not files:
        raise SourceError(f"{folder} holds no mMM_YYYY.nc file; give the folder with the data.")
    return files


def read_speedy(
    folder: str | Path,
    *,
    variables: Iterable[str] = ("psl", "tos", "tas", "pr"),
    members: Iterable[int] | None = None,
    years: Iterable[int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Read SPEEDY files into the canonical dataset.

    Parameters
    ----------
    folder : path
        Holds ``mMM_YYYY.nc``, any members and years; absent ones become missing values.
    variables : iterable of str
        CF names to read.
    members, years : iterable of int, optional
        Selection; all by default.
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
        Names the file that is truncated, misnamed, in other units or on another grid.
    """
    variables = tuple(variables)
    files = list_files(Path(folder))
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
    months = np.concatenate([_months_of(y) for y in all_years])
    row = {year: 12 * i for i, year in enumerate(all_years)}
    first: xr.Dataset | None = None
    arrays: dict[str, np.ndarray] = {}
    checks = {v: Check(v, v, POSSIBLE[v]) for v in variables if v in POSSIBLE}
    for done, ((member, year), path) in enumerate(files.items(), start=1):
        data = _read_file(path, variables, year)
        if first is None:
            first = data
            shape = (len(all_members), months.size, data.sizes["lat"], data.sizes["lon"])
            arrays = {v: np.full(shape, np.nan, dtype=np.float32) for v in variables}
        elif not (
            np.array_equal(data["lat"], first["lat"]) and np.array_equal(data["lon"], first["lon"])
        ):
            raise SourceError(
                f"{path} is on another grid than {next(iter(files.values())).name}; "
                "keep one grid in a folder."
            )
        where = (all_members.index(member), slice(row[year], row[year] + 12))
        for v in variables:
            arrays[v][where] = data[v].values
            if v in checks:
                checks[v].see(data[v].values, _seen(path, data, v))
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
            "time": time_axis(months),
            "lat": ("lat", first["lat"].values, NORTH),
            "lon": ("lon", first["lon"].values, EAST),
        },
        attrs={"Conventions": "CF-1.11", "source": first.attrs.get("source", "SPEEDY")},
    )
    if "sftlf" in first:
        out["sftlf"] = (("lat", "lon"), first["sftlf"].values, dict(first["sftlf"].attrs))
    return out


def _seen(path: Path, data: xr.Dataset, variable: str) -> Seen:
    field = data[variable]
    return Seen(
        path,
        variable,
        str(field.attrs.get("units", "")),
        field.values,
        data["time"].values.astype("datetime64[M]"),
        data["lat"].values,
        data["lon"].values,
        codes=False,
    )


def _months_of(year: int) -> np.ndarray:
    return np.datetime64(f"{year}-01", "M") + np.arange(12)


def _read_file(path: Path, variables: tuple[str, ...], year: int) -> xr.Dataset:
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
    stamps = data["time"].values.astype("datetime64[M]")
    if not np.array_equal(stamps, _months_of(year)):
        raise SourceError(
            f"{path} does not hold the twelve months of {year} that its name says; rename it."
        )
    if not np.all(np.diff(data["lat"].values) > 0):
        data = data.sortby("lat")
    return data

"""Folder of an experiment: its description, its years, and the restart files.

Files ``mMM_YYYY.nc``, of days ``dMM_YYYY.nc``, are in the format that ``mlda data prepare`` reads
as SPEEDY's. A year's file is written atomically, after the restart file of the next year.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.cf import coordinates
from mlda_core.climate.grid import Grid
from mlda_core.climate.time_step import DAY, MONTH, TimeStep
from mlda_core.perturbation.sst_patches import Patch
from mlda_core.simulate import SimulationError
from mlda_core.sources.speedy import file_name

Float = NDArray[np.float64]

# CF standard name, units and long name.
VARIABLES: dict[str, tuple[str, str, str]] = {
    "psl": ("air_pressure_at_mean_sea_level", "Pa", "Sea-level pressure"),
    "tos": ("sea_surface_temperature", "K", "Sea surface temperature"),
    "tas": ("air_temperature", "K", "Near-surface air temperature"),
    "pr": ("precipitation_flux", "kg m-2 s-1", "Precipitation"),
    "zg500": ("geopotential_height", "m", "Geopotential height at 500 hPa"),
    "ua850": ("eastward_wind", "m s-1", "Eastward wind at 850 hPa"),
    "va850": ("northward_wind", "m s-1", "Northward wind at 850 hPa"),
}
_ABOUT = "experiment.json"


def describe(
    first: int, sea: str, patches: Sequence[Patch], model: str, step: TimeStep = MONTH
) -> dict[str, Any]:
    """Return the attributes that must match to resume a folder.

    Parameters
    ----------
    first : int
        First year: the run starts half a year before it.
    sea : str
        ``observed`` or ``climatology``.
    patches : sequence of Patch
        Changes of SST; a file's pattern is identified by its checksum.
    model : str
        Name and version of the model.
    step : TimeStep
        Of the files.

    Returns
    -------
    dict
        Plain values.
    """
    changes = []
    for patch in patches:
        plain: dict[str, Any] = json.loads(json.dumps(patch.to_dict()))
        if patch.file:
            plain["sha256"] = hashlib.sha256(Path(patch.file).read_bytes()).hexdigest()
        changes.append(plain)
    about = {"model": model, "first year": first, "sea": sea, "changes of the sea": changes}
    # Folders from before there were days are monthly.
    return about if step is MONTH else {**about, "time step": step.name}


def begin(folder: Path, about: Mapping[str, Any]) -> None:
    """Create the folder of an experiment, or check that it is the same experiment's.

    Raises
    ------
    SimulationError
        If the folder is of another experiment.
    """
    file = folder / _ABOUT
    if not file.exists():
        strangers = sorted(p.name for p in folder.glob("*")) if folder.exists() else []
        if strangers:
            raise SimulationError(
                f"{folder} holds files of others, such as {strangers[0]}; give a new folder."
            )
        folder.mkdir(parents=True, exist_ok=True)
        part = _part(file)
        part.write_text(json.dumps(dict(about), indent=1) + "\n")
        part.replace(file)
        return
    try:
        held = json.loads(file.read_text())
    except ValueError:
        held = None
    if not isinstance(held, dict):
        raise SimulationError(f"{file} is damaged; give another folder.")
    step = {"time step": MONTH.name}
    held = {**step, **held}
    for name, value in {**step, **about}.items():
        if held.get(name) != value:
            raise SimulationError(
                f"{folder} was begun with {name} {_shown(held.get(name))}, not {_shown(value)}; "
                "give the same again, or another --out."
            )


def year_file(folder: Path, member: int, year: int, step: TimeStep = MONTH) -> Path:
    """Return the name of a year's file."""
    return folder / file_name(member, year, step)


def first_day(year: int, step: TimeStep = MONTH) -> np.datetime64:
    """Return the first day that is simulated for a year's file.

    The state at 00 UTC of 1 January, and the rain of the 24 hours before it, are the end of
    31 December.
    """
    january = np.datetime64(f"{year:04d}-01-01", "D")
    return january - 1 if step is DAY else january


def restart_file(folder: Path, member: int, year: int, step: TimeStep = MONTH) -> Path:
    """Return the name of a year's restart file."""
    return folder / "restart" / f"m{member:02d}_{first_day(year, step)}.msgpack"


def next_year(
    folder: Path, member: int, first: int, last: int, step: TimeStep = MONTH
) -> int | None:
    """Return the first year that a member lacks, None if it has all."""
    for year in range(first, last + 1):
        if not year_file(folder, member, year, step).exists():
            return year
    return None


def start_of(
    folder: Path, member: int, first: int, year: int, step: TimeStep = MONTH
) -> int | None:
    """Return the latest year up to one with a restart file, None for the initial state."""
    for candidate in range(year, first - 1, -1):
        if restart_file(folder, member, candidate, step).exists():
            return candidate
    return None


def write_year(
    path: Path,
    fields: Mapping[str, Float],
    land: Float,
    grid: Grid,
    about: Mapping[str, Any],
    step: TimeStep = MONTH,
) -> None:
    """Write a year's monthly means or daily states, atomically.

    Parameters
    ----------
    path : Path
        Of :func:`year_file`.
    fields : mapping of str to ndarray of shape (12 or 365 or 366, lat, lon)
        By the names of :data:`VARIABLES`, in their units.
    land : ndarray, shape (lat, lon)
        Land fraction.
    grid : Grid
    about : mapping
        Global attributes.
    step : TimeStep
        Of days, rain is the mean of the 24 hours before the state.
    """
    year = path.stem[-4:]
    times = step.between(f"{year}-01-01"[: len(step.example)], f"{year}-12-31"[: len(step.example)])
    states = step is DAY
    dims = ("time", "lat", "lon")
    out = xr.Dataset(
        coords=coordinates(grid, times, step, "point" if states else "mean"),
        attrs={"Conventions": "CF-1.11", **about},
    )
    for name, values in fields.items():
        standard, units, label = VARIABLES[name]
        attrs = {"standard_name": standard, "long_name": label, "units": units}
        attrs["cell_methods"] = "time: point" if states and name != "pr" else "time: mean"
        out[name] = dims, np.asarray(values, np.float32), attrs
    attrs = {"standard_name": "land_area_fraction", "units": "%"}
    out["sftlf"] = ("lat", "lon"), np.asarray(100.0 * land, np.float32), attrs
    encoding: dict[str, dict[str, Any]] = {str(v): {"zlib": True} for v in out.data_vars}
    if not states:
        encoding["time"] = {"units": "days since 1850-01-01", "calendar": "standard", "dtype": "f8"}
    part = _part(path)
    try:
        out.to_netcdf(part, engine="netcdf4", encoding=encoding)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _part(path: Path) -> Path:
    """Return a temporary file name beside a file, unique to this process."""
    return path.with_name(f"{path.name}.{os.getpid()}.part")


def _shown(value: Any) -> str:
    return json.dumps(value) if isinstance(value, list) else str(value)

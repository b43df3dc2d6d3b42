"""Merge canonical datasets of several sources: the union of their months or days."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from mlda_core.climate.cf import (
    BOUNDS,
    Cell,
    fault_of_times,
    step_of,
    time_axis,
    time_coordinates,
)
from mlda_core.climate.time_step import DAY, TimeStep
from mlda_core.sources import SourceError


def merge(paths: Sequence[Path]) -> xr.Dataset:
    """Join canonical datasets of different variables on one grid.

    A month or day is kept if any dataset has it; the other variables are missing there, and
    nothing is filled in. Training handles missing fields.

    Parameters
    ----------
    paths : sequence of Path
        As `mlda data prepare` writes them: one grid, different variables.

    Returns
    -------
    Dataset
        float32, dimensions (member, time, lat, lon).

    Raises
    ------
    SourceError
        If a file is not canonical, a variable occurs twice, or grids, members, time steps or the
        base periods of anomalies differ.
    """
    parts = [_read(path) for path in paths]
    _refuse_base_periods(paths, parts)
    step, cell = _one_step(paths, parts)
    seen: dict[str, Path] = {}
    for path, part in zip(paths, parts, strict=True):
        for name in part.data_vars:
            if str(name) in seen:
                raise SourceError(
                    f"{path} holds {name} again, after {seen[str(name)].name}; leave one of the "
                    "files out."
                )
            seen[str(name)] = path
        for axis in ("member", "lat", "lon"):
            mine, theirs = part[axis].values, parts[0][axis].values
            if mine.shape != theirs.shape or not np.allclose(mine, theirs, atol=1e-3):
                remedy = (
                    "join files of the same members."
                    if axis == "member"
                    else "prepare both with one --grid, or one with --like the other."
                )
                raise SourceError(f"{path} has another {axis} axis than {paths[0].name}; {remedy}")
    # The axes agree to a thousandth of a degree; take the first dataset's.
    axes = {axis: parts[0][axis] for axis in ("member", "lat", "lon")}
    joined = xr.merge(
        [part.assign_coords(axes) for part in parts], join="outer", combine_attrs="override"
    )
    joined = joined.assign_coords(time_coordinates(joined["time"].to_numpy(), step, cell))
    # Variables keep their attributes; the files' global attributes each describe one source only.
    joined.attrs = {}
    sources = list(dict.fromkeys(str(part.attrs.get("source", "")) for part in parts))
    return joined.assign_attrs(
        Conventions="CF-1.11",
        source="; ".join(source for source in sources if source),
        frequency=step.frequency,
    )


def _one_step(paths: Sequence[Path], parts: Sequence[xr.Dataset]) -> tuple[TimeStep, Cell]:
    """Return the time step of all datasets, and whether they hold means or states."""
    step, cell = step_of(parts[0]), _cell(parts[0])
    for path, part in zip(paths, parts, strict=True):
        own = step_of(part)
        if own is not step:
            raise SourceError(
                f"{path} is {own.adjective} and {paths[0].name} {step.adjective}; join datasets "
                "of one time step."
            )
        if _cell(part) != cell:
            kind = {"mean": "means over days", "point": "states at 00 UTC"}
            raise SourceError(
                f"{path} holds {kind[_cell(part)]} and {paths[0].name} {kind[cell]}; join datasets "
                "of one kind."
            )
    return step, cell


def _cell(data: xr.Dataset) -> Cell:
    """Return whether a canonical dataset holds means, or states: days of these begin at 00 UTC."""
    stamps = data["time"].to_numpy()
    states = step_of(data) is DAY and np.all(stamps == stamps.astype("datetime64[D]"))
    return "point" if states else "mean"


def _refuse_base_periods(paths: Sequence[Path], parts: Sequence[xr.Dataset]) -> None:
    """Refuse anomalies of one quantity with different base periods."""
    stated: dict[str, tuple[str, Path]] = {}
    for path, part in zip(paths, parts, strict=True):
        for name, field in part.data_vars.items():
            quantity = str(field.attrs.get("standard_name", name))
            period = str(field.attrs.get("base_period", ""))
            if not period:
                continue
            first, where = stated.setdefault(quantity, (period, path))
            if first != period:
                raise SourceError(
                    f"{path} has {name} as anomalies from {period}, and {where.name} from {first}; "
                    "give files of one base period."
                )


def _read(path: Path) -> xr.Dataset:
    try:
        with xr.open_dataset(path) as opened:
            data = opened.load()
    except (OSError, ValueError, RuntimeError) as error:
        raise SourceError(f"{path} cannot be read; make it with 'mlda data prepare'.") from error
    wrong = [n for n in data.data_vars if data[n].dims != ("member", "time", "lat", "lon")]
    if wrong or not data.data_vars:
        what = f"has {wrong[0]} on other dimensions" if wrong else "holds no variable"
        raise SourceError(
            f"{path} {what} and is no canonical dataset on latitudes and longitudes; make it with "
            "'mlda data prepare'."
        )
    step = step_of(data)
    fault = fault_of_times(data, step)
    if fault:
        raise SourceError(f"{path} {fault}; make it with 'mlda data prepare'.")
    data = data.drop_vars(BOUNDS, errors="ignore")
    # Stamps of months may be of any day of the month.
    return data.assign_coords(time=time_axis(data["time"].to_numpy(), step, _cell(data)))

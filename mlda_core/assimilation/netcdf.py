"""Write analyses of many months to one netCDF file, with what is needed to reproduce them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import netCDF4
import numpy as np
import pandas as pd
import xarray as xr

from mlda_core import __version__
from mlda_core.climate.errors import UserError
from mlda_core.observations.files import fill

if TYPE_CHECKING:
    from mlda_core.assimilation.options import Background
    from mlda_core.bundle.bundle import Bundle

_TIMES = "days since 1850-01-01"


class AnalysisFileError(UserError):
    """An analysis file is invalid; the message is one sentence with the remedy."""


def provenance(bundle: Bundle, settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes from which a file's analyses can be reproduced.

    Parameters
    ----------
    bundle : Bundle
    settings : mapping
        Keyword arguments of ``Assimilator.run``, JSON-serialisable.
    """
    return {
        "Conventions": "CF-1.11",
        "title": f"Analyses by {bundle.title}",
        "source": f"mlda {__version__}, bundle {bundle.name}",
        "bundle": bundle.name,
        "bundle_checksums": json.dumps(bundle.config["checksums"], sort_keys=True),
        "settings": json.dumps(dict(settings), sort_keys=True),
        "comment": (
            f"Anomalies are from the {bundle.seasons.step.adjective} climatology of the bundle's "
            f"base period ({bundle.base_period}). The group 'observations' is the table that was "
            "assimilated, anomalies in hPa, K and mm/day: mlda reads it from this file again."
        ),
    }


class Writer:
    """Adds months to an open file, in any order; created by :func:`writing`."""

    def __init__(self, file: netCDF4.Dataset, plan: Mapping[str, int]) -> None:
        self._file = file
        self._plan = plan
        self._row = {month: i for i, month in enumerate(plan)}
        ends = np.cumsum([0, *plan.values()])
        self._first = {month: int(end) for month, end in zip(plan, ends, strict=False)}
        has = "time" in file.variables
        times = np.ma.filled(file["time"][:].astype(float), np.nan) if has else np.empty(0)
        # A month's time is written last: without it, the month is incomplete and is written again.
        done = np.isfinite(times)
        self.months = {month for month, i in self._row.items() if i < done.size and done[i]}

    def add(self, data: xr.Dataset, observations: pd.DataFrame) -> None:
        """Add one month: ``to_dataset()`` of it, and ``Analysis.observations``."""
        if "time" not in self._file.dimensions:
            self._define(data)
        month = _label(data, self._row)
        if len(observations) != self._plan[month]:
            raise RuntimeError(f"{month} has {len(observations)} rows, not {self._plan[month]}")
        file, n = self._file, self._row[month]
        for name, values in data.data_vars.items():
            file[str(name)][n] = values.values[0]
        days = float(
            (data["time"].values[0] - np.datetime64("1850-01-01")) / np.timedelta64(1, "D")
        )
        group = file.groups.get("observations") or file.createGroup("observations")
        fill(group, observations.assign(time=days), self._first[month])
        file["n_observations"][n] = len(observations)
        file["time"][n] = days
        file.sync()
        self.months.add(month)

    def _define(self, data: xr.Dataset) -> None:
        file = self._file
        for name, size in data.sizes.items():
            file.createDimension(str(name), None if name == "time" else size)
        time = file.createVariable("time", "f8", ("time",))
        time.setncatts({"standard_name": "time", "units": _TIMES, "calendar": "standard"})
        for name in ("lat", "lon", "latent", "member"):
            if name in data.coords:
                axis = data[name]
                file.createVariable(name, axis.dtype, (name,))[:] = axis.values
                file[name].setncatts(axis.attrs)
        for name, values in data.data_vars.items():
            text = values.dtype == object
            options: dict[str, Any] = {} if text else {"compression": "zlib", "shuffle": True}
            if values.ndim >= 3:
                options["fill_value"] = values.dtype.type(np.nan)
            kind: Any = str if text else values.dtype
            dims = tuple(map(str, values.dims))
            file.createVariable(str(name), kind, dims, **options).setncatts(values.attrs)
        count = file.createVariable("n_observations", "i4", ("time",))
        count.setncatts({"units": "1", "long_name": "rows of the group 'observations'"})


def _label(data: xr.Dataset, known: Mapping[str, int]) -> str:
    """Return the month or day of a dataset of one time, as the plan calls it."""
    stamp = str(data["time"].values[0])
    return next((label for label in (stamp[:7], stamp[:10]) if label in known), stamp[:10])


@contextmanager
def writing(path: Path, about: Mapping[str, str], plan: Mapping[str, int]) -> Iterator[Writer]:
    """Write a file of analyses month by month, resuming an interrupted run.

    Months and their observations are stored chronologically, in whatever order they are added.

    Parameters
    ----------
    path : Path
        Replaced once complete; ``PATH.part`` until then.
    about : mapping
        Global attributes, from :func:`provenance`; a partial file with others is discarded.
    plan : mapping of str to int
        All months ``YYYY-MM``, or days ``YYYY-MM-DD``, to be written, ascending, with their numbers
        of observations. A partial file with others is discarded.

    Yields
    ------
    Writer
        Its ``months`` are complete already.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    attributes = {**about, "plan": json.dumps(dict(plan))}
    file = _resume(part, attributes) or netCDF4.Dataset(part, "w")
    writer = Writer(file, plan)
    try:
        file.setncatts(attributes)
        yield writer
        if writer.months != set(plan):
            raise RuntimeError(f"{len(writer.months)} of {len(plan)} months were written")
        file.delncattr("plan")
    except BaseException:
        if not writer.months:
            part.unlink()
        raise
    finally:
        file.close()
    part.replace(path)


def _resume(part: Path, about: Mapping[str, str]) -> netCDF4.Dataset | None:
    if not part.is_file():
        return None
    try:
        file = netCDF4.Dataset(part, "a")
    except OSError:
        # Interrupted while writing: the content is unreliable.
        return None
    # All of them: a file with members is not gone on with by a run without.
    if {k: str(getattr(file, k)) for k in file.ncattrs()} == dict(about):
        return file
    file.close()
    return None


def read_background(path: Path, bundle: Bundle, month: str) -> Background:
    """Read an earlier analysis as the background of a month.

    Parameters
    ----------
    path : Path
        Written by ``mlda assimilate``.
    bundle : Bundle
    month : str
        ``YYYY-MM``, or ``YYYY-MM-DD``: a time of the file, or any if the file has only one.

    Returns
    -------
    Background

    Raises
    ------
    AnalysisFileError
        If the file is not of this bundle, or lacks the month.
    """
    from mlda_core.assimilation.options import Background

    try:
        with xr.open_dataset(path, engine="netcdf4") as file:
            held = [str(t)[: len(month)] for t in file["time"].values]
            if month not in held and len(held) != 1:
                raise AnalysisFileError(
                    f"{path} holds {held[0]} to {held[-1]}, not {month}; give another background."
                )
            one = file.isel(time=held.index(month) if month in held else 0)
            fields = [one[f"{v.name}_anomaly"].values * v.scale for v in bundle.variables]
            z = one["z"].values if "z" in one else np.zeros(bundle.n_latent)
    except (OSError, KeyError, IndexError) as error:
        raise AnalysisFileError(
            f"{path} cannot be read as an analysis; give a file that 'mlda assimilate' wrote."
        ) from error
    return Background(np.asarray(z, np.float64), np.stack(fields))

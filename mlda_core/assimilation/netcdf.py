"""Analyses as CF datasets, and in one netCDF file that holds many months and can repeat them."""

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
from numpy.typing import NDArray

from mlda_core import __version__
from mlda_core.climate.cf import coordinates
from mlda_core.climate.errors import UserError
from mlda_core.observations.files import fill

if TYPE_CHECKING:
    from mlda_core.assimilation.analysis import Analysis
    from mlda_core.assimilation.options import Background
    from mlda_core.bundle.bundle import Bundle

_TIMES = "days since 1850-01-01"
_DIMS = ("time", "lat", "lon")
# What each of an analysis' numbers is, in the file.
_NUMBERS: dict[str, str] = {
    "cost_prior": "prior term of the cost at the analysis",
    "cost_observations": "observation term of the cost at the analysis",
    "chi_squared": "chi-squared an observation from the background: about 1 if errors are right",
    "degrees_of_freedom": "degrees of freedom for signal",
    "n_used": "observations that were assimilated",
    "n_withheld": "observations that were withheld",
    "n_thinned": "observations that thinning left out",
    "converged": "1 where the minimisation converged",
}


class AnalysisFileError(UserError):
    """A file of analyses cannot be used; the message is one sentence with the remedy."""


def to_dataset(analysis: Analysis, bundle: Bundle, month: str) -> xr.Dataset:
    """Return an analysis with CF names and units.

    Parameters
    ----------
    analysis : Analysis
    bundle : Bundle
        The one that made it.
    month : str
        ``YYYY-MM``.

    Returns
    -------
    Dataset
        Dimensions (time, lat, lon), one time, CF units. For each variable the full field by its
        own name, and ``_anomaly``, ``_spread`` (posterior standard deviation), ``_background``
        (anomaly before the observations) and, of methods that have one, ``_latent`` (the decoded
        anomaly without residual analysis). ``z`` where the method has one; cost and statistics.
    """
    out = xr.Dataset(
        coords=coordinates(bundle.grid, [month]),
        attrs={"Conventions": "CF-1.11", "source": f"mlda bundle {bundle.name}"},
    )
    climatology = bundle.climatology(analysis.month)
    spread = analysis.spread
    base = {"base_period": bundle.base_period}
    for i, v in enumerate(bundle.variables):
        full = (analysis.anomalies[i] + climatology[i] - v.offset) / v.scale
        if v.non_negative:
            full = np.maximum(full, 0.0)
        fields: dict[str, tuple[NDArray[Any], dict[str, str]]] = {
            v.name: (
                full,
                {
                    "standard_name": v.standard_name,
                    "long_name": v.label,
                    "cell_methods": "time: mean",
                    "ancillary_variables": f"{v.name}_spread",
                },
            ),
            f"{v.name}_anomaly": (
                analysis.anomalies[i] / v.scale,
                {"long_name": f"{v.label}, anomaly", "cell_methods": "time: mean", **base},
            ),
            f"{v.name}_spread": (
                spread[i] / v.scale,
                {
                    "standard_name": f"{v.standard_name} standard_error",
                    "long_name": f"{v.label}, posterior standard deviation",
                },
            ),
            f"{v.name}_background": (
                analysis.background[i] / v.scale,
                {"long_name": f"{v.label}, anomaly before the observations", **base},
            ),
        }
        if analysis.z is not None:
            fields[f"{v.name}_latent"] = (
                analysis.latent_only[i] / v.scale,
                {"long_name": f"{v.label}, anomaly without residual analysis", **base},
            )
        for name, (values, attrs) in fields.items():
            out[name] = (_DIMS, values[None].astype(np.float32), {"units": v.units, **attrs})
    if analysis.z is not None:
        out["z"] = (
            ("time", "latent"),
            analysis.z[None],
            {"units": "1", "long_name": "latent vector"},
        )
        out = out.assign_coords(latent=np.arange(1, analysis.z.size + 1))
    fit, cost = analysis.statistics, analysis.cost
    numbers: dict[str, float | int] = {
        "cost_prior": cost.prior,
        "cost_observations": cost.observations,
        "chi_squared": fit.chi_squared,
        "degrees_of_freedom": fit.degrees_of_freedom,
        "n_used": fit.n_used,
        "n_withheld": fit.n_withheld,
        "n_thinned": fit.n_thinned,
        "converged": int(analysis.converged),
    }
    for name, number in numbers.items():
        kind = np.float64 if isinstance(number, float) else np.int32
        attrs = {"units": "1", "long_name": _NUMBERS[name]}
        out[name] = ("time", np.array([number], kind), attrs)
    out["outcome"] = ("time", np.array([analysis.outcome], object), {"long_name": "what happened"})
    return out


def provenance(bundle: Bundle, settings: Mapping[str, Any]) -> dict[str, str]:
    """Return what a file must say so that its analyses can be made again.

    Parameters
    ----------
    bundle : Bundle
    settings : mapping
        Keyword arguments of ``Assimilator.run``, as JSON can hold them.
    """
    return {
        "Conventions": "CF-1.11",
        "title": f"Analyses by {bundle.title}",
        "source": f"mlda {__version__}, bundle {bundle.name}",
        "bundle": bundle.name,
        "bundle_checksums": json.dumps(bundle.config["checksums"], sort_keys=True),
        "settings": json.dumps(dict(settings), sort_keys=True),
        "comment": (
            "Anomalies are from the monthly climatology of the bundle's base period "
            f"({bundle.base_period}). The group 'observations' is the table that was assimilated, "
            "anomalies in hPa, K and mm/day: mlda reads it from this file again."
        ),
    }


class Writer:
    """Adds months to an open file; made by :func:`writing`."""

    def __init__(self, file: netCDF4.Dataset) -> None:
        self._file = file
        has = "time" in file.variables
        times = np.ma.filled(file["time"][:].astype(float), np.nan) if has else np.empty(0)
        # A month's time is written last: without one, the month was cut off, and is written anew.
        self._n = int(np.isfinite(times).sum())
        dates = np.asarray(netCDF4.num2date(times[: self._n], _TIMES))
        self.months: tuple[str, ...] = tuple(f"{d.year:04d}-{d.month:02d}" for d in dates)
        self._rows = int(file["n_observations"][: self._n].sum()) if self._n else 0

    def add(self, data: xr.Dataset, observations: pd.DataFrame) -> None:
        """Add one month: :func:`to_dataset` and ``Analysis.observations``."""
        if "time" not in self._file.dimensions:
            self._define(data)
        file, n = self._file, self._n
        for name, values in data.data_vars.items():
            file[str(name)][n] = values.values[0]
        days = float(
            (data["time"].values[0] - np.datetime64("1850-01-01")) / np.timedelta64(1, "D")
        )
        group = file.groups.get("observations") or file.createGroup("observations")
        fill(group, observations.assign(time=days), self._rows)
        file["n_observations"][n] = len(observations)
        file["time"][n] = days
        file.sync()
        self._n, self._rows = n + 1, self._rows + len(observations)
        self.months = (*self.months, str(data["time"].values[0])[:7])

    def _define(self, data: xr.Dataset) -> None:
        file = self._file
        for name, size in data.sizes.items():
            file.createDimension(str(name), None if name == "time" else size)
        time = file.createVariable("time", "f8", ("time",))
        time.setncatts({"standard_name": "time", "units": _TIMES, "calendar": "standard"})
        for name in ("lat", "lon", "latent"):
            if name in data.coords:
                axis = data[name]
                file.createVariable(name, axis.dtype, (name,))[:] = axis.values
                file[name].setncatts(axis.attrs)
        for name, values in data.data_vars.items():
            text = values.dtype == object
            options: dict[str, Any] = {} if text else {"compression": "zlib", "shuffle": True}
            if values.ndim == 3:
                options["fill_value"] = np.float32(np.nan)
            kind: Any = str if text else values.dtype
            dims = tuple(map(str, values.dims))
            file.createVariable(str(name), kind, dims, **options).setncatts(values.attrs)
        count = file.createVariable("n_observations", "i4", ("time",))
        count.setncatts({"units": "1", "long_name": "rows of the group 'observations'"})


@contextmanager
def writing(path: Path, about: Mapping[str, str]) -> Iterator[Writer]:
    """Write a file of analyses, month by month; go on where an interrupted run left off.

    Parameters
    ----------
    path : Path
        Replaced once all is written; ``PATH.part`` until then.
    about : mapping
        Global attributes, of :func:`provenance`: a part with others is begun anew.

    Yields
    ------
    Writer
        Its ``months`` are there already.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    file = _resume(part, about) or netCDF4.Dataset(part, "w")
    writer = Writer(file)
    try:
        file.setncatts(about)
        yield writer
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
        # Cut off while it was written: nothing in it can be trusted.
        return None
    if {k: str(getattr(file, k, "")) for k in about} == dict(about):
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
        ``YYYY-MM``: that month of the file, or its only one.

    Returns
    -------
    Background

    Raises
    ------
    AnalysisFileError
        If the file is none of this bundle's, or does not hold the month.
    """
    from mlda_core.assimilation.options import Background

    try:
        with xr.open_dataset(path, engine="netcdf4") as file:
            held = [str(t)[:7] for t in file["time"].values]
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

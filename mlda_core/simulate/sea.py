"""Boundary conditions of a simulation: the package's sea and land, with prescribed SST changes.

``jcm`` contains a twelve-month climatology and observed SST anomalies, 1979-2013. Both are stamped
at mid-month here; the model interpolates between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.grid import Grid
from mlda_core.perturbation.sst_patches import FREEZING, MOST_KELVIN, OPEN, Patch
from mlda_core.simulate import SimulationError

Float = NDArray[np.float64]

# Anomalies are applied where the sea-ice fraction is below this.
MOST_ICE = 0.5
KELVIN = 273.15
# Refuse a change whose weight over open sea is below this fraction of its maximum.
_LEAST_SHARE = 0.02
_VARYING = ("stl", "icec", "sst", "soilw_am", "snowc")
_SEAS = ("observed", "climatology")


@dataclass(frozen=True)
class Boundary:
    """Boundary conditions of the atmosphere.

    Parameters
    ----------
    climatology : Dataset
        Of (lon, lat, time), twelve months, and ``alb`` (lon, lat): a forcing file of ``jcm``.
    land : ndarray, shape (lat, lon)
        Land fraction, 0..1.
    anomalies : ndarray, shape (months, lat, lon)
        SST anomalies, K.
    first : str
        ``YYYY-MM`` of the first anomaly.
    """

    climatology: xr.Dataset
    land: Float
    anomalies: Float
    first: str

    @cached_property
    def grid(self) -> Grid:
        """The grid, equal to that of the bundled SPEEDY months."""
        return Grid(self.climatology["lat"].to_numpy(), self.climatology["lon"].to_numpy())

    @property
    def years(self) -> tuple[int, int]:
        """First and last year of the anomalies."""
        last = np.datetime64(self.first, "M") + (len(self.anomalies) - 1)
        return int(self.first[:4]), int(str(last)[:4])

    def field(self, name: str) -> Float:
        """Return a field of the climatology, shape (12, lat, lon)."""
        return np.asarray(self.climatology[name].transpose("time", "lat", "lon"), np.float64)


def packaged() -> Boundary:
    """Read the boundary conditions packaged with ``jcm``.

    Returns
    -------
    Boundary
    """
    folder = files("jcm.data.bc") / "t30"
    # These files have a single level without meaning.
    with xr.open_dataset(str(folder / "clim/forcing.nc")) as opened:
        climatology = opened.drop_vars("lev", errors="ignore").load()
    with xr.open_dataset(str(folder / "clim/terrain.nc")) as opened:
        land = np.asarray(opened["lsm"].transpose("lat", "lon"), np.float64)
    with xr.open_dataset(str(folder / "anom/sea_surface_temperature_anomaly.nc")) as opened:
        anomalies = opened["ssta"].sortby("lat").transpose("time", "lat", "lon").load()
    return Boundary(
        climatology,
        land,
        np.asarray(anomalies, np.float64),
        str(anomalies["time"].to_numpy()[0].astype("datetime64[M]")),
    )


@dataclass(frozen=True)
class Sea:
    """SST of one experiment.

    Parameters
    ----------
    boundary : Boundary
    kind : str
        ``observed``: climatology and anomalies; ``climatology``: every year alike.
    patches : sequence of Patch
        Changes of SST.

    Raises
    ------
    SimulationError
        If the kind is unknown, or a change covers no open sea or is too large.
    """

    boundary: Boundary
    kind: str = "observed"
    patches: Sequence[Patch] = ()

    def __post_init__(self) -> None:
        if self.kind not in _SEAS:
            raise SimulationError(f"There is no sea '{self.kind}'; use {' or '.join(_SEAS)}.")
        free = _open(self.boundary.field("sst")).max(axis=0) * (self.boundary.land < 0.5)
        for patch in self.patches:
            weights = patch.weights(self.boundary.grid)
            most = np.abs(weights).max() if patch.file else 1.0
            if most == 0 or np.abs(weights * free).max() < _LEAST_SHARE * most:
                raise SimulationError(
                    f"{patch.where} touches no open sea in any month; give another place."
                )
        largest = np.abs(self.pattern).max()
        if largest > MOST_KELVIN:
            raise SimulationError(
                f"Together the changes move the sea by {largest:.3g} K; at most {MOST_KELVIN:g} K "
                "can be used: lower an amount or leave one out."
            )

    @cached_property
    def pattern(self) -> Float:
        """Sum of the changes for ice-free sea, shape (lat, lon), K."""
        total = np.zeros(self.boundary.grid.shape)
        for patch in self.patches:
            total += patch.kelvin * patch.weights(self.boundary.grid)
        return np.asarray(total)

    def check_years(self, first: int, last: int) -> None:
        """Refuse years without observed SST.

        Raises
        ------
        SimulationError
            Names the available years.
        """
        begin, end = self.boundary.years
        if self.kind == "observed" and not begin <= first <= last <= end:
            raise SimulationError(
                f"The observed sea is there for {begin}-{end}; choose --years of them, or "
                "--sea climatology for any."
            )

    def surface(self, year: int) -> xr.Dataset:
        """Return the boundary conditions of a year and the adjoining months.

        Parameters
        ----------
        year : int

        Returns
        -------
        Dataset
            Of (lon, lat, time): 14 months, December to January, stamped mid-month. Before the
            first and after the last anomaly, it is held constant.
        """
        months = np.datetime64(f"{year:04d}-01", "M") + np.arange(-1, 13)
        rows = months.astype(int) % 12
        sea = self.boundary.field("sst")[rows]
        if self.kind == "observed":
            since = (months - np.datetime64(self.boundary.first, "M")).astype(int)
            anomalies = self.boundary.anomalies[since.clip(0, len(self.boundary.anomalies) - 1)]
            sea = sea + np.where(self.boundary.field("icec")[rows] >= MOST_ICE, 0.0, anomalies)
        sea = sea + self.pattern * _open(sea)
        begin = months.astype("datetime64[s]")
        middle = begin + ((months + 1).astype("datetime64[s]") - begin) // 2
        climatology = self.boundary.climatology
        out = climatology[list(_VARYING)].isel(time=rows).assign_coords(time=middle)
        out["sst"] = ("time", "lat", "lon"), sea
        out["sst"] = out["sst"].transpose("lon", "lat", "time").astype(np.float32)
        out["alb"] = climatology["alb"]
        return out

    def monthly(self, surface: xr.Dataset, year: int) -> Float:
        """Return monthly SST as seen by the model.

        Parameters
        ----------
        surface : Dataset
            From :meth:`surface`.
        year : int

        Returns
        -------
        ndarray, shape (12, lat, lon)
            Daily values averaged, K; the freezing point under ice, missing over land.
        """
        days = np.arange(f"{year:04d}-01-01", f"{year + 1:04d}-01-01", dtype="datetime64[D]")
        noon = days.astype("datetime64[s]") + np.timedelta64(12, "h")
        daily = surface["sst"].transpose("time", "lat", "lon").interp(time=noon).to_numpy()
        daily = np.maximum(daily, KELVIN + FREEZING)
        months = days.astype("datetime64[M]").astype(int) % 12
        mean = np.stack([daily[months == i].mean(axis=0) for i in range(12)])
        return np.where(self.boundary.land < 0.5, mean, np.nan)


def _open(kelvin: Float) -> Float:
    """Fraction of a change applied: 0 at the freezing point, 1 from a degree above."""
    return np.asarray(np.clip((kelvin - KELVIN - FREEZING) / (OPEN - FREEZING), 0.0, 1.0))

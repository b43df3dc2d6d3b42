"""Adapter of SPEEDY in the package ``jcm``, run a day at a time.

Model, land, sea, restart and clock are the package's own.
"""

from __future__ import annotations

import os
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.simulate import SimulationError
from mlda_core.simulate.diagnostics import on_pressure, sea_level_pressure

Float = NDArray[np.float64]

# Sea-level pressure of the initial state, Pa.
STANDARD_PRESSURE = 101_325.0
_STATE = ("normalized_surface_pressure", "temperature", "geopotential", "u_wind", "v_wind")
_AIR = "_surface_flux.t0"  # near-surface air temperature of a time step


def name() -> str:
    """Return the model's name and version."""
    return f"SPEEDY in JAX, jcm {version('jcm')}"


def one_thread() -> None:
    """Restrict the model to one core, unless it is imported already or the user set a number.

    Running members in parallel processes uses many cores better.
    """
    # XLA's thread pool: two threads on a busy core mostly wait for each other.
    os.environ.setdefault("NPROC", "1")
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")


class Gcm:
    """The model, in a resting state on a given day.

    The first day takes longer, as it is compiled.

    Parameters
    ----------
    start : str
        ``YYYY-MM-DD`` of the initial state.
    """

    def __init__(self, start: str) -> None:
        from jcm.constants import physical_constants
        from jcm.model import Model
        from jcm.physics.speedy.speedy_coords import get_speedy_coords
        from jcm.terrain import TerrainData

        coords = get_speedy_coords()
        terrain_file = str(files("jcm.data.bc") / "t30/clim/terrain.nc")
        terrain = TerrainData.from_coords(coords, terrain_file=terrain_file)
        self.model = Model(coords=coords, terrain=terrain, start_time=start)
        self.model.bootstrap_state()
        self.sigma = np.asarray(coords.vertical.centers, np.float64)
        self.standard_pressure = float(physical_constants.p0)
        self.gravity = float(physical_constants.grav)
        # The resting state is dry and isothermal: the height of its lowest level gives exactly the
        # surface height of the dynamics.
        rest = self.model.dycore.to_physics_state(self.model.dycore_state)
        low = int(self.sigma.argmax())
        depth = physical_constants.rd * _maps(rest.temperature)[low] / self.gravity
        self.height = _maps(rest.geopotential)[low] / self.gravity + depth * np.log(self.sigma[low])
        # The package's initial state has 1000 hPa everywhere, mountains too: 15 hPa too much air.
        self._rest_pressure = STANDARD_PRESSURE * np.exp(-self.height / depth)

    def rest(self, seed: int) -> None:
        """Reset to the initial state: at rest, with small noise.

        Parameters
        ----------
        seed : int
            Of the noise.
        """
        air = self.model.dycore.to_physics_state(self.model.initial_state(random_seed=seed))
        pressure = air.normalized_surface_pressure * (self._rest_pressure / STANDARD_PRESSURE).T
        pressure = pressure * (STANDARD_PRESSURE / self.standard_pressure)
        self.model.bootstrap_state(air.copy(normalized_surface_pressure=pressure))

    @property
    def date(self) -> np.datetime64:
        """The next day to simulate."""
        clock: Any = self.model.run_state.time
        return np.datetime64(int(clock.delta.days), "D")

    def forcing(self, surface: xr.Dataset) -> Any:
        """Return the argument of :meth:`day`, from fields interpolated in time.

        Parameters
        ----------
        surface : Dataset
            From :meth:`mlda_core.simulate.sea.Sea.surface`.
        """
        from jcm.forcing import ForcingData

        return ForcingData.from_dataset(surface, align_mode="by_date_interp")

    def day(self, forcing: Any) -> dict[str, Float]:
        """Simulate one day.

        Parameters
        ----------
        forcing : ForcingData
            From :meth:`forcing`; it must cover the day.

        Returns
        -------
        dict of str to ndarray of shape (lat, lon)
            Daily means, CF names and units: all of a year's file except SST.

        Raises
        ------
        SimulationError
            If the model blew up.
        """
        today = self.date
        made = self._simulate(forcing)
        mean = SimpleNamespace(**{name: getattr(made.dynamics, name)[0] for name in _STATE})
        return self._fields(mean, _maps(made.physics["_surface_flux"].t0[0]), made, today)

    def state(self, forcing: Any) -> dict[str, Float]:
        """Simulate one day, and return the state at its end.

        Parameters
        ----------
        forcing : ForcingData
            From :meth:`forcing`; it must cover the day.

        Returns
        -------
        dict of str to ndarray of shape (lat, lon)
            CF names and units: the state at 00 UTC of the next day, but ``pr`` is the mean of the
            day simulated, and ``tas`` that of its last time step: a diagnostic of the step, which
            the model's state does not hold.

        Raises
        ------
        SimulationError
            If the model blew up.
        """
        today = self.date
        made = self._simulate(forcing, snapshot_interval="1D", snapshot_variables=(_AIR,))
        last = made.snapshot_dataset()[_AIR.replace(".", "_")].isel(snap_time=-1)
        air = self.model.dycore.to_physics_state(self.model.dycore_state)
        return self._fields(air, np.asarray(last.transpose("lat", "lon"), np.float64), made, today)

    def _simulate(self, forcing: Any, **more: Any) -> Any:
        """Simulate one day; return its means."""
        return self.model.resume(
            forcing=forcing, save_interval="1D", total_time="1D", output_averages=True, **more
        )

    def _fields(self, air: Any, tas: Float, made: Any, today: np.datetime64) -> dict[str, Float]:
        """Return the fields of a state, or of the mean over a day, in CF names and units."""
        surface = self.standard_pressure * _maps(air.normalized_surface_pressure)
        temperature, low = _maps(air.temperature), int(self.sigma.argmax())
        out = {
            "psl": sea_level_pressure(
                surface, temperature[low], self.height, float(self.sigma[low])
            ),
            "tas": tas,
            "pr": _maps(made.physics["surface_exchange"].precipitation[0]),
        }
        for key, level, field in (
            ("zg500", 5e4, _maps(air.geopotential) / self.gravity),
            ("ua850", 8.5e4, _maps(air.u_wind)),
            ("va850", 8.5e4, _maps(air.v_wind)),
        ):
            out[key] = on_pressure(field, surface, self.sigma, level)
        if not all(np.isfinite(v).all() for v in out.values()):
            raise SimulationError(
                f"The model blew up on {today}: leave this member out, or lower the changes of "
                "the sea."
            )
        return out

    def save(self, path: Path) -> None:
        """Write a restart file, atomically.

        Parameters
        ----------
        path : Path
        """
        from jcm.checkpoint import save_checkpoint

        save_checkpoint(self.model, path)

    def load(self, path: Path) -> None:
        """Resume from a restart file.

        Parameters
        ----------
        path : Path

        Raises
        ------
        SimulationError
            If it cannot be read.
        """
        from jcm.checkpoint import load_checkpoint

        try:
            load_checkpoint(self.model, path)
        except ValueError as error:
            raise SimulationError(
                f"{path} is no state to go on from; delete it, and the run begins further back."
            ) from error


def _maps(field: Any) -> Float:
    """Transpose a field from (..., lon, lat) to (..., lat, lon)."""
    return np.swapaxes(np.asarray(field, np.float64), -1, -2)

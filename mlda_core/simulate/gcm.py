"""SPEEDY as the package ``jcm`` runs it, a day at a time.

All that is here is a seam: model, land, sea, restart and clock are the package's own.
"""

from __future__ import annotations

import os
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.simulate import SimulationError
from mlda_core.simulate.diagnostics import on_pressure, sea_level_pressure

Float = NDArray[np.float64]

# Pa at sea level, of the air that the model starts with.
STANDARD_PRESSURE = 101_325.0


def name() -> str:
    """Return the model's name and version."""
    return f"SPEEDY in JAX, jcm {version('jcm')}"


def one_thread() -> None:
    """Keep the model to one core, where it is not imported yet and nobody has said otherwise.

    Members run beside each other, one a process, make better use of many.
    """
    # XLA's pool of threads: two on a busy core wait for each other more than they work.
    os.environ.setdefault("NPROC", "1")
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")


class Gcm:
    """The model, at rest on a day.

    Its first day takes longer: it is compiled.

    Parameters
    ----------
    start : str
        ``YYYY-MM-DD`` on which it starts from rest.
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
        # Air at rest is dry and of one temperature: there the height of the lowest level tells the
        # height of the ground exactly, as the dynamics have it.
        rest = self.model.dycore.to_physics_state(self.model.dycore_state)
        low = int(self.sigma.argmax())
        depth = physical_constants.rd * _maps(rest.temperature)[low] / self.gravity
        self.height = _maps(rest.geopotential)[low] / self.gravity + depth * np.log(self.sigma[low])
        # The package's own start has 1000 hPa on every ground, mountains too: 15 hPa too much air.
        self._rest_pressure = STANDARD_PRESSURE * np.exp(-self.height / depth)

    def rest(self, seed: int) -> None:
        """Go back to the start: at rest, with small noise.

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
        """The day that comes next."""
        clock: Any = self.model.run_state.time
        return np.datetime64(int(clock.delta.days), "D")

    def forcing(self, surface: xr.Dataset) -> Any:
        """Return what :meth:`day` wants, from fields that are interpolated between their dates.

        Parameters
        ----------
        surface : Dataset
            Of :meth:`mlda_core.simulate.sea.Sea.surface`.
        """
        from jcm.forcing import ForcingData

        return ForcingData.from_dataset(surface, align_mode="by_date_interp")

    def day(self, forcing: Any) -> dict[str, Float]:
        """Simulate a day.

        Parameters
        ----------
        forcing : ForcingData
            Of :meth:`forcing`; it must span the day.

        Returns
        -------
        dict of str to ndarray of shape (lat, lon)
            The day's means, CF names and units: all of a year's file but the sea's.

        Raises
        ------
        SimulationError
            If the model blew up.
        """
        today = self.date
        made = self.model.resume(
            forcing=forcing, save_interval="1D", total_time="1D", output_averages=True
        )
        air = made.dynamics
        surface = self.standard_pressure * _maps(air.normalized_surface_pressure[0])
        temperature, low = _maps(air.temperature[0]), int(self.sigma.argmax())
        out = {
            "psl": sea_level_pressure(
                surface, temperature[low], self.height, float(self.sigma[low])
            ),
            "tas": _maps(made.physics["_surface_flux"].t0[0]),
            "pr": _maps(made.physics["surface_exchange"].precipitation[0]),
        }
        for key, level, field in (
            ("zg500", 5e4, _maps(air.geopotential[0]) / self.gravity),
            ("ua850", 8.5e4, _maps(air.u_wind[0])),
            ("va850", 8.5e4, _maps(air.v_wind[0])),
        ):
            out[key] = on_pressure(field, surface, self.sigma, level)
        if not all(np.isfinite(v).all() for v in out.values()):
            raise SimulationError(
                f"The model blew up on {today}: leave this member out, or lower the changes of "
                "the sea."
            )
        return out

    def save(self, path: Path) -> None:
        """Write what a run goes on from; the file appears once it is whole.

        Parameters
        ----------
        path : Path
        """
        from jcm.checkpoint import save_checkpoint

        save_checkpoint(self.model, path)

    def load(self, path: Path) -> None:
        """Go on from a file of :meth:`save`.

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
    """Return a field of (..., lon, lat) as one of (..., lat, lon)."""
    return np.swapaxes(np.asarray(field, np.float64), -1, -2)

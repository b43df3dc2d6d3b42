"""A cycled run as CF netCDF, written as it runs: one that was stopped goes on to the same bits."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.bundle.bundle import Bundle
from mlda_core.climate.cf import coordinates
from mlda_core.climate.errors import UserError
from mlda_core.cycling.cycle import Cycle, CycledStep
from mlda_core.cycling.method import Estimate

Float = NDArray[np.float32]
# The global attribute that says how the run was begun.
_SETTINGS = "settings"
_DIMS = ("time", "lat", "lon")


class RunFile:
    """The netCDF file of a run.

    Until the run is complete it is ``PATH.part``, and ``PATH.state.npz`` beside it holds what the
    method carries; that is written after the fields of its time, so nothing is ever missing.

    Parameters
    ----------
    path : Path
    bundle : Bundle
    times : ndarray of datetime64
        Of all cycles, the start included.
    settings : mapping
        Plain JSON values that make the run what it is.
    attributes : mapping of str to str
        Other global attributes.

    Raises
    ------
    UserError
        If a run with other settings was begun there.
    """

    def __init__(
        self,
        path: Path,
        bundle: Bundle,
        times: NDArray[np.datetime64],
        settings: Mapping[str, Any],
        attributes: Mapping[str, str],
    ) -> None:
        self.path, self.bundle, self.times = path, bundle, times
        self.part = path.with_name(path.name + ".part")
        self.state = path.with_name(path.name + ".state.npz")
        said = json.dumps(settings, sort_keys=True)
        if self.part.exists() and self.state.exists():
            self._check(said)
        else:
            self.state.unlink(missing_ok=True)
            self._lay_out({**attributes, _SETTINGS: said})

    def _check(self, said: str) -> None:
        """Refuse to go on with a run that was begun otherwise."""
        with netCDF4.Dataset(self.part) as file:
            before = json.loads(str(file.getncattr(_SETTINGS)))
        now = json.loads(said)
        for name in sorted(before.keys() | now.keys()):
            if before.get(name) != now.get(name):
                raise UserError(
                    f"{self.part} was begun with {name} {before.get(name)!r}, not "
                    f"{now.get(name)!r}; give the same again, another --out, or delete it."
                )

    def _lay_out(self, attributes: Mapping[str, str]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        step = self.bundle.seasons.step
        head = xr.Dataset(
            coords=coordinates(self.bundle.grid, self.times, step),
            attrs={"Conventions": "CF-1.11", **attributes},
        )
        head.to_netcdf(self.part)
        with netCDF4.Dataset(self.part, "a") as file:
            for variable in self.bundle.variables:
                names = {"standard_name": variable.standard_name, "units": variable.units}
                for name, label in (("", "analysis"), ("_background", "background")):
                    made = _field(file, variable.name + name)
                    made.setncatts({**names, "long_name": f"{variable.label}, {label}"})
                made = _field(file, f"{variable.name}_spread")
                made.setncatts(
                    {
                        "standard_name": f"{variable.standard_name} standard_error",
                        "long_name": f"{variable.label}, standard deviation of the analysis",
                        "units": variable.units,
                    }
                )

    def resume(self, cycle: Cycle) -> None:
        """Let a cycle go on where the file's run was stopped; nothing if it is new.

        Raises
        ------
        UserError
            If what the method carried cannot be read.
        """
        if not self.state.exists():
            return
        try:
            with np.load(self.state, allow_pickle=False) as kept:
                state = {name: kept[name] for name in kept.files}
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise UserError(
                f"{self.state} cannot be read ({error}); delete it to begin the run anew."
            ) from error
        cycle.resume(state)

    def steps(self, cycle: Cycle) -> Iterator[CycledStep]:
        """Run a cycle to its end, and write each time before it is yielded."""
        with netCDF4.Dataset(self.part, "a") as file:
            for step in cycle.run():
                self._write(file, step)
                file.sync()
                self._keep(cycle.state())
                yield step
        self.part.replace(self.path)
        self.state.unlink()

    def _keep(self, state: Mapping[str, NDArray[Any]]) -> None:
        part = self.state.with_name(self.state.name + ".part")
        with part.open("wb") as file:
            np.savez(file, **dict(state))  # type: ignore[arg-type]
        part.replace(self.state)

    def _write(self, file: netCDF4.Dataset, step: CycledStep) -> None:
        season = self.bundle.seasons.of_time(self.times[step.cycle])
        analysis, background = (
            self._fields(estimate, season) for estimate in (step.analysis, step.background)
        )
        spread = self._spread(step.analysis, season)
        for v, variable in enumerate(self.bundle.variables):
            # Display units are the file's times a scale, plus an offset.
            for name, fields in (("", analysis), ("_background", background)):
                values = (fields[v] - variable.offset) / variable.scale
                file.variables[variable.name + name][step.cycle] = values
            if spread is not None:
                file.variables[f"{variable.name}_spread"][step.cycle] = spread[v] / variable.scale

    def _fields(self, estimate: Estimate, season: NDArray[np.int64]) -> Float:
        """Return full fields of a mean, (V, lat, lon), display units, NaN outside the domain."""
        x = estimate.mean.reshape(1, *self.bundle.mask.shape)
        fields = self.bundle.normaliser.restore(x, season)[0]
        for v, variable in enumerate(self.bundle.variables):
            if variable.non_negative:
                fields[v] = np.maximum(fields[v], 0.0)
        return np.where(self.bundle.mask, fields, np.nan).astype(np.float32)

    def _spread(self, estimate: Estimate, season: NDArray[np.int64]) -> Float | None:
        """Return the standard deviations, (V, lat, lon), display units; None without any."""
        if estimate.sd is None:
            return None
        sd = estimate.sd.reshape(1, *self.bundle.mask.shape)
        normaliser = self.bundle.normaliser
        x = estimate.mean.reshape(sd.shape)
        # Through the transform of a variable, from one standard deviation below to one above.
        wide = normaliser.restore(x + sd, season) - normaliser.restore(x - sd, season)
        return np.where(self.bundle.mask, wide[0] / 2.0, np.nan).astype(np.float32)


def _field(file: netCDF4.Dataset, name: str) -> netCDF4.Variable[Any]:
    sizes = tuple(len(file.dimensions[dim]) for dim in _DIMS)
    return file.createVariable(
        name, "f4", _DIMS, zlib=True, complevel=1, shuffle=True, fill_value=np.float32(np.nan),
        chunksizes=(1, *sizes[1:]),
    )  # fmt: skip

"""Conversion between physical fields and the standardised anomalies that the networks use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.annual_cycle import (
    Cycle,
    HarmonicCycle,
    at_least,
    mean_cycle,
    seasons_in,
    spread_cycle,
    stacked,
)
from mlda_core.climate.grid import Grid
from mlda_core.climate.seasons import MONTHLY, Seasons
from mlda_core.climate.transforms import GammaNormal, Identity, Power, Transform, rebuild
from mlda_core.climate.variables import Variable

Float = NDArray[np.floating]
# Gauss-Hermite nodes for the mean of a nonlinear inverse transform over a normal distribution: 5
# are exact for the cube, and rain's mean is within 0.01 mm/day of 41 nodes.
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
_NODE_WEIGHTS = _NODE_WEIGHTS / _NODE_WEIGHTS.sum()


@dataclass(frozen=True, eq=False)
class Preprocessor:
    """Climatology, transform and spread of every variable, per season and cell.

    Fields are in display units here (hPa, degC, mm/day): :func:`to_display` converts canonical
    ones. Arrays are ordered (variable, lat, lon), with leading samples; missing cells are NaN. A
    season is a calendar month, 1..12, or a day of a leap year, 1..366, of daily fields.

    Parameters
    ----------
    variables : tuple of Variable
        In the order of the arrays.
    grid : Grid
        Horizontal grid.
    mask : ndarray of bool, shape (V, lat, lon)
        True where the variable exists.
    climatology : Cycle, shape (seasons, V, lat, lon)
        Means of the fields themselves by season; anomalies are departures from it.
    centre, spread : Cycle, shape (seasons, V, lat, lon)
        Mean and standard deviation of the transformed fields; the spread has a floor.
    transforms : tuple of Transform
        One for each variable.
    """

    variables: tuple[Variable, ...]
    grid: Grid
    mask: NDArray[np.bool_]
    climatology: Cycle
    centre: Cycle
    spread: Cycle
    transforms: tuple[Transform, ...]

    @classmethod
    def fit(
        cls,
        fields: Float,
        seasons: NDArray[np.int64],
        variables: Sequence[Variable],
        grid: Grid,
        *,
        of: Seasons = MONTHLY,
        power: float = 1 / 3,
        floor: float = 0.1,
        least: int = 2,
    ) -> Preprocessor:
        """Fit on training samples.

        Parameters
        ----------
        fields : ndarray, shape (n, V, lat, lon)
            Display units, NaN where missing.
        seasons : ndarray of int, shape (n,)
            Seasons of the samples.
        variables : sequence of Variable
            Variables of the fields, in order.
        grid : Grid
            Their grid.
        of : Seasons
            Whether these are months or days.
        power : float
            Exponent of the ``power`` transform.
        floor : float
            Least spread, as a fraction of the variable's area-mean spread over its own cells:
            under permanent ice the spread of SST is zero, and dividing by it amplifies noise.
        least : int
            Least number of values of a cell in each calendar month, or half of its samples if
            these are fewer than twice as many; a cell with fewer is masked out of the variable.
            Cells that are always present or always missing are not affected.

        Raises
        ------
        ValueError
            If a calendar month has fewer than two samples, no cell of a variable has enough
            values, or its transform is unknown.
        """
        index = seasons - 1
        month = of.calendar_months(seasons) - 1
        counts = np.bincount(month, minlength=12)
        if counts.min() < 2:
            raise ValueError(
                f"Calendar month {int(counts.argmin()) + 1} has {int(counts.min())} training "
                f"{of.step.plural}; a spread needs at least two: give more years."
            )
        mask = np.ones(fields.shape[1:], dtype=bool)
        for m in range(12):
            there = np.isfinite(fields[month == m]).sum(axis=0)
            mask &= there >= max(2, min(least, (int(counts[m]) + 1) // 2))
        for v, variable in enumerate(variables):
            if not mask[v].any():
                raise ValueError(
                    f"Variable '{variable.name}' has no value in the training {of.step.plural}, or "
                    "too few in some calendar month; leave it out of the model."
                )
        climatology, centre, spread = [], [], []
        transforms: list[Transform] = []
        for v, variable in enumerate(variables):
            values = fields[:, v].astype(np.float64)
            transform: Transform = Identity()
            if variable.transform == "power":
                transform = Power(power)
            elif variable.transform == "gamma":
                transform = GammaNormal.fit(values, month)
            elif variable.transform != "none":
                raise ValueError(
                    f"Variable '{variable.name}' asks for the transform '{variable.transform}'; "
                    "use none, power or gamma."
                )
            transforms.append(transform)
            moved = transform.forward(values, month)
            climatology.append(mean_cycle(values, index, of))
            centre.append(mean_cycle(moved, index, of))
            own = spread_cycle(moved - centre[-1][index], index, of)
            w = grid.weights * mask[v]
            typical = np.nansum(np.asarray(own) * w, axis=(1, 2)) / w.sum()
            spread.append(at_least(own, floor * typical.mean()))
        return cls(
            tuple(variables),
            grid,
            mask,
            stacked(climatology, mask),
            stacked(centre, mask),
            stacked(spread, mask),
            tuple(transforms),
        )

    @cached_property
    def seasons(self) -> Seasons:
        """Whether its seasons are calendar months or days."""
        return seasons_in(self.climatology)

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """Cell areas where each variable exists, each variable summing to 1, (V, lat, lon)."""
        w = self.grid.weights * self.mask
        return np.asarray(w / w.sum(axis=(1, 2), keepdims=True))

    def standardise(self, fields: Float, seasons: NDArray[np.int64]) -> NDArray[np.float64]:
        """Turn display-unit fields (n, V, lat, lon) into standardised anomalies.

        Parameters
        ----------
        fields : ndarray, shape (n, V, lat, lon)
            Full fields, display units.
        seasons : ndarray of int, shape (n,)
        """
        index, month = seasons - 1, self.seasons.calendar_months(seasons) - 1
        out = np.empty(fields.shape, dtype=np.float64)
        for v, transform in enumerate(self.transforms):
            out[:, v] = transform.forward(fields[:, v].astype(np.float64), month)
        return (out - self.centre[index]) / self.spread[index]

    def restore(
        self, x: Float, seasons: NDArray[np.int64], *, sd: Float | None = None
    ) -> NDArray[np.float64]:
        """Turn standardised anomalies back into display-unit fields.

        Parameters
        ----------
        x : ndarray, shape (n, V, lat, lon)
            Standardised anomalies.
        seasons : ndarray of int, shape (n,)
        sd : ndarray, broadcast to ``x``, optional
            Standard deviation of ``x``. If given, the mean over that normal distribution is
            returned, not the transform of the mean: rain's transform is nonlinear, and the
            transform of the mean underestimates it.
        """
        index, month = seasons - 1, self.seasons.calendar_months(seasons) - 1
        spread = self.spread[index]
        moved = x * spread + self.centre[index]
        out = np.empty(x.shape, dtype=np.float64)
        for v, transform in enumerate(self.transforms):
            if sd is None or isinstance(transform, Identity):
                out[:, v] = transform.inverse(moved[:, v], month)
                continue
            width = (np.broadcast_to(sd, x.shape) * spread)[:, v]
            out[:, v] = sum(
                w * transform.inverse(moved[:, v] + node * width, month)
                for node, w in zip(_NODES, _NODE_WEIGHTS, strict=True)
            )
        return out

    def anomalies(self, fields: Float, seasons: NDArray[np.int64]) -> NDArray[np.float64]:
        """Subtract the climatology: anomalies in display units, shape as ``fields``."""
        return np.asarray(fields - self.climatology[seasons - 1])

    def to_dataset(self) -> xr.Dataset:
        """Return all fitted quantities as a Dataset (``normaliser.nc`` of a bundle)."""
        fields = ("variable", "lat", "lon")
        out = xr.Dataset(
            {"mask": (fields, self.mask.astype(np.int8))},
            coords={
                "variable": [v.name for v in self.variables],
                "lat": self.grid.lat,
                "lon": self.grid.lon,
            },
        )
        for name in ("climatology", "centre", "spread"):
            cycle = getattr(self, name)
            if isinstance(cycle, HarmonicCycle):
                out[name] = (("harmonic", *fields), cycle.coefficients.astype(np.float32))
                if cycle.least is not None:
                    out[f"{name}_least"] = (fields, cycle.least.astype(np.float32))
            else:
                out = out.assign_coords(month=np.arange(1, 13))
                out[name] = (("month", *fields), cycle.astype(np.float32))
        for variable, transform in zip(self.variables, self.transforms, strict=True):
            for name, array in transform.to_arrays().items():
                d = ("month", "lat", "lon") if array.ndim == 3 else ()
                out[f"{variable.name}_{name}"] = (d, array)
        return out

    @classmethod
    def from_arrays(
        cls, data: Mapping[str, NDArray], variables: Sequence[Variable]
    ) -> Preprocessor:
        """Rebuild from the arrays of :meth:`to_dataset`, by name.

        Plain arrays, not a Dataset: building one imports Dask, most of a bundle's loading time.

        Raises
        ------
        ValueError
            If the arrays' variables are not those given.
        """
        names = [str(n) for n in data["variable"]]
        if names != [v.name for v in variables]:
            raise ValueError(
                f"The normaliser is for {', '.join(names)}, not "
                f"{', '.join(v.name for v in variables)}; take both from one training."
            )
        transforms = []
        for variable in variables:
            head = f"{variable.name}_"
            arrays = {
                k[len(head) :]: np.asarray(values, dtype=np.float64)
                for k, values in data.items()
                if k.startswith(head)
            }
            transforms.append(rebuild(variable.transform, arrays))
        return cls(
            tuple(variables),
            Grid(data["lat"], data["lon"]),
            data["mask"].astype(bool),
            _cycle(data, "climatology"),
            _cycle(data, "centre"),
            _cycle(data, "spread"),
            tuple(transforms),
        )


def _cycle(data: Mapping[str, NDArray], name: str) -> Cycle:
    """Rebuild a cycle: a table of months, or harmonics (of squares, where it is a spread)."""
    values = data[name].astype(np.float64)
    if "month" in data:
        return values
    least = data.get(f"{name}_least")
    return HarmonicCycle(
        values, None if least is None else least.astype(np.float64), of_squares=name == "spread"
    )


def to_display(data: Mapping[str, NDArray], variables: Sequence[Variable]) -> NDArray[np.float32]:
    """Stack canonical fields into display units.

    Parameters
    ----------
    data : mapping of name to ndarray, shape (..., lat, lon)
        Canonical units.
    variables : sequence of Variable
        The order of the result.

    Returns
    -------
    ndarray of float32, shape (..., V, lat, lon)
    """
    stacked = [np.asarray(data[v.name], np.float32) * v.scale + v.offset for v in variables]
    return np.stack(stacked, axis=-3).astype(np.float32)


def samples(
    data: xr.Dataset, variables: Sequence[Variable]
) -> tuple[NDArray[np.float32], NDArray[np.datetime64], NDArray[np.int64]]:
    """Flatten a canonical dataset to samples, dropping months without any value.

    Returns
    -------
    fields : ndarray of float32, shape (n, V, lat, lon)
        Display units.
    time : ndarray of datetime64, shape (n,)
    member : ndarray of int, shape (n,)
    """
    fields = to_display({v.name: data[v.name].values for v in variables}, variables)
    n_member, n_time = fields.shape[:2]
    flat = fields.reshape(n_member * n_time, *fields.shape[2:])
    time = np.tile(data["time"].values, n_member)
    member = np.repeat(data["member"].values, n_time)
    keep = np.isfinite(flat).any(axis=(1, 2, 3))
    return flat[keep], time[keep], member[keep]

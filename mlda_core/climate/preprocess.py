"""Conversion between physical fields and the standardised anomalies that the networks use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.grid import Grid
from mlda_core.climate.transforms import GammaNormal, Identity, Power, Transform, rebuild
from mlda_core.climate.variables import Variable

Float = NDArray[np.floating]
# Gauss-Hermite nodes for the mean of a nonlinear inverse transform over a normal distribution: 5
# are exact for the cube, and rain's mean is within 0.01 mm/day of 41 nodes.
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
_NODE_WEIGHTS = _NODE_WEIGHTS / _NODE_WEIGHTS.sum()


@dataclass(frozen=True, eq=False)
class Preprocessor:
    """Climatology, transform and spread of every variable, per calendar month and cell.

    Fields are in display units here (hPa, degC, mm/day): :func:`to_display` converts canonical
    ones. Arrays are ordered (variable, lat, lon), with leading samples; missing cells are NaN.

    Parameters
    ----------
    variables : tuple of Variable
        In the order of the arrays.
    grid : Grid
        Horizontal grid.
    mask : ndarray of bool, shape (V, lat, lon)
        True where the variable exists.
    climatology : ndarray, shape (12, V, lat, lon)
        Monthly means of the fields themselves; anomalies are departures from it.
    centre, spread : ndarray, shape (12, V, lat, lon)
        Mean and standard deviation of the transformed fields; the spread has a floor.
    transforms : tuple of Transform
        One for each variable.
    """

    variables: tuple[Variable, ...]
    grid: Grid
    mask: NDArray[np.bool_]
    climatology: Float
    centre: Float
    spread: Float
    transforms: tuple[Transform, ...]

    @classmethod
    def fit(
        cls,
        fields: Float,
        months: NDArray[np.int64],
        variables: Sequence[Variable],
        grid: Grid,
        *,
        power: float = 1 / 3,
        floor: float = 0.1,
        least: int = 2,
    ) -> Preprocessor:
        """Fit on training samples.

        Parameters
        ----------
        fields : ndarray, shape (n, V, lat, lon)
            Display units, NaN where missing.
        months : ndarray of int, shape (n,)
            Calendar months 1..12.
        variables : sequence of Variable
            Variables of the fields, in order.
        grid : Grid
            Their grid.
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
        index = months - 1
        counts = np.bincount(index, minlength=12)
        if counts.min() < 2:
            raise ValueError(
                f"Calendar month {int(counts.argmin()) + 1} has {int(counts.min())} training "
                "months; a spread needs at least two: give more years."
            )
        mask = np.ones(fields.shape[1:], dtype=bool)
        for m in range(12):
            there = np.isfinite(fields[index == m]).sum(axis=0)
            mask &= there >= max(2, min(least, (int(counts[m]) + 1) // 2))
        for v, variable in enumerate(variables):
            if not mask[v].any():
                raise ValueError(
                    f"Variable '{variable.name}' has no value in the training months, or too few "
                    "in some calendar month; leave it out of the model."
                )
        shape = (12, len(variables), *grid.shape)
        climatology, centre, spread = (np.full(shape, np.nan) for _ in range(3))
        transforms: list[Transform] = []
        for v, variable in enumerate(variables):
            values = fields[:, v].astype(np.float64)
            transform: Transform = Identity()
            if variable.transform == "power":
                transform = Power(power)
            elif variable.transform == "gamma":
                transform = GammaNormal.fit(values, index)
            elif variable.transform != "none":
                raise ValueError(
                    f"Variable '{variable.name}' asks for the transform '{variable.transform}'; "
                    "use none, power or gamma."
                )
            transforms.append(transform)
            moved = transform.forward(values, index)
            for m in range(12):
                here = index == m
                climatology[m, v] = _nanmean(values[here])
                centre[m, v] = _nanmean(moved[here])
                spread[m, v] = np.sqrt(_nanmean((moved[here] - centre[m, v]) ** 2))
            w = grid.weights * mask[v]
            typical = np.nansum(spread[:, v] * w, axis=(1, 2)) / w.sum()
            spread[:, v] = np.maximum(spread[:, v], floor * typical.mean())
            for statistic in (climatology, centre, spread):
                statistic[:, v, ~mask[v]] = np.nan
        return cls(tuple(variables), grid, mask, climatology, centre, spread, tuple(transforms))

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """Cell areas where each variable exists, each variable summing to 1, (V, lat, lon)."""
        w = self.grid.weights * self.mask
        return np.asarray(w / w.sum(axis=(1, 2), keepdims=True))

    def standardise(self, fields: Float, months: NDArray[np.int64]) -> NDArray[np.float64]:
        """Turn display-unit fields (n, V, lat, lon) into standardised anomalies.

        Parameters
        ----------
        fields : ndarray, shape (n, V, lat, lon)
            Full fields, display units.
        months : ndarray of int, shape (n,)
            Calendar months 1..12.
        """
        index = months - 1
        out = np.empty(fields.shape, dtype=np.float64)
        for v, transform in enumerate(self.transforms):
            out[:, v] = transform.forward(fields[:, v].astype(np.float64), index)
        return (out - self.centre[index]) / self.spread[index]

    def restore(
        self, x: Float, months: NDArray[np.int64], *, sd: Float | None = None
    ) -> NDArray[np.float64]:
        """Turn standardised anomalies back into display-unit fields.

        Parameters
        ----------
        x : ndarray, shape (n, V, lat, lon)
            Standardised anomalies.
        months : ndarray of int, shape (n,)
            Calendar months 1..12.
        sd : ndarray, broadcast to ``x``, optional
            Standard deviation of ``x``. If given, the mean over that normal distribution is
            returned, not the transform of the mean: rain's transform is nonlinear, and the
            transform of the mean underestimates it.
        """
        index = months - 1
        moved = x * self.spread[index] + self.centre[index]
        out = np.empty(x.shape, dtype=np.float64)
        for v, transform in enumerate(self.transforms):
            if sd is None or isinstance(transform, Identity):
                out[:, v] = transform.inverse(moved[:, v], index)
                continue
            width = (np.broadcast_to(sd, x.shape) * self.spread[index])[:, v]
            out[:, v] = sum(
                w * transform.inverse(moved[:, v] + node * width, index)
                for node, w in zip(_NODES, _NODE_WEIGHTS, strict=True)
            )
        return out

    def anomalies(self, fields: Float, months: NDArray[np.int64]) -> NDArray[np.float64]:
        """Subtract the monthly climatology: anomalies in display units, shape as ``fields``."""
        return np.asarray(fields - self.climatology[months - 1])

    def to_dataset(self) -> xr.Dataset:
        """Return all fitted quantities as a Dataset (``normaliser.nc`` of a bundle)."""
        dims = ("month", "variable", "lat", "lon")
        out = xr.Dataset(
            {
                "mask": (dims[1:], self.mask.astype(np.int8)),
                "climatology": (dims, self.climatology.astype(np.float32)),
                "centre": (dims, self.centre.astype(np.float32)),
                "spread": (dims, self.spread.astype(np.float32)),
            },
            coords={
                "month": np.arange(1, 13),
                "variable": [v.name for v in self.variables],
                "lat": self.grid.lat,
                "lon": self.grid.lon,
            },
        )
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
            data["climatology"].astype(np.float64),
            data["centre"].astype(np.float64),
            data["spread"].astype(np.float64),
            tuple(transforms),
        )


def _nanmean(values: Float) -> NDArray[np.float64]:
    """Mean over samples, NaN for empty cells, without numpy's warning."""
    good = np.isfinite(values)
    count = good.sum(axis=0)
    total = np.where(good, values, 0.0).sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


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

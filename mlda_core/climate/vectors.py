"""Vector variables (pairs of components), and the geostrophic wind of a height."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.grid import Grid
from mlda_core.climate.variables import Variable

Pair = tuple[str, str]


def check_vectors(given: Any, variables: Sequence[Variable]) -> tuple[Pair, ...]:
    """Validate pairs of variables that are drawn as vectors.

    Parameters
    ----------
    given : list of [str, str]
        From the configuration: eastward component first, then northward.
    variables : sequence of Variable
        Those of the model.

    Returns
    -------
    tuple of (str, str)

    Raises
    ------
    ValueError
        If a pair is malformed, names a variable that is not in the model or in another pair, or
        its components differ in units or domain.
    """
    by_name = {v.name: v for v in variables}
    if not isinstance(given, list | tuple):
        raise ValueError(
            f"vectors is {given!r}; write a list of pairs such as [['ua850', 'va850']]."
        )
    pairs: list[Pair] = []
    taken: set[str] = set()
    for one in given:
        if not (
            isinstance(one, list | tuple) and len(one) == 2 and all(isinstance(n, str) for n in one)
        ):
            raise ValueError(
                f"vectors holds {one!r}; a vector is two names, the eastward component first, such "
                "as ['ua850', 'va850']."
            )
        for name in one:
            if name not in by_name:
                raise ValueError(
                    f"vectors names '{name}', which the model has not; it has {', '.join(by_name)}."
                )
            if name in taken:
                raise ValueError(f"vectors names '{name}' twice; a variable is in one vector.")
            taken.add(name)
        east, north = (by_name[name] for name in one)
        if east.anomaly_units != north.anomaly_units:
            raise ValueError(
                f"vectors pairs {east.name} in {east.anomaly_units} with {north.name} in "
                f"{north.anomaly_units}; components of one vector have one unit."
            )
        if east.domain != north.domain:
            raise ValueError(
                f"vectors pairs {east.name} ({east.domain}) with {north.name} ({north.domain}); "
                "components of one vector exist in the same places."
            )
        pairs.append((east.name, north.name))
    return tuple(pairs)


# The Earth's radius (m), angular velocity (rad/s) and gravity (m s-2).
_RADIUS, _TURNING, _GRAVITY = 6.371e6, 7.2921e-5, 9.80665


def geostrophic_wind(
    height: NDArray[np.floating], grid: Grid
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the geostrophic wind of a height field: ``u = -g/f dz/dy``, ``v = g/f dz/dx``.

    Centred differences, one-sided at the northern and southern edge and at the sides of a region.

    Parameters
    ----------
    height : ndarray, shape (..., lat, lon)
        Height or its anomaly, m.
    grid : Grid

    Returns
    -------
    u, v : ndarray, shape (..., lat, lon)
        m/s; zero within two degrees of the equator, where geostrophic balance does not hold.
    """
    z = np.asarray(height, np.float64)
    lat, lon = np.radians(grid.lat), np.radians(grid.lon)
    north = np.gradient(z, lat, axis=-2) / _RADIUS
    if grid.lon_edges[-1] - grid.lon_edges[0] > 359.0:
        around = np.concatenate([z[..., -1:], z, z[..., :1]], axis=-1)
        turned = np.concatenate([[lon[-1] - 2 * np.pi], lon, [lon[0] + 2 * np.pi]])
        east = np.gradient(around, turned, axis=-1)[..., 1:-1]
    else:
        east = np.gradient(z, lon, axis=-1)
    east = east / (_RADIUS * np.cos(lat)[:, None])
    f = 2 * _TURNING * np.sin(lat)[:, None]
    with np.errstate(divide="ignore"):
        factor = np.where(np.abs(grid.lat)[:, None] > 2.0, _GRAVITY / f, 0.0)
    return -factor * north, factor * east

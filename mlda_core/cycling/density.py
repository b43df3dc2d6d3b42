"""The exact answer in few dimensions: the density itself on a grid, forecast and updated by Bayes.

The Perron-Frobenius operator carries masses of cells by a Markov matrix, so mass is kept and never
negative. For a stochastic equation it is a finite-volume scheme of the Fokker-Planck equation; for
a flow it is Ulam's matrix, the fraction of each cell that lands in each other one (Dellnitz and
Junge 1999, https://doi.org/10.1137/S0036142996313002). Ulam's matrix blurs by about a cell at each
application, upwind finite volumes by a variance of speed times width times duration: for Lorenz-63,
with a speed of 100, that would be fifty squared cells in half a unit of time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special

from mlda_core.cycling.problem import Observations
from mlda_core.forecast.dynamics import Dynamics, Time, advance

Array = NDArray[np.float64]
# Points of a cell are stepped in parts of this many, 24 MB of Lorenz-63.
_POINTS = 2**20


@dataclass(frozen=True)
class DensityGrid:
    """A box of equal cells, numbered with the last axis fastest.

    Parameters
    ----------
    low, high : tuple of float
        Bounds of each axis.
    cells : tuple of int
        Of each axis.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    cells: tuple[int, ...]

    @cached_property
    def width(self) -> Array:
        """Width of a cell along each axis, shape (k,)."""
        return (np.array(self.high) - np.array(self.low)) / np.array(self.cells)

    @property
    def size(self) -> int:
        """Number of cells n."""
        return int(np.prod(self.cells))

    def axis(self, i: int) -> Array:
        """Return the centres of cells along an axis."""
        return np.asarray(self.low[i] + self.width[i] * (np.arange(self.cells[i]) + 0.5))

    @cached_property
    def centres(self) -> Array:
        """Centres of the cells, shape (n, k)."""
        axes = np.meshgrid(*map(self.axis, range(len(self.cells))), indexing="ij")
        return np.stack([a.ravel() for a in axes], axis=-1)

    def index(self, states: Array) -> NDArray[np.int64]:
        """Return the cell of each state, shape (m,); the nearest one for a state outside."""
        at = np.floor((states - np.array(self.low)) / self.width).astype(np.int64)
        inside = at.clip(0, np.array(self.cells) - 1)
        return np.asarray(np.ravel_multi_index(tuple(inside.T), self.cells), np.int64)

    def masses(self, states: Array, weights: Array | None = None) -> Array:
        """Return the mass of each cell, shape (n,), of weighted states."""
        w = np.full(len(states), 1.0 / len(states)) if weights is None else weights
        return np.asarray(np.bincount(self.index(states), w, self.size), np.float64)

    def marginal(self, masses: Array, *axes: int) -> Array:
        """Return the masses summed over all axes but those named."""
        others = tuple(i for i in range(len(self.cells)) if i not in axes)
        return np.asarray(masses.reshape(self.cells).sum(axis=others))

    def normal(self, mean: Array, variance: Array) -> Array:
        """Return the masses of independent normal distributions, shape (n,)."""
        out = np.ones(1)
        for i in range(len(self.cells)):
            out = np.multiply.outer(out, self.cell_normals(i, mean[i : i + 1], variance[i])[:, 0])
        return np.asarray(out.ravel())

    def cell_normals(self, i: int, means: Array, variance: float) -> Array:
        """Return the masses of cells of an axis, a column for each mean; tails go to the ends."""
        edges = self.low[i] + self.width[i] * np.arange(1, self.cells[i])
        below = special.ndtr((edges[:, None] - means) / np.sqrt(variance))
        ends = np.zeros((1, len(means))), np.ones((1, len(means)))
        return np.diff(np.concatenate((ends[0], below, ends[1])), axis=0)


@dataclass(frozen=True, eq=False)
class Transfer:
    """A Perron-Frobenius operator: Markov matrices applied in turn, some times.

    Parameters
    ----------
    matrices : tuple of sparse arrays, shape (n, n)
        Columns sum to 1.
    times : int
    """

    matrices: tuple[sparse.csr_array, ...]
    times: int = 1

    def carry(self, masses: Array) -> Array:
        """Return the masses later, shape (n,)."""
        for _ in range(self.times):
            for matrix in self.matrices:
                masses = matrix @ masses
        return masses


def fokker_planck(
    grid: DensityGrid, drift: Callable[[Array], Array], diffusion: float, duration: float
) -> Transfer:
    """Discretise the Fokker-Planck equation of ``dx = drift dt + sqrt(2 diffusion) dW``.

    Finite volumes with exponentially fitted fluxes (Scharfetter and Gummel 1969; Chang and Cooper
    1970, https://doi.org/10.1016/0021-9991(70)90001-X), which keep the stationary density; without
    diffusion they are upwind. Nothing flows through the walls. The explicit step is within the CFL
    limit, so that its matrix has no negative entry.

    Parameters
    ----------
    grid : DensityGrid
    drift : callable
        From states (m, k) to (m, k).
    diffusion : float
    duration : float

    Returns
    -------
    Transfer
    """
    rows, columns, rates = [], [], []
    numbers = np.arange(grid.size).reshape(grid.cells)
    for i, h in enumerate(grid.width):
        here = numbers.take(np.arange(grid.cells[i] - 1), axis=i).ravel()
        there = numbers.take(np.arange(1, grid.cells[i]), axis=i).ravel()
        face = (grid.centres[here] + grid.centres[there]) / 2
        v = drift(face)[:, i]
        if diffusion:
            peclet = v * h / diffusion
            ahead, back = (diffusion / h**2 / special.exprel(s * peclet) for s in (-1, 1))
        else:
            ahead, back = v.clip(0) / h, (-v).clip(0) / h
        rows += [there, here]
        columns += [here, there]
        rates += [ahead, back]
    off = sparse.csr_array(
        (np.concatenate(rates), (np.concatenate(rows), np.concatenate(columns))),
        (grid.size, grid.size),
    )
    leaving = np.asarray(off.sum(axis=0)).ravel()
    times = max(1, int(np.ceil(duration * leaving.max())))
    dt = duration / times
    return Transfer((sparse.csr_array(off * dt + sparse.diags_array(1 - dt * leaving)),), times)


def ulam(
    grid: DensityGrid, dynamics: Dynamics, times: Iterable[Time], per_axis: int = 2
) -> Transfer:
    """Return Ulam's matrix of a flow over some steps, from ``per_axis ** k`` points of each cell.

    Points that leave the box stay in the cell at its wall.
    """
    steps = list(times)
    inside = (np.arange(per_axis) + 0.5) / per_axis - 0.5
    offsets = np.stack(np.meshgrid(*[inside] * len(grid.cells), indexing="ij"), axis=-1)
    offsets = offsets.reshape(-1, len(grid.cells)) * grid.width
    at_once = max(1, _POINTS // len(offsets))
    landed = [
        grid.index(
            advance(
                dynamics,
                (grid.centres[first : first + at_once, None] + offsets).reshape(
                    -1, offsets.shape[1]
                ),
                steps,
            )
        )
        for first in range(0, grid.size, at_once)
    ]
    start = np.repeat(np.arange(grid.size), len(offsets))
    share = np.full(start.size, 1.0 / len(offsets))
    shape = (grid.size, grid.size)
    return Transfer((sparse.csr_array((share, (np.concatenate(landed), start)), shape),))


def noise(grid: DensityGrid, variance: Array) -> Transfer:
    """Return the operator that adds independent normal errors, of one variance for each axis."""
    made = []
    for i in range(len(grid.cells)):
        kernel = grid.cell_normals(i, grid.axis(i), float(variance[i]))
        # Below this the tail of a kernel is rounding; columns are made to sum to 1 again.
        kernel[kernel < 1e-16] = 0.0
        before, after = int(np.prod(grid.cells[:i])), int(np.prod(grid.cells[i + 1 :]))
        across = sparse.kron(
            sparse.eye_array(before), sparse.csr_array(kernel / kernel.sum(axis=0))
        )
        made.append(sparse.csr_array(sparse.kron(across, sparse.eye_array(after))))
    return Transfer(tuple(made))


def bayes(grid: DensityGrid, masses: Array, observations: Observations) -> tuple[Array, float]:
    """Multiply masses by the likelihood at the centres of their cells.

    Returns
    -------
    masses : ndarray, shape (n,)
        They sum to 1.
    log_evidence : float
    """
    departures = observations.values - observations.operator.observe(grid.centres)
    constant = np.log(2 * np.pi * observations.variance).sum()
    log = -0.5 * ((departures / observations.sd) ** 2).sum(axis=1) - 0.5 * constant
    greatest = log[masses > 0].max()
    out = masses * np.exp(np.minimum(log - greatest, 0.0))
    total = out.sum()
    return out / total, float(greatest + np.log(total))


def densities(
    grid: DensityGrid,
    transfers: Iterable[Transfer],
    start: Array,
    observations: Iterable[Observations | None],
) -> Iterator[tuple[Array, Array, float]]:
    """Cycle a density: forecast by the transfers in turn, update by Bayes' rule.

    Parameters
    ----------
    grid : DensityGrid
    transfers : iterable of Transfer
        Applied one after another from each time to the next.
    start : ndarray, shape (n,)
        Masses at the start.
    observations : iterable
        Of each time after the start.

    Yields
    ------
    background, analysis : ndarray, shape (n,)
    log_evidence : float
    """
    steps, masses = tuple(transfers), start
    for observed in observations:
        for transfer in steps:
            masses = transfer.carry(masses)
        background, evidence = masses, 0.0
        if observed is not None:
            masses, evidence = bayes(grid, background, observed)
        yield background, masses, evidence


def wasserstein(axis: Array, masses: Array, states: Array, weights: Array) -> float:
    """Distance of weighted numbers from masses on an axis: the area between their distributions.

    Parameters
    ----------
    axis, masses : ndarray, shape (n,)
        Centres of equal cells, and their masses.
    states, weights : ndarray, shape (m,)
    """
    width = axis[1] - axis[0]
    edges = np.concatenate((axis - width / 2, axis[-1:] + width / 2))
    order = np.argsort(states)
    below = np.concatenate(([0.0], np.cumsum(weights[order])))
    exact = np.concatenate(([0.0], np.cumsum(masses)))
    points = np.sort(np.concatenate((edges, states)))
    middle = (points[1:] + points[:-1]) / 2
    there = below[np.searchsorted(states[order], middle, side="right")]
    return float(np.sum(np.abs(np.interp(middle, edges, exact) - there) * np.diff(points)))

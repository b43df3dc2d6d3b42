"""Adjoint of the assimilation: sensitivity of a mean of the analysis to the observed SST.

The analysis minimises a cost, so its derivative follows from the condition of the minimum (the
implicit function theorem; Le Dimet, Ngodock, Luong and Verron 1997, "Sensitivity analysis in
variational data assimilation", J. Met. Soc. Japan 75, section 3): with ``g(zeta, y) = 0`` the
gradient of the cost in zeta, and ``r(zeta, y)`` the quantity of interest,

    dr/dy = r_y - g_y^T lambda,    (dg/dzeta) lambda = r_zeta.

The derivatives are computed by PyTorch; the linear system is solved by conjugate gradients, with
the inverse Hessian of the linear problem as preconditioner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from mlda_core.assimilation import physical_units as physical
from mlda_core.assimilation.minimisation import minimum
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.spread import mean_spread
from mlda_core.climate.errors import StateError
from mlda_core.climate.sphere import EARTH_RADIUS_KM, unit_vectors
from mlda_core.observations.standardised import thin

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.assimilation.problem import Problem
    from mlda_core.assimilation.sea_background import SeaBackground
    from mlda_core.climate.grid import Grid
    from mlda_core.climate.interpolation import Places
    from mlda_core.observations.standardised import Observed

Array = NDArray[np.float64]
Float = NDArray[np.float32]

# Radius of the SST patch of the smoothed map.
PATCH_KM = 500.0
_ITERATIONS, _RESIDUAL = 40, 1e-6


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Sensitivity of one quantity of the analysis to SST.

    Parameters
    ----------
    value : float
        The quantity itself: an anomaly, display units.
    units : str
        Its units.
    per_cell : ndarray, shape (lat, lon)
        Derivative with respect to SST in each cell, units per kelvin; zero over land and where
        SST is not observed. The sum of its product with a change is the response to a small
        change.
    smooth : ndarray, shape (lat, lon)
        Effect of one kelvin within 500 km of each sea cell, units; NaN over land and ice.
    """

    value: float
    units: str
    per_cell: Array
    smooth: Array


def sensitivity(
    assimilator: Assimilator,
    observed: Observed,
    month: int,
    row: int,
    weights: Array,
    *,
    free: Array | None = None,
) -> Sensitivity:
    """Differentiate a mean of the analysis with respect to the observed SST.

    Parameters
    ----------
    assimilator : Assimilator
    observed : Observed
        The observations, including those of SST.
    month : int
        Calendar month 1..12.
    row : int
        Index of the averaged variable.
    weights : ndarray, shape (lat, lon)
        Of the mean, sum 1, zero where the variable does not exist.
    free : ndarray, shape (lat, lon), optional
        Fraction of each cell's SST that can change, 0..1; 1 by default.

    Returns
    -------
    Sensitivity

    Raises
    ------
    StateError
        If the bundle has no SST, or it is not observed.
    """
    bundle = assimilator.bundle
    used = thin(observed.places, observed.variance)
    problem = assimilator.preparation.problem(observed, used, month, Setting(polish=True))
    places = problem.observed.places
    at_sea = places.variable == bundle.sea_row
    if bundle.sea_row < 0 or not at_sea.any():
        raise StateError("No sea is observed, so there is no gradient by it; hold the SST.")
    sd = mean_spread(problem)
    zeta, x = minimum(problem)
    fields = [physical.anomalies(bundle, x + h, month, sd)[row] for h in (0.0, -0.01, 0.01)]
    at = weights > 0
    value = float((weights * np.where(at, fields[0], 0.0)).sum())
    # The conversion to display units is local: its slope follows from a central difference.
    slope = np.zeros(bundle.mask.shape, np.float32)
    slope[row] = np.where(at, weights * (fields[2] - fields[1]) / 0.02, 0.0)
    by_value = _Chain(assimilator.preparation.sea, problem).gradient(zeta, slope)
    # From standardised values at places to kelvin in cells: transpose of the interpolation.
    spread = np.where(
        bundle.mask[bundle.sea_row], bundle.normaliser.spread[month - 1, bundle.sea_row], 1.0
    )
    by_field = np.zeros(bundle.mask.size)
    np.add.at(by_field, places.index[at_sea], places.weight[at_sea] * by_value[at_sea, None])
    per_cell = by_field.reshape(bundle.mask.shape)[bundle.sea_row] / spread
    if free is None:
        free = np.ones(bundle.grid.shape)
    per_cell *= free
    seen = places.where(at_sea)
    mask = bundle.mask[bundle.sea_row]
    kept = problem.gain.kept
    if "smoother" not in kept:
        kept["smoother"] = _smoother(seen, mask, bundle.grid)
    local = (spread.ravel()[seen.index - bundle.sea_row * mask.size] * seen.weight).sum(axis=1)
    smooth = np.full(mask.shape, np.nan)
    there = (free.ravel()[seen.index - bundle.sea_row * mask.size] * seen.weight).sum(axis=1)
    smooth[mask] = kept["smoother"] @ (by_value[at_sea] / local * there)
    smooth[free < 0.5] = np.nan
    return Sensitivity(value, bundle.variables[row].anomaly_units, per_cell, smooth)


class _Chain:
    """The analysis as a differentiable function of the observed values and zeta."""

    def __init__(self, sea: SeaBackground, problem: Problem) -> None:
        self.sea, self.problem, self.bundle = sea, problem, problem.bundle
        gain = problem.gain
        if gain.prior.turn is None:
            raise StateError("The bundle has no decoder to differentiate.")
        self.turn = torch.from_numpy(gain.prior.turn).float()
        self.whitener = torch.from_numpy(gain.whitener32)
        self.columns = torch.from_numpy(gain.columns)
        places = problem.observed.places
        self.index = torch.from_numpy(places.index)
        self.weight = torch.from_numpy(places.weight).float()
        self.month = torch.tensor([problem.bundle.calendar_month(problem.month)])

    def gradient(self, at: Array, slope: Float) -> Array:
        """Gradient of the quantity with respect to the standardised observations, shape (p,)."""
        y = torch.from_numpy(self.problem.observed.value).float().requires_grad_()
        zeta = torch.from_numpy(at).float().requires_grad_()
        x_b, z_b = self._background(y)
        bend = self.problem.gain.prior.bend
        z = z_b + self.turn @ (zeta if bend is None else bend.forward(zeta[None])[0])
        decoder = self.bundle.decoder
        both = decoder(torch.stack([z, z_b]), self.month.expand(2)).flatten(1)
        latent = x_b + both[0] - both[1]
        left = y - (latent[self.index] * self.weight).sum(dim=1)
        white = self.whitener @ left
        state = latent + self.columns.T @ (self.whitener.T @ white)
        number = (torch.from_numpy(slope.ravel()) * state).sum()
        cost = 0.5 * (zeta @ zeta) + 0.5 * (white @ white)
        (g,) = torch.autograd.grad(cost, zeta, create_graph=True)
        (r,) = torch.autograd.grad(number, zeta, retain_graph=True)

        def hessian(v: Array) -> Array:
            (out,) = torch.autograd.grad(g, zeta, torch.from_numpy(v).float(), retain_graph=True)
            return out.numpy().astype(np.float64)

        multiplier = _solve(
            hessian, r.numpy().astype(np.float64), self.problem.gain.inverse_hessian
        )
        total = number - torch.from_numpy(multiplier).float() @ g
        (by_value,) = torch.autograd.grad(total, y)
        return by_value.numpy().astype(np.float64)

    def _background(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return the background (cells,) and its latent vector, given the sea if it is observed."""
        problem, bundle = self.problem, self.bundle
        if not problem.sea_held or bundle.sea is None:
            return torch.from_numpy(problem.x_b), torch.from_numpy(problem.z_b).float()
        gain = self.sea.gain(problem.observed, problem.month)
        at_sea = torch.from_numpy(problem.observed.places.variable == bundle.sea_row)
        whitener = torch.from_numpy(gain.whitener32)
        weights = whitener.T @ (whitener @ y[at_sea])
        mask = torch.from_numpy(bundle.mask[bundle.sea_row])
        sea = (torch.from_numpy(gain.columns).T @ weights).reshape(1, *mask.shape) * mask
        spread = np.nan_to_num(bundle.normaliser.spread[problem.month - 1, bundle.sea_row])
        kelvin = sea * torch.from_numpy(spread.astype(np.float32))
        x_b = bundle.settings.sea_share * bundle.sea(sea, kelvin, self.month)
        return x_b.flatten(), bundle.code_of(x_b, self.month)[0]


def _solve(product: Callable[[Array], Array], right: Array, preconditioner: Array) -> Array:
    """Conjugate gradients, preconditioned (Nocedal and Wright 2006, algorithm 5.3)."""
    x = np.zeros_like(right)
    r = right.copy()
    y = preconditioner @ r
    p = y.copy()
    size = float(np.sqrt(right @ preconditioner @ right))
    for _ in range(_ITERATIONS):
        before = float(r @ y)
        if np.sqrt(max(before, 0.0)) <= _RESIDUAL * max(size, 1e-30):
            break
        q = product(p)
        curved = float(p @ q)
        if curved <= 0:
            raise StateError(
                "The analysis is at no minimum that a gradient can be taken at; choose another "
                "month or change."
            )
        step = before / curved
        x += step * p
        r -= step * q
        y = preconditioner @ r
        p = y + (float(r @ y) / before) * p
    return x


def _smoother(places: Places, mask: NDArray[np.bool_], grid: Grid) -> sparse.csr_array:
    """Return the operator from gradients at places to the effect of a patch around each cell.

    The gradient at an observation of a thinned network represents the nearest sea. The patch is
    tapered over 400 km, a cell's width: a sharp edge would show the grid.
    """
    sea = mask.ravel()
    points, area = grid.points[sea], grid.weights.ravel()[sea]
    nearest = (points @ unit_vectors(places.lat, places.lon).T).argmax(axis=1)
    area_of = np.bincount(nearest, area, minlength=len(places))
    spread = sparse.csr_array(
        (area / area_of[nearest], (np.arange(area.size), nearest)), (area.size, len(places))
    )
    close = points @ grid.points.T
    cell, other = np.nonzero(close > np.cos((PATCH_KM + 200.0) / EARTH_RADIUS_KM))
    away = EARTH_RADIUS_KM * np.arccos(np.clip(close[cell, other], -1.0, 1.0))
    kernel = sparse.csr_array(
        (np.clip((PATCH_KM + 200.0 - away) / 400.0, 0.0, 1.0), (cell, other)), close.shape
    )
    # Normalise by the circle's full area: a patch at the coast warms less sea.
    circle = 0.5 * (1.0 - np.cos(PATCH_KM / EARTH_RADIUS_KM)) * grid.weights.sum()
    factor = circle / (kernel @ grid.weights.ravel())
    # Gradients are distributed by area; the patch covers a part of each cell's.
    return sparse.diags_array(factor) @ kernel[:, np.flatnonzero(sea)] @ spread

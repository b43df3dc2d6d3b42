"""Methods for comparison whose mathematics is their own: regression on the sea, and Adam."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.climate.interpolation import ObservationOperator
from mlda_core.vae.seasonal import fit_patterns

if TYPE_CHECKING:
    from mlda_core.assimilation.standardised import Observed
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float32]
Array = NDArray[np.float64]

COMPONENTS = 25
ADAM_STEPS, ADAM_RATE = 200, 0.05


@dataclass(frozen=True, eq=False)
class Regression:
    """Principal components of the sea, and what goes with them.

    Parameters
    ----------
    sea : ndarray of float32, shape (Q, cells)
        Patterns of the sea, zero for other variables, for components of unit variance.
    all_fields : ndarray of float32, shape (Q, cells)
        What every variable does with each component.
    sea_left, left : ndarray of float32, shape (cells,)
        Variance that the components leave over, of the sea and of every variable.
    """

    sea: Float
    all_fields: Float
    sea_left: Float
    left: Float

    def estimate(
        self, observed: Observed, operator: ObservationOperator, shape: tuple[int, ...]
    ) -> tuple[Float, Float]:
        """Estimate the components from observations of the sea, and the state from them.

        Returns
        -------
        x, sd : ndarray of float32, shapes (cells,) and (V, lat, lon)
        """
        at = operator.apply(observed.places, self.sea.reshape(-1, *shape)).T
        left = operator.apply(observed.places, self.sea_left.reshape(shape))
        weight = 1.0 / (observed.variance + left)
        inverse = np.linalg.inv(np.eye(at.shape[1]) + (at * weight[:, None]).T @ at)
        components = inverse @ (at.T @ (weight * observed.value))
        x = components.astype(np.float32) @ self.all_fields
        return x, np.sqrt(self.left).reshape(shape)


def fit_regression(bundle: Bundle, count: int = COMPONENTS) -> Regression:
    """Regress past months on the leading principal components of their sea.

    Parameters
    ----------
    bundle : Bundle
        With statistics and a sea.
    count : int
        Number of components; 25 did best of 15, 25 and 40 over pressure and rain of VALIDATION.

    Returns
    -------
    Regression
    """
    statistics = bundle.statistics
    size = bundle.grid.weights.size
    cells = slice(bundle.sea_row * size, (bundle.sea_row + 1) * size)
    coefficients = statistics.coefficients
    of_sea = statistics.patterns[:, cells]
    weights = bundle.normaliser.weights[bundle.sea_row].ravel()
    fields = coefficients @ of_sea
    most = min(count, len(fields) - 1, int((weights > 0).sum()) - 1)
    patterns, _, variances, found = fit_patterns(fields, weights, most, seed=0)
    components = found / np.sqrt(variances).astype(np.float32)
    slopes = np.linalg.lstsq(components, coefficients, rcond=None)[0]
    sea = np.zeros((len(variances), statistics.patterns.shape[1]), np.float32)
    sea[:, cells] = patterns * np.sqrt(variances)[:, None]
    sea_left = np.zeros(sea.shape[1], np.float32)
    sea_left[cells] = ((fields - components @ sea[:, cells]) ** 2).mean(axis=0)
    left = coefficients - components @ slopes
    gram = left.T @ left / len(left)
    values, vectors = np.linalg.eigh(gram)
    root = (vectors * np.sqrt(np.clip(values, 0, None))).T
    variance = ((root @ statistics.patterns) ** 2).sum(axis=0) + statistics.leftover
    return Regression(
        sea,
        np.asarray(slopes @ statistics.patterns, np.float32),
        sea_left,
        np.asarray(variance, np.float32),
    )


def adam(
    bundle: Bundle, observed: Observed, month: int, *, seed: int = 0
) -> Iterator[tuple[int, Array, float]]:
    """Fit z as the scripts did that this replaces: Adam, a random start, no prior, diagonal R.

    Parameters
    ----------
    bundle : Bundle
    observed : Observed
    month : int
        Calendar month 1..12.
    seed : int
        Of the start.

    Yields
    ------
    step, z, cost : int, ndarray of shape (L,), float
    """
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(bundle.n_latent, generator=generator).requires_grad_()
    optimiser = torch.optim.Adam([z], lr=ADAM_RATE)
    index = torch.from_numpy(observed.places.index)
    weight = torch.from_numpy(observed.places.weight).float()
    value = torch.from_numpy(observed.value).float()
    precision = torch.from_numpy(1.0 / observed.variance).float()
    which = torch.tensor([month])
    for step in range(1, ADAM_STEPS + 1):
        x = bundle.decoder(z[None], which).flatten()
        left = value - (x[index] * weight).sum(dim=1)
        cost = 0.5 * (precision * left**2).sum()
        optimiser.zero_grad(set_to_none=True)
        cost.backward()
        optimiser.step()
        yield step, z.detach().numpy().astype(np.float64), float(cost.detach())

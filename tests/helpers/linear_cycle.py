"""A small linear problem cycled through time, and the Kalman filter that answers it exactly."""

from dataclasses import dataclass

import numpy as np
import torch

from mlda_core.cycling.covariance import Gaussian
from mlda_core.cycling.localisation import on_a_circle
from mlda_core.cycling.operators import LinearOperator
from mlda_core.cycling.problem import Problem
from mlda_core.cycling.twin import simulate
from mlda_core.forecast.lorenz import Lorenz96
from mlda_core.forecast.model_error import DiagonalCovariance, FactoredCovariance


@dataclass(frozen=True, eq=False)
class LinearDynamics:
    """``x -> A x``."""

    matrix: np.ndarray
    model_error: object = None

    name = "linear"

    @property
    def size(self):
        return len(self.matrix)

    def step(self, states, time):
        del time
        return states @ torch.from_numpy(self.matrix).T


class ExactEnsemble(Gaussian):
    """Draws ensembles whose sample mean and covariance are those of the Gaussian to rounding."""

    def sample(self, n, generator):
        d = self.mean.size
        basis = np.linalg.qr(np.column_stack((np.ones(n), generator.standard_normal((n, d)))))[0]
        return self.mean + np.sqrt(n - 1) * basis[:, 1:] @ self.covariance.factor.T


def linear_problem(*, d=4, cycles=5, every=2, error=None, exact=False, seed=3):
    """Return a problem with a growing and a shrinking direction, two values observed a cycle."""
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.standard_normal((d, d)))[0] for _ in range(2))
    matrix = left @ np.diag(np.linspace(1.15, 0.7, d)) @ right
    dynamics = LinearDynamics(matrix, None if error is None else DiagonalCovariance(error))
    root = rng.standard_normal((d, d)) / 2 + np.eye(d)
    initial = (ExactEnsemble if exact else Gaussian)(
        rng.standard_normal(d), FactoredCovariance(root)
    )
    operator = LinearOperator.of_dense(rng.standard_normal((2, d)), np.array([[0.0], [2.0]]))
    variance = np.array([0.5, 0.8])
    twin = simulate(
        dynamics, initial_of(initial), operator, variance, cycles=cycles, every=every, seed=seed
    )
    return Problem(
        dynamics,
        np.arange(every * cycles + 1),
        twin.observations,
        initial,
        initial,
        every=every,
        localisation=on_a_circle(d, 1e6),
    )


def initial_of(gaussian):
    return Gaussian(gaussian.mean, gaussian.covariance)


def kalman(problem, *, start=False):
    """Return the Kalman filter's means and covariances at each cycle, and its log evidence.

    With ``start`` the observations of cycle 0 are assimilated too.
    """
    a = problem.dynamics.matrix
    error = problem.dynamics.model_error
    q = np.zeros_like(a) if error is None else np.diag(error.variance)
    mean = problem.initial.mean
    cov = problem.initial.covariance.factor @ problem.initial.covariance.factor.T
    means, covs, evidence = [mean], [cov], [0.0]

    def update(obs, mean, cov):
        h = obs.operator.matrix_at(mean)
        s = h @ cov @ h.T + np.diag(obs.variance)
        d = obs.values - h @ mean
        gain = np.linalg.solve(s, h @ cov).T
        told = -0.5 * (d @ np.linalg.solve(s, d) + np.linalg.slogdet(2 * np.pi * s)[1])
        return mean + gain @ d, cov - gain @ h @ cov, told

    if start:
        mean, cov, _ = update(problem.observations[0], mean, cov)
        means[0], covs[0] = mean, cov
    for obs in problem.observations[1:]:
        for _ in range(problem.every):
            mean, cov = a @ mean, a @ cov @ a.T + q
        mean, cov, told = update(obs, mean, cov)
        evidence.append(told)
        means.append(mean)
        covs.append(cov)
    return np.array(means), np.array(covs), np.array(evidence)


def lorenz_problem(*, cycles=6, every=1, error=None, observed=True):
    """Return a small problem of Lorenz-96, every second variable observed."""
    d = 8
    dynamics = Lorenz96(d, 0.05, None if error is None else DiagonalCovariance(np.full(d, error)))
    rng = np.random.default_rng(0)
    initial = Gaussian(3 + 3 * rng.standard_normal(d), DiagonalCovariance(np.full(d, 0.5)))
    at = np.arange(0, d, 2)
    operator = LinearOperator.of_components(at, d, at[:, None].astype(float))
    twin = simulate(dynamics, initial, operator, np.ones(4), cycles=cycles, every=every, seed=1)
    observations = twin.observations if observed else [None] * (cycles + 1)
    return Problem(
        dynamics,
        np.arange(every * cycles + 1),
        observations,
        initial,
        Gaussian(np.full(d, 2.0), DiagonalCovariance(np.full(d, 13.0))),
        every=every,
        localisation=on_a_circle(d, 2.0),
    )

"""A problem of eight cells in a circle whose background errors are learnt: three codes, a rest."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from mlda_core.climate.seasons import MONTHLY
from mlda_core.cycling.covariance import Gaussian, LocalisedSample
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.error_model import ErrorModel
from mlda_core.cycling.localisation import on_a_circle
from mlda_core.cycling.operators import LinearOperator
from mlda_core.cycling.problem import Observations, Problem
from mlda_core.forecast.koopman import LinearDynamics
from mlda_core.forecast.model_error import DiagonalCovariance

SIZE, CODES = 8, 3
AT = np.array([1, 4, 6])
OPERATOR = LinearOperator.of_components(AT, SIZE, AT[:, None].astype(float))
TIMES = np.array(["2001-01-01", "2001-01-02"], "datetime64[D]")
LOCAL = on_a_circle(SIZE, 2.0)


class Bent(nn.Module):
    """A decoder of errors, bent by a square; straight where it is 0."""

    def __init__(self, patterns, bend):
        super().__init__()
        self.patterns, self.bend = torch.from_numpy(patterns).float(), bend
        self.config = type("Config", (), {"n_latent": len(patterns)})

    def forward(self, z, month):
        del month
        x = z @ self.patterns
        return (x + self.bend * x**2).view(len(z), 1, 1, -1)


def errors_of(bend=0.0, seed=0, priors=None):
    """Return learnt errors whose decoder is linear, or bent by a square."""
    rng = np.random.default_rng(seed)
    rest = LocalisedSample(0.4 * rng.standard_normal((6, SIZE)), LOCAL)
    patterns = rng.standard_normal((CODES, SIZE))
    spread = np.linspace(0.5, 1.5, SIZE)
    return ErrorModel(Bent(patterns, bend), MONTHLY, np.ones(SIZE), spread, rest, priors or {})


def problem_of(errors, background=None):
    """Return two times, the second with three observations."""
    climatology = Gaussian(np.zeros(SIZE), DiagonalCovariance(np.ones(SIZE)))
    seen = Observations(OPERATOR, np.array([1.0, -0.5, 2.0]), np.full(3, 0.04))
    return Problem(
        LinearDynamics(0.9 * np.eye(SIZE), np.eye(SIZE)),
        TIMES,
        [None, seen],
        climatology,
        climatology,
        background=background,
        errors=errors,
    )


def dense(sample):
    """Return the covariance of a localised sample as a matrix."""
    taper = np.asarray(
        [
            [
                sample.localisation.weights(
                    LinearOperator.of_components([j], SIZE, np.array([[j]]))
                )[i, 0]
                for j in range(SIZE)
            ]
            for i in range(SIZE)
        ],
        float,
    )
    return taper * (sample.anomalies.T @ sample.anomalies)


def exact(covariance):
    """Return mean and deviation of the Kalman update from no anomaly."""
    seen = problem_of(None).observations[1]
    h = OPERATOR.matrix_at(np.zeros(SIZE))
    gain = covariance @ h.T @ np.linalg.inv(h @ covariance @ h.T + np.diag(seen.variance))
    return gain @ seen.values, np.sqrt(np.diag(covariance - gain @ h @ covariance))


def last(problem, method="vae_var", **settings):
    """Return the last step of a run."""
    return list(Cycle(problem, method, **settings).run())[-1]

"""Posteriors of observations of several kinds, the long way round."""

from __future__ import annotations

import numpy as np
from kind_rows import kind_rows

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.mode import ModeSearch
from mlda_core.assimilation.validation import setting_of
from mlda_core.observations.standardised import standardise

HEAD = "variable,lat,lon,value,error_sd,kind,area,withheld\n"
REPORTS = (
    "tas,50,10,much colder,,report,,\ntas,45,30,colder,,report,,\npr,50,12,dry,,report,,\n"
    "psl,55,0,2,1,lower_bound,,\ntas,40,20,-3,0.5,student_t,,\npsl,30,20,1,1,,,\n"
)


def rows(bundle, text):
    return kind_rows(bundle, text, HEAD)


def prepared(bundle, observations):
    engine = Assimilator(bundle)
    observed = standardise(observations, bundle, 7)
    problem = engine.preparation.problem(observed, np.arange(len(observed)), 7, setting_of({}))
    return engine, problem


def moments(problem, bundle, axes=400, reach=7.0):
    """Mean and covariance of f at one or two observations, by quadrature over the prior."""
    search = ModeSearch(problem)
    gain = problem.gain
    prior = gain.error_covariance + gain.latent @ gain.latent.T
    sd = np.sqrt(np.diag(prior))
    lines = [
        o + s * np.linspace(-reach, reach, axes) for o, s in zip(search.origin, sd, strict=True)
    ]
    f = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, len(sd))
    away = f - search.origin
    log = -0.5 * np.einsum("gp,pq,gq->g", away, np.linalg.inv(prior), away)
    log -= search.likelihoods.cost(f).sum(axis=1)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    mean = weight @ f
    return mean, (weight[:, None] * (f - mean)).T @ (f - mean), f[log.argmax()]

"""Variances of a prepared assimilation, and its estimates in display units: means over them."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation import physical_units as physical
from mlda_core.assimilation.gain import Gain
from mlda_core.assimilation.posterior.innovation_scale import scale_of
from mlda_core.assimilation.problem import Problem

Float = NDArray[np.float32]
Stage = Literal["prior", "posterior", "latent"]


def variance_at(gain: Gain, stage: Stage, cells: slice) -> Float:
    """Standardised variance of cells: prior, posterior, or of the decoded part alone."""
    if stage == "posterior":
        return gain.posterior_variance(cells)
    if stage == "latent":
        return gain.latent_only_variance(cells)
    prior = gain.prior
    total = prior.error.variance[cells]
    if prior.factor is not None:
        total = total + (prior.factor[:, cells] ** 2).sum(axis=0)
    return np.asarray(total, np.float32)


def kept_variance(gain: Gain, stage: Stage) -> Float:
    """Return the variance of all cells, cached: it depends on the network, not on values.

    Parameters
    ----------
    gain : Gain
    stage : {"prior", "posterior", "latent"}

    Returns
    -------
    ndarray of float32, shape (cells,)
        Standardised; shared, hence read-only.
    """
    name = f"{stage} variance"
    if name not in gain.lasting:
        variance = variance_at(gain, stage, slice(None))
        variance.flags.writeable = False
        gain.lasting[name] = variance
    found: Float = gain.lasting[name]
    return found


def posterior_variance(problem: Problem) -> Float:
    """Return the variance of the analysis error of all cells, (cells,); shared, read-only.

    As the network has it, whatever was observed; :func:`scaled_variance` knows the values.
    """
    return kept_variance(problem.gain, "latent" if problem.only_decodes else "posterior")


def scaled_variance(problem: Problem) -> Float:
    """Return the variance of the analysis error by what the observations say of its size.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    ndarray of float32, shape (cells,)
        :func:`posterior_variance`, that of each variable times
        :func:`~mlda_core.assimilation.posterior.innovation_scale.scale_of`; of the decoded state
        alone as it is, for the factor is that of the whole analysis.
    """
    variance = posterior_variance(problem)
    if problem.only_decodes:
        return variance
    by_variable = variance.reshape(len(problem.bundle.variables), -1)
    return np.asarray(by_variable * scale_of(problem).astype(np.float32)[:, None]).ravel()


def mean_spread(problem: Problem, stage: Stage = "posterior") -> Float:
    """Return the spread over which a physical estimate is averaged.

    Parameters
    ----------
    problem : Problem
    stage : {"posterior", "latent", "prior"}

    Returns
    -------
    ndarray of float32, shape (V, lat, lon)
        Standardised; zero for variables without a nonlinear transform.
    """
    bundle, gain = problem.bundle, problem.gain
    if problem.only_decodes and stage == "posterior":
        stage = "latent"
    if problem.setting.background is not None:
        # A given background is not averaged: without observations the analysis equals it.
        return np.zeros(bundle.mask.shape, np.float32)
    name = f"{stage} mean spread"
    if name not in gain.lasting:
        out = np.zeros(bundle.mask.shape, np.float32)
        size = bundle.grid.weights.size
        for v, variable in enumerate(bundle.variables):
            if variable.transform != "none":
                cells = slice(v * size, (v + 1) * size)
                out[v] = np.sqrt(variance_at(gain, stage, cells)).reshape(out[v].shape)
        gain.lasting[name] = out
    found: Float = gain.lasting[name]
    return found


def mean_anomalies(problem: Problem, x: Float, stage: Stage = "posterior") -> Float:
    """Return a state's anomalies in display units: means over the spread of a stage.

    Parameters
    ----------
    problem : Problem
    x : ndarray of float32, shape (cells,)
        Standardised.
    stage : {"posterior", "latent", "prior"}

    Returns
    -------
    ndarray of float32, shape (V, lat, lon)
        NaN where a variable does not exist.
    """
    return physical.anomalies(problem.bundle, x, problem.month, mean_spread(problem, stage))


def spreads(problem: Problem, x: Float) -> tuple[Float, Float]:
    """Return the posterior and the climatological standard deviation about a state.

    Parameters
    ----------
    problem : Problem
    x : ndarray of float32, shape (cells,)
        Standardised.

    Returns
    -------
    posterior, climatological : ndarray of float32, shape (V, lat, lon)
        Display units.
    """
    bundle, shape = problem.bundle, problem.bundle.mask.shape
    sd = np.sqrt(scaled_variance(problem)).reshape(shape)
    return (
        physical.spread(bundle, x.reshape(shape), sd, problem.month),
        physical.climatological_spread(bundle, problem.month),
    )

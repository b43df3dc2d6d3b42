"""The posterior of a problem by the No-U-Turn sampler, as a reference (Hoffman and Gelman 2014).

Of zeta and of the representation error at the observations, u = L v, L L^T = H B H^T, v ~ N(0, I),
in coordinates in which Laplace's approximation is N(0, I): so a trajectory takes few steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from mlda_core.assimilation.cost import DecodedCost
from mlda_core.observations.standardised import standardise


class _Rows(torch.autograd.Function):
    """Minus the log likelihood of the rows, by the kinds' own slopes."""

    @staticmethod
    def forward(ctx, f, cost, slope):
        at = f.detach().numpy()
        ctx.slope = torch.from_numpy(np.asarray(slope(at), float))
        return torch.tensor(float(cost(at)), dtype=torch.float64)

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.slope, None, None


@dataclass
class Reference:
    """Draws of NUTS.

    Parameters
    ----------
    zeta : ndarray, shape (n, L)
    error_at : ndarray, shape (n, p)
        Representation error at the observations.
    decoded : ndarray, shape (n, cells)
    """

    zeta: np.ndarray
    error_at: np.ndarray
    decoded: np.ndarray


def sample(bundle, problem, *, draws=300, warmup=80, seed=0):
    """Sample the posterior of a problem with its errors as stated."""
    import pyro
    from pyro.infer.mcmc import MCMC, NUTS

    pyro.set_rng_seed(seed)
    gain, observed = problem.gain, problem.observed
    said = observed.likelihoods
    at_mode, curvature = _laplace(bundle, problem)
    values, vectors = np.linalg.eigh(gain.error_covariance)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    length, p = gain.latent.shape[1], len(observed)
    design = np.hstack([gain.latent, root])
    precision = np.eye(length + p) + design.T @ (curvature[:, None] * design)
    scale = np.linalg.inv(np.linalg.cholesky(precision)).T
    # The start: the least squares solution of what is observed at the mode.
    weights = np.linalg.solve(design @ design.T + 1e-9 * np.eye(p), at_mode)
    centre = design.T @ weights
    fit = DecodedCost(problem)
    turn = torch.from_numpy(gain.prior.turn)
    tensors = [torch.from_numpy(a) for a in (scale, centre, root, problem.z_b)]

    def decode(zeta):
        z = (tensors[3] + turn @ zeta).float()
        return fit.offset + bundle.decoder(z[None], fit.month).flatten()

    def cost(f):
        if said is not None:
            return said.cost(f).sum()
        return 0.5 * ((observed.value - f) ** 2 / observed.variance).sum()

    def slope(f):
        return (f - observed.value) / observed.variance if said is None else said.slope(f)

    def potential(params):
        joint = tensors[1] + tensors[0] @ params["a"]
        zeta, v = joint[:length], joint[length:]
        x = decode(zeta)
        f = (x[fit.index] * fit.weight).sum(dim=1).double() + tensors[2] @ v
        return 0.5 * (joint**2).sum() + _Rows.apply(f, cost, slope)

    kernel = NUTS(potential_fn=potential, adapt_mass_matrix=False, max_tree_depth=5)
    start = {"a": torch.zeros(length + p, dtype=torch.float64)}
    mcmc = MCMC(kernel, draws, warmup, initial_params=start, disable_progbar=True)
    mcmc.run()
    joint = centre + mcmc.get_samples()["a"].numpy() @ scale.T
    zeta = joint[:, :length]
    with torch.no_grad():
        decoded = np.stack([decode(torch.from_numpy(row)).numpy() for row in zeta])
    return Reference(zeta, joint[:, length:] @ root.T, decoded)


def _laplace(bundle, problem):
    """Return f less the background at the mode of the linearised problem, and curvatures there."""
    from mlda_core.assimilation.mode import ModeSearch

    observed, gain = problem.observed, problem.gain
    if observed.is_gaussian:
        origin = bundle.operator.apply(observed.places, problem.x_b.reshape(bundle.mask.shape))
        prior = gain.error_covariance + gain.latent @ gain.latent.T
        away = prior @ gain.total_inverse @ (observed.value - origin)
        return np.asarray(away, float), 1.0 / observed.variance
    search = ModeSearch(problem)
    mode = list(search.rounds(np.zeros(gain.latent.shape[1]), search.origin, search._linear))[-1]
    return mode.at - search.origin, search.likelihoods.curvature(mode.at)


def index_of(bundle, problem, reference, rows):
    """Mean and sd of regional means, display units, from the draws of NUTS.

    ``rows`` is a table of kind ``mean``; what the observations leave of the error there is added.
    """
    observed = standardise(rows, bundle, problem.month)
    gain, places = problem.gain, observed.places
    error = gain.prior.error
    across = error.between(places, problem.observed.places)
    inverse = np.linalg.inv(gain.error_covariance + 1e-8 * np.eye(len(problem.observed)))
    known = across @ inverse
    left = np.diag(error.between(places, places) - known @ across.T)
    fields = reference.decoded.reshape(-1, *bundle.mask.shape)
    at = bundle.operator.apply(places, fields) + reference.error_at @ known.T
    value, terms = rows["value"].to_numpy(float), observed.likelihoods.terms
    scale = rows["error_sd"].to_numpy(float) / terms.sd
    offset = value - scale * terms.value
    sd = np.sqrt(at.var(axis=0, ddof=1) + np.maximum(left, 0.0))
    return offset + scale * at.mean(axis=0), scale * sd

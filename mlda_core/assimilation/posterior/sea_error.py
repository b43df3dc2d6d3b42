"""The error of a background that an observed sea makes.

Where the sea is observed, the prior mean is the output of the sea network for the analysed sea, and
the prior's covariance is that of states about the output for the *true* sea. So two errors are not
in it: that of the analysed sea, which the network carries into the air, and that the sea's
observations serve twice, for the background and for what it leaves. Both are in the draws: of the
true sea, given the same errors of observation, and of what the network makes of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.posterior.innovation_scale import posterior_scale
from mlda_core.assimilation.random_fields import ErrorSampler

if TYPE_CHECKING:
    from mlda_core.assimilation.posterior.draws import Draws
    from mlda_core.assimilation.problem import Problem
    from mlda_core.assimilation.sea_background import SeaBackground

Float = NDArray[np.float32]
Array = NDArray[np.float64]

# Seas at once in the network: 16 take 40 MB.
BATCH = 16


def with_sea_error(background: SeaBackground, problem: Problem, draws: Draws, seed: int) -> Draws:
    """Add the error of the sea to draws of departures from a background that the sea makes.

    Parameters
    ----------
    background : SeaBackground
        Of the problem's bundle.
    problem : Problem
        With a background conditional on the sea.
    draws : Draws
        For a known sea.
    seed : int

    Returns
    -------
    Draws
        Their departures of the sea are its error, and those of other variables hold what the sea
        network makes of it.
    """
    bundle, row, gain = problem.bundle, problem.bundle.sea_row, problem.gain
    n, shape = len(draws.error), bundle.mask.shape
    places = problem.observed.places
    at_sea = background.rows(problem.observed)
    cells, at, noise = _errors(background, problem, draws.noise[:, at_sea], seed)
    cells = cells.reshape(n, *bundle.grid.shape) * bundle.mask[row]
    share = np.float32(bundle.settings.sea_share)
    # The background is `share` times the network's output, whose sea is the one that it was given.
    sea = problem.x_b.reshape(shape)[row] / share
    before = bundle.mean_under(sea[None], np.array([problem.month]))[0]
    added = np.empty((n, *shape), np.float32)
    for first in range(0, n, BATCH):
        seas = sea + cells[first : first + BATCH]
        after = bundle.mean_under(seas, np.full(len(seas), problem.month))
        added[first : first + BATCH] = share * (after - before)
    # Only the whole of a departure of the sea is known, so its latent part is taken away here.
    known = draws.error.reshape(n, *shape)[:, row]
    if gain.prior.factor is not None:
        latent = draws.zeta.astype(np.float32) @ gain.prior.factor
        known = known + latent.reshape(n, *shape)[:, row]
    # The background holds but a share of the analysed sea.
    rest = (np.float32(1.0) - share) * sea * bundle.mask[row]
    added[:, row] = cells + rest - known * bundle.mask[row]
    error_at = draws.error_at + bundle.operator.apply(places, added)
    whole = np.zeros(shape, np.float32)
    whole[row] = rest
    rest_at = bundle.operator.apply(places.where(at_sea), whole)
    error_at[:, at_sea] = at + rest_at - (draws.zeta @ gain.latent.T)[:, at_sea]
    noise_at = draws.noise.copy()
    noise_at[:, at_sea] = noise
    return replace(
        draws, error=draws.error + added.reshape(n, -1), error_at=error_at, noise=noise_at
    )


def _errors(
    background: SeaBackground, problem: Problem, noise: Array, seed: int
) -> tuple[Float, Array, Array]:
    """Draw errors of the analysed sea: true sea minus it, standardised.

    ``s - K (H s + noise)`` with s ~ N(0, B) of ensemble OI, which made the analysis, scaled as the
    observations say; on all cells, (n, lat * lon), at the places of the sea's observations, and the
    errors of these.
    """
    # With the robust weights of the analysis.
    observed = replace(problem.observed, variance=problem.gain.variance)
    gain = background.gain(observed, problem.month)
    name = f"draws of the sea, {len(noise)} members, seed {seed}"
    if name not in gain.kept:
        sampler = ErrorSampler(gain.prior.error, len(noise), [seed, 4], only=problem.bundle.sea_row)
        gain.kept[name] = sampler.cells, sampler.at(gain.places)
    cells, at = gain.kept[name]
    bundle = problem.bundle
    sea = problem.observed.value[background.rows(problem.observed)]
    root = np.sqrt(posterior_scale(gain, sea, len(bundle.variables))[bundle.sea_row])
    cells, at, noise = np.float32(root) * cells, root * at, root * noise
    weights = (at + noise) @ gain.whitener.T @ gain.whitener
    error = cells - weights.astype(np.float32) @ gain.columns
    return error, at - weights @ gain.error_covariance, noise

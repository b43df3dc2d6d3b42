"""Draws from the prior and of the observation errors, from which samplers make members."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.posterior.innovation_scale import prior_scale, scale_draws
from mlda_core.assimilation.posterior.sea_error import with_sea_error
from mlda_core.assimilation.random_fields import ErrorSampler
from mlda_core.observations.synthetic import place_noise

if TYPE_CHECKING:
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.assimilation.prior import Prior
    from mlda_core.assimilation.problem import Problem

Float = NDArray[np.float32]
Array = NDArray[np.float64]

# Members of the latest priors that are kept: .8 MB each in the bundled model, with the random
# numbers that give their values at new places.
MOST_KEPT = 200


@dataclass(frozen=True, eq=False)
class Draws:
    """Independent draws of everything that is uncertain, one row for each member.

    Parameters
    ----------
    zeta : ndarray, shape (n, L)
        N(0, I): the latent vector in the metric of the prior.
    error : ndarray of float32, shape (n, cells)
        N(0, B): the representation error, standardised.
    error_at : ndarray, shape (n, p)
        The same fields at the places of the observations.
    noise : ndarray, shape (n, p)
        N(0, R): errors of the observations, standardised.
    seed : int
        That they were drawn with.
    """

    zeta: Array
    error: Float
    error_at: Array
    noise: Array
    seed: int

    @property
    def misfit(self) -> Array:
        """Draws from N(0, S) of what an observation says beyond the decoded state, (n, p)."""
        return self.error_at + self.noise


class DrawsCache:
    """Makes draws; those of the latest priors are kept, for they do not depend on the network.

    A member therefore stays the same draw when a station is added, moved or withheld, as long as
    the prior stays the same: its covariance changes in steps with the number of places.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._samplers: OrderedDict[Any, tuple[Prior, ErrorSampler]] = OrderedDict()

    def of(self, engine: Assimilator, problem: Problem, n: int, seed: int) -> Draws:
        """Return the draws for a network.

        Parameters
        ----------
        engine : Assimilator
        problem : Problem
        n : int
            Number of members.
        seed : int
            Not negative.

        Returns
        -------
        Draws
        """
        bundle, prior = engine.bundle, problem.gain.prior
        key = id(prior), n, seed
        with self._lock:
            # The prior is kept with its draws, so that its id is not given to another.
            if key not in self._samplers:
                self._samplers[key] = prior, ErrorSampler(prior.error, n, [seed, 1])
            self._samplers.move_to_end(key)
            while len(self._samplers) > 1 and sum(k[1] for k in self._samplers) > MOST_KEPT:
                self._samplers.popitem(last=False)
            sampler = self._samplers[key][1]
            cells = sampler.cells
        observed = problem.observed
        kept = problem.gain.kept
        name = f"draws of the error, {n} members, seed {seed}"
        if name not in kept:
            kept[name] = sampler.at(observed.places)
        length = 0 if prior.factor is None else len(prior.factor)
        zeta = np.random.default_rng([seed, 0]).standard_normal((n, length))
        names = [bundle.variables[v].name for v in observed.places.variable]
        lat, lon = observed.places.lat, observed.places.lon
        unit = [place_noise(names, lat, lon, [seed, 3, i]) for i in range(n)]
        # The gain's variances are those that robust weights have enlarged.
        error_sd = np.sqrt(problem.gain.variance)
        noise = np.stack(unit) * error_sd if names else np.zeros((n, 0))
        draws = Draws(zeta, cells, kept[name], noise, seed)
        departures = engine.departures(problem, problem.x_b)
        scale = prior_scale(
            problem.gain,
            departures,
            len(bundle.variables),
            without=bundle.sea_row if problem.sea_held else None,
        )
        draws = scale_draws(problem, draws, scale)
        return with_sea_error(engine, problem, draws, seed) if problem.sea_held else draws

"""Makes the draws of a network, and keeps those that do not depend on it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlda_core.assimilation.posterior.draws import Draws
from mlda_core.assimilation.posterior.innovation_scale import scale_draws, scale_of
from mlda_core.assimilation.posterior.sea_error import with_sea_error
from mlda_core.assimilation.random_fields import ErrorSampler
from mlda_core.observations.synthetic import noise_of, place_keys

if TYPE_CHECKING:
    from mlda_core.assimilation.prior import Prior
    from mlda_core.assimilation.problem import Problem
    from mlda_core.assimilation.sea_background import SeaBackground

# Members of the latest priors that are kept: .8 MB each in the bundled model, with the random
# numbers that give their values at new places.
MOST_KEPT = 200


class DrawsCache:
    """Makes draws; those of the latest priors are kept, for they do not depend on the network.

    A member therefore stays the same draw when a station is added, moved or withheld, as long as
    the prior stays the same: its covariance changes in steps with the number of places.

    Parameters
    ----------
    sea : SeaBackground
        Of the same bundle.
    """

    def __init__(self, sea: SeaBackground) -> None:
        self._sea = sea
        self._lock = threading.Lock()
        self._samplers: OrderedDict[Any, tuple[Prior, ErrorSampler]] = OrderedDict()

    def of(self, problem: Problem, n: int, seed: int) -> Draws:
        """Return the draws for a network.

        Parameters
        ----------
        problem : Problem
        n : int
            Number of members.
        seed : int
            Not negative.

        Returns
        -------
        Draws
        """
        bundle, prior = problem.bundle, problem.gain.prior
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
        noise = np.zeros((n, 0))
        if names:
            keys = place_keys(names, observed.places.lat, observed.places.lon)
            # The gain's variances are those that robust weights have enlarged.
            error_sd = np.sqrt(problem.gain.variance)
            noise = np.stack([noise_of(keys, [seed, 3, i]) for i in range(n)]) * error_sd
        draws = Draws(zeta, cells, kept[name], noise, seed)
        draws = replace(scale_draws(problem, draws, scale_of(problem)), plain=draws)
        return with_sea_error(self._sea, problem, draws, seed) if problem.sea_held else draws

"""Independent draws of everything that is uncertain."""

import numpy as np

from mlda_core.assimilation.posterior.draws import Draws


def test_what_an_observation_says_beyond_the_state_is_of_both_errors():
    rng = np.random.default_rng(0)
    zeta, error, at, noise = (rng.standard_normal((3, n)) for n in (2, 8, 4, 4))
    made = Draws(zeta, error.astype(np.float32), at, noise, seed=5)
    np.testing.assert_array_equal(made.misfit, at + noise)

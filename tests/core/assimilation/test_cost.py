"""The cost of the decoded state, and its gradient."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.cost import DecodedCost
from mlda_core.assimilation.options import Setting


def test_the_gradient_agrees_with_finite_differences(curved):
    engine = Assimilator(curved)
    problem = engine.preparation.of_table(table(curved), 7, Setting()).problem
    cost = DecodedCost(problem)
    zeta = np.random.default_rng(1).standard_normal(curved.n_latent)
    _, gradient = cost.value_and_gradient(zeta)
    step = 1e-2  # single precision: smaller steps drown in rounding
    for k in range(curved.n_latent):
        shift = step * np.eye(curved.n_latent)[k]
        ahead, behind = (cost.value_and_gradient(zeta + sign * shift)[0] for sign in (1, -1))
        assert (ahead - behind) / (2 * step) == pytest.approx(gradient[k], rel=0.02, abs=0.02)

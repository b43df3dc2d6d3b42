"""Gradient descent on z without a prior."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.methods.adam import ADAM_STEPS, descend
from mlda_core.observations.standardised import standardise


@pytest.mark.slow
def test_the_misfit_falls_from_a_random_start_and_no_prior_holds_z(linear):
    observed = standardise(table(linear, 6), linear, 7)
    steps = list(descend(linear, observed, 7))
    assert [index for index, _, _ in steps] == list(range(1, ADAM_STEPS + 1))
    assert steps[-1][2] < 0.2 * steps[0][2]
    # A dozen observations leave some directions of z where they began.
    other = list(descend(linear, observed, 7, seed=1))
    assert np.linalg.norm(steps[-1][1] - other[-1][1]) > 0.5
    np.testing.assert_array_equal(list(descend(linear, observed, 7))[-1][1], steps[-1][1])


@pytest.mark.slow
def test_the_analysis_is_the_decoded_state_and_never_called_converged(linear):
    given = table(linear, 6)
    given.loc[0, "withheld"] = True
    found = Assimilator(linear).run(given, 7, method="adam")
    assert not found.converged
    assert found.outcome == f"stopped after {ADAM_STEPS} steps"
    assert len(found.path) == ADAM_STEPS
    assert found.cost.prior == 0
    np.testing.assert_array_equal(found.anomalies, linear.decode_anomalies(found.z, 7))
    assert found.observations["used"].tolist() == [False] + [True] * (len(given) - 1)


@pytest.mark.slow
def test_many_months_are_fitted_one_by_one(linear):
    observed = standardise(table(linear, 6), linear, 7)
    engine = Assimilator(linear)
    values = np.stack([observed.value, -observed.value])
    x, sd = engine.states(observed.places, observed.variance, values, 7, method="adam")
    (alone,), _ = engine.states(observed.places, observed.variance, values[1:], 7, method="adam")
    np.testing.assert_allclose(x[1], alone, atol=1e-5)
    assert sd == pytest.approx(np.asarray(linear.residual_sd))

"""Conditioning of draws on observations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from exact import at_cells

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.posterior.conditioning import linear_departures, residual_error
from mlda_core.observations.standardised import standardise


def exact(bundle, method, error_sd):
    """Observe centres of cells with a given standardised error: engine, problem and the cells."""
    given = at_cells(bundle, [1, 4, 6], [0, 9, 15], "tas")
    engine = Assimilator(bundle)
    observed = replace(standardise(given, bundle, 7), variance=np.full(3, error_sd**2))
    problem = engine.preparation.problem(observed, np.arange(3), 7, Setting(method=method))
    cells = observed.places.index[np.arange(3), observed.places.weight.argmax(axis=1)]
    return engine, problem, cells


@pytest.mark.parametrize("method", ["vae", "enoi"])
def test_of_observations_without_error_draws_have_no_departure_there(linear, method):
    engine, problem, cells = exact(linear, method, 1e-3)
    draws = engine.draws.of(problem, 20, 0)
    zeta, x = linear_departures(problem.gain, draws)
    assert np.abs(draws.error[:, cells]).max() > 0.3
    assert np.abs(x[:, cells]).max() < 0.03
    assert zeta.shape == draws.zeta.shape
    # Far from them members differ as before.
    assert x.var(axis=0).mean() > 0.3 * draws.error.var(axis=0).mean()


def test_an_error_so_large_that_nothing_is_known_leaves_the_draws(linear):
    engine, problem, _ = exact(linear, "enoi", 1e3)
    draws = engine.draws.of(problem, 5, 0)
    _, x = linear_departures(problem.gain, draws)
    np.testing.assert_allclose(x, draws.error, atol=0.02)


def test_the_residual_takes_up_what_the_decoded_states_leave(linear):
    engine, problem, cells = exact(linear, "vae", 1e-3)
    draws = engine.draws.of(problem, 4, 0)
    left = np.random.default_rng(0).standard_normal((4, 3))
    np.testing.assert_allclose(residual_error(problem.gain, draws, left)[:, cells], left, atol=0.03)


def test_without_observations_the_draws_are_the_members(linear, prepare):
    engine, problem = prepare(linear, count=0)
    draws = engine.draws.of(problem, 3, 0)
    assert residual_error(problem.gain, draws, np.zeros((3, 0))) is draws.error
    zeta, x = linear_departures(problem.gain, draws)
    assert zeta is draws.zeta
    np.testing.assert_allclose(
        x, draws.error + draws.zeta.astype(np.float32) @ problem.gain.prior.factor, atol=1e-5
    )

"""The error of a background that an observed sea makes."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.posterior.sea_error import with_sea_error
from mlda_core.observations.standardised import Observed


@pytest.fixture(scope="module")
def under_sea(linear):
    """An assimilation of the whole sea and of a few places of the air."""
    engine, row = Assimilator(linear), linear.sea_row
    rows, columns = np.nonzero(linear.mask[row])
    which = np.r_[np.full(rows.size, row), [2, 2, 0]]
    rows, columns = np.r_[rows, [1, 4, 6]], np.r_[columns, [3, 9, 12]]
    places = linear.operator.locate(which, linear.grid.lat[rows], linear.grid.lon[columns])
    values = 0.5 * np.random.default_rng(0).standard_normal(which.size)
    observed = Observed(places, values, np.full(which.size, 0.3**2))
    problem = engine.preparation.problem(observed, np.arange(which.size), 7, Setting())
    assert problem.sea_held
    return engine, problem


def test_draws_at_the_observations_are_the_fields_there(linear, under_sea):
    engine, problem = under_sea
    draws = engine.draws.of(problem, 4, 0)
    fields = draws.error.reshape(4, *linear.mask.shape)
    at = linear.operator.apply(problem.observed.places, fields)
    np.testing.assert_allclose(at, draws.error_at, atol=0.02)


def test_the_error_of_the_sea_reaches_the_air(linear, under_sea, still):
    """Of draws that know the sea, only what the network makes of its error is left."""
    engine, problem = under_sea
    nothing = still(engine.draws.of(problem, 6, 0))
    made = with_sea_error(engine.preparation.sea, problem, nothing, 0)
    fields = made.error.reshape(6, *linear.mask.shape)
    air = fields[:, [v for v in range(4) if v != linear.sea_row]]
    assert np.abs(air).max() > 0.01
    assert fields[:, linear.sea_row][:, linear.mask[linear.sea_row]].std() > 0.05
    assert not fields[:, linear.sea_row][:, ~linear.mask[linear.sea_row]].any()
    other = with_sea_error(engine.preparation.sea, problem, nothing, 1)
    assert not np.allclose(other.error, made.error)
    np.testing.assert_array_equal(made.noise, nothing.noise)

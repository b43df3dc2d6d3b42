"""Members about each distinct minimum."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.assimilation.minimisation import minimum
from mlda_core.assimilation.posterior.samplers.multistart import (
    SAME,
    SAMPLER,
    STARTS,
    _shares,
    distinct,
)


def test_a_linear_decoder_has_one_minimum_the_analysis(linear, prepare, still):
    engine, problem = prepare(linear)
    nothing = still(engine.draws.of(problem, 3, 0))
    *_, last = SAMPLER.sample(problem, nothing)
    _, x = minimum(problem)
    assert last.sampled.n_minima == 1
    assert last.sampled.words == f"{STARTS} starts, 1 distinct minimum"
    np.testing.assert_allclose(last.sampled.x, np.tile(x, (3, 1)), atol=0.05)


@pytest.mark.parametrize("n", [7, 100])
def test_each_minimum_has_members_by_its_weight_to_within_one(n):
    weight = np.array([0.62, 0.3, 0.08])
    found = np.bincount(_shares(weight, n, np.random.default_rng(0)), minlength=3)
    assert found.sum() == n
    assert (np.abs(found - n * weight) < 1).all()


def test_minima_are_one_within_a_distance_that_grows_with_the_number_of_latents():
    for size in (1, 100):
        step = np.full(size, SAME)
        for factor, count in ((0.9, 1), (1.1, 2)):
            ends = np.stack([0 * step, factor * step])
            assert len(distinct(ends, np.array([0.0, 1.0]), np.eye(size))) == count

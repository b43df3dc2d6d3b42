"""One minimisation a member, of perturbed observations and prior."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.assimilation.minimisation import minimum
from mlda_core.assimilation.posterior.samplers.laplace import SAMPLER as LAPLACE
from mlda_core.assimilation.posterior.samplers.perturbed import SAMPLER


def sampled(sampler, engine, problem, draws):
    *_, last = sampler.sample(problem, draws)
    return last.sampled


def test_a_draw_of_nothing_is_the_analysis(curved, prepare, still):
    engine, problem = prepare(curved)
    found = sampled(SAMPLER, engine, problem, still(engine.draws.of(problem, 2, 0)))
    _, x = minimum(problem)
    np.testing.assert_allclose(found.x, np.tile(x, (2, 1)), atol=0.02)
    assert found.words == "2 minimisations"


def test_with_a_linear_decoder_each_member_is_that_of_laplace(linear, prepare):
    engine, problem = prepare(linear)
    draws = engine.draws.of(problem, 4, 0)
    mine, closed = (sampled(s, engine, problem, draws) for s in (SAMPLER, LAPLACE))
    np.testing.assert_allclose(mine.x, closed.x, atol=0.05)
    np.testing.assert_allclose(mine.z, closed.z, atol=0.05)


def test_it_needs_a_decoder(linear, prepare):
    engine, problem = prepare(linear, "eof")
    draws = engine.draws.of(problem, 2, 0)
    assert SAMPLER.needs_decoder
    with pytest.raises(ValueError, match="draw in closed form"):
        sampled(SAMPLER, engine, problem, draws)

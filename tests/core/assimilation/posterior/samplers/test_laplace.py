"""Draws about the analysis, in closed form."""

from __future__ import annotations

import numpy as np

from mlda_core.assimilation.cost import DecodedCost
from mlda_core.assimilation.minimisation import minimum
from mlda_core.assimilation.posterior.samplers.laplace import SAMPLER


def test_a_draw_of_nothing_is_the_analysis_and_departures_are_linear(curved, prepare, still):
    engine, problem = prepare(curved)
    draws = engine.draws.of(problem, 3, 0)
    (none,), (some,) = (SAMPLER.sample(problem, given) for given in (still(draws), draws))
    zeta, x = minimum(problem)
    np.testing.assert_allclose(none.sampled.x, np.tile(x, (3, 1)), atol=1e-5)
    at = DecodedCost(problem).z(zeta)
    np.testing.assert_allclose(none.sampled.z, np.tile(at, (3, 1)), atol=1e-6)
    from dataclasses import replace

    parts = ("zeta", "error", "error_at", "noise")
    twice = replace(draws, **{name: 2 * getattr(draws, name) for name in parts})
    (more,) = SAMPLER.sample(problem, twice)
    np.testing.assert_allclose(more.sampled.x - x, 2 * (some.sampled.x - x), atol=1e-3)


def test_a_method_without_a_decoder_has_members_without_latent_vectors(linear, prepare):
    for method in ("enoi", "eof"):
        engine, problem = prepare(linear, method)
        (done,) = SAMPLER.sample(problem, engine.draws.of(problem, 3, 0))
        assert done.sampled.z is None
        assert done.sampled.x.shape == (3, linear.mask.size)
    assert not SAMPLER.needs_decoder

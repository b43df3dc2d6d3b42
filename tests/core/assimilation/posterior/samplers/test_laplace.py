"""Draws about the analysis, in closed form."""

from __future__ import annotations

import numpy as np

from mlda_core.assimilation.posterior.samplers.laplace import SAMPLER


def test_a_draw_of_nothing_is_the_analysis_and_departures_are_linear(curved, prepare, still):
    engine, problem = prepare(curved)
    draws = engine.draws.of(engine, problem, 3, 0)
    (none,), (some,) = (SAMPLER.sample(engine, problem, given) for given in (still(draws), draws))
    zeta, x = engine.minimum(problem)
    np.testing.assert_allclose(none.sampled.x, np.tile(x, (3, 1)), atol=1e-5)
    at = problem.decoded_cost(curved).z(zeta)
    np.testing.assert_allclose(none.sampled.z, np.tile(at, (3, 1)), atol=1e-6)
    from dataclasses import replace

    parts = ("zeta", "error", "error_at", "noise")
    twice = replace(draws, **{name: 2 * getattr(draws, name) for name in parts})
    (more,) = SAMPLER.sample(engine, problem, twice)
    np.testing.assert_allclose(more.sampled.x - x, 2 * (some.sampled.x - x), atol=1e-3)


def test_a_method_without_a_decoder_has_members_without_latent_vectors(linear, prepare):
    for method in ("enoi", "eof"):
        engine, problem = prepare(linear, method)
        (done,) = SAMPLER.sample(engine, problem, engine.draws.of(engine, problem, 3, 0))
        assert done.sampled.z is None
        assert done.sampled.x.shape == (3, linear.mask.size)
    assert not SAMPLER.needs_decoder

"""Draws of the prior and of the errors of observation, made and kept."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.assimilation.posterior import draws_cache as making


def test_each_is_of_its_own_shape(linear, prepare):
    engine, problem = prepare(linear)
    made = engine.draws.of(problem, 5, 3)
    p = len(problem.used)
    assert made.zeta.shape == (5, linear.n_latent)
    assert made.error.shape == (5, linear.mask.size)
    assert made.error_at.shape == made.noise.shape == (5, p)
    assert made.seed == 3


def test_noise_is_as_large_as_the_error_that_an_observation_states(linear, prepare):
    made = {}
    for sd in (1.0, 3.0):
        engine, problem = prepare(linear, error_sd=sd)
        plain = engine.draws.of(problem, 30, 0).plain
        assert plain is not None
        made[sd] = plain.noise
        ratio = made[sd] / np.sqrt(problem.gain.variance)
        assert ratio.std() == pytest.approx(1.0, abs=0.15)
    np.testing.assert_allclose(made[3.0], 3 * made[1.0], rtol=1e-6)


def test_a_seed_is_a_draw(linear, prepare):
    engine, problem = prepare(linear)
    one, same, other = (engine.draws.of(problem, 4, seed) for seed in (0, 0, 1))
    for name in ("zeta", "error", "error_at", "noise"):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
        assert not np.array_equal(getattr(one, name), getattr(other, name))


def test_a_method_without_latent_part_has_no_latent_draws(linear, prepare):
    engine, problem = prepare(linear, "enoi")
    assert engine.draws.of(problem, 4, 0).zeta.shape == (4, 0)


def test_a_bounded_number_of_members_is_kept(linear, prepare, monkeypatch):
    monkeypatch.setattr(making, "MOST_KEPT", 10)
    engine, problem = prepare(linear)
    for seed in range(4):
        engine.draws.of(problem, 4, seed)
    assert [key[2] for key in engine.draws._samplers] == [2, 3]

"""The training of priors: when it stops, and what it is trained on and leaves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from priors import LENGTH, jolted, made_up_codes

from mlda_core.vae.prior_training import (
    Codes,
    PriorTraining,
    loss_of,
    packed,
    train_prior,
    unpack,
)
from mlda_core.vae.priors import PRIORS, TRAINED


def normal_codes(n, rng):
    z = rng.standard_normal((n, LENGTH))
    return Codes(z, np.zeros_like(z), np.ones(n, int), np.zeros(n, bool))


@pytest.mark.slow
@pytest.mark.parametrize("key", TRAINED)
def test_training_leaves_what_is_best_on_months_held_out(trained, key):
    prior, history = trained(key)
    assert history.loss < history.loss_at_start
    assert loss_of(prior, made_up_codes(600, seed=1)) == pytest.approx(history.loss, rel=1e-6)
    assert 0 < history.best_epoch <= history.epochs
    assert not any(weight.requires_grad for weight in prior.network.parameters())


def test_where_there_is_nothing_to_be_learnt_training_stops_early_at_the_start():
    rng = np.random.default_rng(3)
    fresh = PRIORS["flow"].build(LENGTH, {})
    hasty = PriorTraining(epochs=30, rate=5e-2, weight_decay=0.0, patience=5)
    seen = []
    history = train_prior(
        fresh,
        normal_codes(40, rng),
        normal_codes(4000, rng),
        hasty,
        tick=lambda *told: seen.append(told),
    )
    assert history.loss <= history.loss_at_start
    assert history.epochs < 30
    assert history.epochs == history.best_epoch + 5
    assert seen == [(epoch, 30) for epoch in range(1, history.epochs + 1)]


@pytest.mark.parametrize("key", TRAINED)
def test_a_training_is_repeated_to_the_bit(key):
    settings = PriorTraining(epochs=2)
    first, again = (PRIORS[key].build(LENGTH, {}) for _ in range(2))
    for prior in (first, again):
        train_prior(prior, made_up_codes(300), made_up_codes(100, seed=1), settings)
    for a, b in zip(
        first.network.state_dict().values(), again.network.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b)
    np.testing.assert_array_equal(first.sample(3, 5, 1), again.sample(3, 5, 1))


def test_codes_are_joined_chosen_and_drawn():
    both = made_up_codes(5).joined(made_up_codes(3, seed=1, mixed=True))
    assert len(both) == 8
    assert both.mixed.tolist() == [False] * 5 + [True] * 3
    back = both.where(~both.mixed)
    for part in ("mean", "sd", "calendar", "mixed"):
        np.testing.assert_array_equal(getattr(back, part), getattr(made_up_codes(5), part))
    many = Codes(
        np.full((40_000, 1), 3.0),
        np.full((40_000, 1), 0.5),
        np.ones(40_000, int),
        np.zeros(40_000, bool),
    )
    drawn = many.drawn(0)
    assert drawn.mean() == pytest.approx(3.0, abs=0.01)
    assert drawn.std() == pytest.approx(0.5, abs=0.01)
    np.testing.assert_array_equal(many.drawn(0), drawn)
    assert np.abs(many.drawn(1) - drawn).max() > 0.1


@pytest.mark.parametrize("key", TRAINED)
def test_a_network_is_stored_in_half_precision_and_read_again(key):
    prior, fresh = jolted(key, LENGTH, 0.05), PRIORS[key].build(LENGTH, {})
    stored = packed(prior.network)
    assert {v.dtype for v in stored.values() if v.is_floating_point()} == {torch.float16}
    unpack(fresh.network, stored)
    np.testing.assert_allclose(fresh.sample(9, 4, 0), prior.sample(9, 4, 0), atol=0.02)
    assert {v.dtype for v in fresh.network.parameters()} == {torch.float32}
    assert not any(weight.requires_grad for weight in fresh.network.parameters())


@pytest.mark.parametrize("key", TRAINED)
def test_tensors_that_are_not_the_networks_are_refused(key):
    prior = PRIORS[key].build(LENGTH, {})
    stored = packed(prior.network)
    name = next(k for k, v in stored.items() if v.is_floating_point())
    with pytest.raises(ValueError, match=f"{name} holds a number that is not finite"):
        unpack(prior.network, {**stored, name: stored[name] * float("inf")})
    lacking = {k: v for k, v in stored.items() if k != name}
    for wrong in (lacking, {**stored, name: stored[name][:-1]}, {**stored, "more": stored[name]}):
        with pytest.raises(RuntimeError, match="state_dict"):
            unpack(prior.network, wrong)

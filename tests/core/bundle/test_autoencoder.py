"""Encoder and decoder of a bundle."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from mlda_core.bundle.bundle import load_bundle
from mlda_core.climate.errors import StateError


@pytest.fixture
def autoencoder(made):
    return made[0]._autoencoder


def test_jacobians_of_many_threads_at_once(made):
    bundle = load_bundle(made[0].path)
    together = threading.Barrier(12)

    def ask(month: int) -> np.ndarray:
        together.wait(timeout=60)
        bundle.decode_anomalies(np.zeros(6), month)
        return bundle.jacobian(1 + month % 6)

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(ask, range(1, 13)))
    for month, jacobian in zip(range(1, 13), found, strict=True):
        assert jacobian is bundle.jacobian(1 + month % 6)
        np.testing.assert_allclose(jacobian, made[0].jacobian(1 + month % 6), atol=1e-6)


def test_codes_are_the_same_with_a_gradient(made, autoencoder):
    x = np.nan_to_num(made[0].target_standardised("1982-07"))[None]
    mean, sd = autoencoder.encode(x, np.array([7]))
    given = torch.from_numpy(x).requires_grad_()
    code = autoencoder.code_of(given, torch.tensor([7]))
    np.testing.assert_allclose(code.detach().numpy(), mean, atol=1e-5)
    code.sum().backward()
    assert given.grad.abs().max() > 0
    assert (sd > 0).all()


def test_the_refining_network_may_be_left_out(made, autoencoder):
    z = np.random.default_rng(0).standard_normal((2, made[0].n_latent))
    whole, linear = (autoencoder.decode(z, 7, linear=linear) for linear in (False, True))
    assert np.abs(whole - linear).max() > 1e-3
    doubled, nothing = autoencoder.decode(2 * z, 7, linear=True), autoencoder.decode(0 * z, 7)
    middle = autoencoder.decode(0 * z, 7, linear=True)
    np.testing.assert_allclose(doubled - middle, 2 * (linear - middle), atol=1e-4)
    assert nothing.shape == whole.shape


@pytest.mark.parametrize("z", [np.zeros(5), np.zeros((2, 2, 6)), np.full(6, np.inf)])
def test_latent_vectors_that_cannot_be_are_refused(autoencoder, z):
    assert autoencoder.checked(np.zeros(6)).shape == (1, 6)
    with pytest.raises(StateError, match="latent vector"):
        autoencoder.checked(z)

"""What every method of analysis has."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.method import GaussianMethod, Method
from mlda_core.assimilation.methods import METHODS
from mlda_core.assimilation.options import Setting
from mlda_core.observations.standardised import standardise


def test_a_method_must_say_how_it_analyses():
    with pytest.raises(TypeError, match="steps"):
        Method("x", "X", "x", "y.md", rank=1)
    with pytest.raises(TypeError, match="prior"):
        GaussianMethod("x", "X", "x", "y.md", rank=1)


def test_a_method_that_needs_the_sea_asks_bundle_and_network_for_it(linear, aloft):
    needy = [method for method in METHODS.values() if method.needs_sea]
    assert needy
    air, sea = (standardise(table(linear, variables=(v,)), linear, 7) for v in ("tas", "tos"))
    for method in needy:
        assert method.usable(linear)
        assert method.usable(linear, sea.places)
        assert not method.usable(linear, air.places)
        assert not method.usable(aloft)
    assert METHODS["enoi"].usable(aloft)


def test_methods_with_a_posterior_are_gaussian_and_latent_ones_share_the_prior():
    for key, method in METHODS.items():
        assert method.posterior == isinstance(method, GaussianMethod)
        if method.posterior and not key.startswith("vae"):
            assert method.prior_key(Setting(method=key)) == key.removesuffix("_latent_only")


def test_the_mean_of_a_gaussian_method_is_no_anomaly(linear):
    method = METHODS["enoi"]
    observed = standardise(table(linear), linear, 7)
    x_b, z_b, sea_held = method.mean(Assimilator(linear), observed, 7, Setting(method="enoi"))
    assert (x_b.shape, x_b.any()) == ((linear.mask.size,), np.False_)
    assert (z_b.shape, z_b.any()) == ((linear.n_latent,), np.False_)
    assert sea_held is False
    assert method.decoder_fraction(linear.settings, 9, Setting(), sea_held=False) == 0


def test_without_residual_the_latent_part_is_all_where_there_is_one():
    for key, method in METHODS.items():
        assert method.only_decodes(Setting(method=key)) == method.latent_only
    for key in ("vae", "eof"):
        assert METHODS[key].only_decodes(Setting(method=key, residual=False))
    for key in ("enoi", "regression", "adam", "climatology"):
        assert not METHODS[key].only_decodes(Setting(method=key, residual=False))

"""The particle filters of codes; see test_latent_method."""

import pytest

from mlda_core.cycling.methods import cycled_method


@pytest.mark.parametrize("key", ["pf_bootstrap_latent", "pf_optimal_latent"])
def test_their_settings_are_those_of_the_filter_of_codes(key):
    method = cycled_method(key)
    assert method.inner.key == key.removesuffix("_latent")
    assert method.configured(particles=5, threshold=0.2).inner.threshold == 0.2

"""Names of methods as programs and as people write them."""

import pytest

from mlda_core.assimilation.methods import METHODS
from mlda_core.climate.spelling import hyphenated, key_of


@pytest.mark.parametrize("typed", ["vae_latent_only", "VAE-latent-only", " vae-Latent_only\n"])
def test_a_name_is_read_however_it_is_typed(typed):
    assert key_of(typed) == "vae_latent_only"
    assert key_of(3) == "3", "what is no name is refused by who looks it up"


def test_a_name_is_shown_with_hyphens_and_read_back():
    assert hyphenated("vae_latent_only", "eof") == "vae-latent-only, eof"
    assert hyphenated() == ""
    assert [key_of(hyphenated(key)) for key in METHODS] == list(METHODS)

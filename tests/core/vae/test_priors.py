"""The kinds of priors of the latent vector, and what each can do."""

from __future__ import annotations

import pytest

from mlda_core.vae.latent_prior import PriorError, WithDenoiser, WithDensity, WithTransport
from mlda_core.vae.priors import PRIORS, TRAINED, prior_of


def test_the_priors_are_found_and_say_what_they_can_do():
    assert list(PRIORS) == ["gaussian", "flow", "diffusion"]
    assert TRAINED == ("flow", "diffusion")
    protocols = WithDensity, WithTransport, WithDenoiser
    can = {
        key: tuple(isinstance(kind.build(3, {}), p) for p in protocols)
        for key, kind in PRIORS.items()
    }
    assert can == {
        "gaussian": (True, True, True),
        "flow": (True, True, False),
        "diffusion": (False, False, True),
    }
    # An analysis needs the map; what a kind says is what its prior has.
    assert all(kind.analysis == can[key][1] for key, kind in PRIORS.items())


def test_a_prior_is_had_by_its_key_and_others_are_named():
    assert prior_of(" Flow ") is PRIORS["flow"]
    with pytest.raises(PriorError, match="no prior 'guess'; use one of gaussian, flow, diffusion"):
        prior_of("guess")

"""The kind of prior that is a normalising flow."""

from __future__ import annotations

import sys

import pytest

from mlda_core.vae.flow import Flow
from mlda_core.vae.latent_prior import PriorError
from mlda_core.vae.priors.flow import PRIOR


def test_it_is_built_of_a_shape_that_it_tells():
    built = PRIOR.build(3, {"transforms": 2, "hidden": 8})
    assert isinstance(built, Flow)
    assert built.n_latent == 3
    again = PRIOR.build(3, built.shape)
    again.network.load_state_dict(built.network.state_dict())
    assert again.shape == built.shape == {"transforms": 2, "hidden": 8}
    assert PRIOR.trained
    assert PRIOR.analysis


def test_shapes_that_are_none_of_its_own_are_refused():
    with pytest.raises(ValueError, match="900 couplings"):
        PRIOR.build(4, {"transforms": 900})
    with pytest.raises(TypeError, match="layers"):
        PRIOR.build(4, {"layers": 3})


def test_the_library_that_it_needs_is_asked_for(monkeypatch):
    # As where the extra is not installed.
    monkeypatch.setitem(sys.modules, "zuko", None)
    with pytest.raises(PriorError, match=r"needs the library zuko.*\[priors\]"):
        PRIOR.build(4, {})

"""Checks of an assimilation's settings."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.assimilation.options import Background, Setting
from mlda_core.assimilation.validation import setting_of
from mlda_core.climate.errors import StateError


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"metod": "vae"}, "no setting 'metod'; use some of method"),
        ({"method": "kriging"}, "no method 'kriging'; use one of vae"),
        ({"background_weight": 0}, "background_weight is 0; it must be a number above 0"),
        ({"localisation": float("nan")}, "localisation is nan"),
        ({"error_scale": "2"}, "error_scale is '2'"),
        ({"error_scale": True}, "error_scale is True"),
        ({"max_steps": 2.5}, "max_steps is 2.5; it must be a whole number"),
        ({"start": "noon"}, "cannot start at 'noon'; use linear or background"),
        ({"method": "adam", "robust": True}, "adam has no prior to tell gross errors by; leave"),
        ({"background": 3}, "give an analysis, a Background, a month of the bundle"),
    ],
)
def test_what_cannot_be_is_refused_with_its_remedy(given, words):
    with pytest.raises(StateError, match=words):
        setting_of(given)


def test_what_can_be_is_taken():
    state = Background(np.zeros(3), np.zeros((1, 2, 2)))
    made = setting_of({"method": "VAE-latent-only", "max_steps": np.int64(3), "background": state})
    assert (made.method, made.max_steps) == ("vae_latent_only", 3)
    assert setting_of({}) == Setting()

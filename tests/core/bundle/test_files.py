"""The files of a bundle."""

from __future__ import annotations

import numpy as np

from mlda_core.bundle.bundle import Bundle
from mlda_core.vae.dataset import TrainingData
from mlda_core.vae.training import VAE


def test_climatology_and_spread_are_rounded_below_notice(made: tuple[Bundle, VAE, TrainingData]):
    bundle, _, data = made
    mine, theirs = bundle.normaliser, data.normaliser
    assert np.isnan(theirs.climatology).any()
    for name, most in (("climatology", 2e-6), ("centre", 2e-6), ("spread", 4e-5)):
        given, found = getattr(theirs, name), getattr(mine, name)
        # What is missing stays missing.
        np.testing.assert_allclose(found, given, rtol=most, atol=1e-30)

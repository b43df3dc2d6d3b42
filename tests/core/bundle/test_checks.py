"""A bundle held against data."""

from dataclasses import replace

import numpy as np
import pytest

from mlda_core.bundle.checks import check_same_model, decode_all, effective_precision, nonlinearity
from mlda_core.vae.config import ConfigError


def test_a_bundle_fits_the_data_that_it_was_made_of_alone(made):
    bundle, _, data = made
    check_same_model(bundle, data)
    warmer = replace(data.normaliser, climatology=data.normaliser.climatology + 1)
    elsewhere = replace(data.observed, split=np.roll(data.observed.split, 12))
    for other in (replace(data, normaliser=warmer), replace(data, observed=elsewhere)):
        with pytest.raises(ConfigError, match=r"are not those .* was trained with; give the file"):
            check_same_model(bundle, other)


def test_months_decoded_together_equal_those_decoded_one_by_one(made):
    bundle = made[0]
    z = np.random.default_rng(0).standard_normal((200, bundle.n_latent))
    calendar = np.arange(200) % 2 * 6 + 1  # a hundred of one month: more than one batch
    for linear in (False, True):
        found = decode_all(bundle, z, calendar, linear=linear)
        assert found.shape == (200, *bundle.mask.shape)
        for i in (0, 1, 190, 199):
            one = bundle.decode_standardised(z[i : i + 1], int(calendar[i]), linear=linear)
            np.testing.assert_allclose(found[i], one[0], atol=1e-5)


def test_nonlinearity_is_what_the_tangent_leaves_over(made):
    bundle = made[0]
    codes = np.random.default_rng(1).standard_normal((24, bundle.n_latent))
    calendar = np.arange(24) % 12 + 1
    bent = nonlinearity(bundle, codes, calendar)
    assert 0 < nonlinearity(bundle, 0.1 * codes, calendar) < bent < 1


def test_precision_counts_as_many_cells_as_the_training_says(made):
    bundle = made[0]
    found = effective_precision(bundle)
    assert found.shape == bundle.mask.shape
    assert (found[~bundle.mask] == 0).all()
    s = bundle.residual_sd.astype(float) ** 2 + 1e-4
    counts = np.where(bundle.mask, found * s, 0).sum(axis=(1, 2))
    weighted = (bundle.normaliser.weights * s).sum(axis=(1, 2))
    np.testing.assert_allclose(counts, bundle.config["training"]["information"] * weighted)

"""Codes of a small bundle of days as a latent space."""

import numpy as np

from mlda_core.cycling.bundle_case import localisation_of
from mlda_core.cycling.covariance import LocalisedSample
from mlda_core.cycling.latent_space import LatentSpace
from mlda_core.forecast.koopman import LinearDynamics


def test_patterns_are_the_linear_part_of_the_decoder(daily):
    bundle, data = daily
    length = bundle.n_latent
    dynamics = LinearDynamics(0.5 * np.eye(length), np.eye(length))
    rest = LocalisedSample(data.train.x[:4].reshape(4, -1), localisation_of(bundle))
    space = LatentSpace(bundle, dynamics, np.ones(bundle.mask.size), rest)
    z = np.random.default_rng(0).standard_normal((2, length))
    time = np.datetime64("1983-07-04")
    assert space.season(time) == bundle.seasons.of("1983-07-04")
    np.testing.assert_allclose(
        z @ space.patterns(time), space.decode(z, time, linear=True), atol=1e-4
    )
    whole = bundle.decode_standardised(z, space.season(time)).reshape(2, -1)
    np.testing.assert_array_equal(space.decode(z, time), whole.astype(np.float64))

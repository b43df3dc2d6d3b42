"""Latent states: codes, and the small scales that they leave out."""

import numpy as np
import torch

from mlda_core.bundle.checks import decode_all
from mlda_core.bundle.codes import codes_of
from mlda_core.forecast.latent_states import (
    DecodedDynamics,
    pairs_of,
    persistence_of_rest,
)
from mlda_core.forecast.models.persistence import Damped


def test_pairs_are_codes_of_consecutive_days(daily):
    bundle, data = daily
    held = data.observed.in_split("validation")
    codes = codes_of(bundle, held).mean
    found = pairs_of(bundle, held, codes)
    np.testing.assert_array_equal(found.after[:-1], found.before[1:])
    np.testing.assert_allclose(found.before[3], bundle.code(held.names[3]), atol=0.1)


def test_the_rest_persists_as_its_autocorrelation_says(daily):
    bundle, data = daily
    codes = codes_of(bundle, data.train).mean
    damping, variance = persistence_of_rest(bundle, data, codes)
    rest = data.train.x - decode_all(bundle, codes, data.train.season)
    cell = rest[:, 1, 3, 5]
    wanted = (cell[1:] * cell[:-1]).sum() / (cell[:-1] ** 2).sum()
    assert (
        damping[1, 3, 5] == np.float32(np.clip(wanted, 0, 1))
        or abs(damping[1, 3, 5] - max(wanted, 0)) < 0.01
    )
    assert abs(variance[1, 3, 5] - cell.var()) < 0.05 * cell.var() + 1e-4
    assert ((damping >= 0) & (damping <= 1)).all()


def test_a_state_is_decoded_and_its_rest_damped(daily):
    bundle, _ = daily
    damping = torch.full(bundle.mask.shape, 0.25)
    still = DecodedDynamics(bundle, Damped(bundle.n_latent, 1.0, "x"), damping, "still")
    x = np.nan_to_num(bundle.target_standardised("1984-05-10"))
    made = still.step(torch.from_numpy(x.ravel()[None]), np.datetime64("1984-05-10"))
    season = bundle.seasons.of("1984-05-10")
    latent = bundle.decode_standardised(bundle.code("1984-05-10")[None], season)[0]
    wanted = latent + 0.25 * (x - latent)
    np.testing.assert_allclose(made.numpy().reshape(x.shape), wanted, atol=1e-4)
    # From one month into the next the decoder is the next one's.
    last = still.step(torch.zeros(1, still.size), "1984-05-31")
    assert torch.isfinite(last).all()

"""The learnt model of background errors as methods see it."""

import numpy as np
import pytest
import torch

from mlda_core.climate.seasons import DAILY, MONTHLY
from mlda_core.cycling.bundle_case import localisation_of
from mlda_core.cycling.covariance import LocalisedSample
from mlda_core.cycling.error_model import ErrorModel


@pytest.fixture
def model(daily):
    """The decoder of the bundle's own states, as if they were errors."""
    bundle, data = daily
    rest = LocalisedSample(data.train.x[:5].reshape(5, -1), localisation_of(bundle))
    spread = np.linspace(0.5, 2.0, bundle.mask.size)
    return ErrorModel(bundle.decoder, MONTHLY, np.ones_like(spread), spread, rest)


def test_errors_are_decoded_codes_times_their_spread(daily, model):
    bundle, _ = daily
    codes = torch.randn(2, bundle.n_latent, dtype=torch.float64)
    made = model.decode(codes, 4)
    with torch.no_grad():
        plain = bundle.decoder(codes.float(), torch.tensor([4, 4])).flatten(1).double()
    np.testing.assert_allclose(made.detach(), plain * torch.from_numpy(model.spread), atol=1e-6)
    assert made.dtype == torch.float64


def test_its_slope_is_that_of_small_codes_and_of_the_month(daily, model):
    bundle, _ = daily
    slope = model.slope(7)
    assert slope is model.slope(7)
    small = torch.zeros(2, bundle.n_latent, dtype=torch.float64)
    small[1, 0] = 1e-2
    with torch.no_grad():
        made = model.decode(small, 7).numpy()
    np.testing.assert_allclose((made[1] - made[0]) / 1e-2, slope[0], atol=2e-3)


def test_months_are_those_of_the_calendar(model):
    assert model.month(np.datetime64("2001-07-15")) == 7
    days = ErrorModel(model.decoder, DAILY, model.factor, model.spread, model.rest)
    assert days.month(np.datetime64("2001-12-31")) == 12

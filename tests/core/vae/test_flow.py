"""The normalising flow: N(0, I) before training, a density that knows the codes afterwards."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from priors import LENGTH, jolted, made_up_codes
from scipy import stats

from mlda_core.vae.flow import Flow, FlowShape
from mlda_core.vae.latent_prior import context_of
from mlda_core.vae.priors import PRIORS


def test_untrained_it_is_the_normal_distribution():
    rng = np.random.default_rng(0)
    z, calendar = rng.standard_normal((7, LENGTH)), np.arange(1, 8)
    gaussian, flow = (PRIORS[key].build(LENGTH, {}) for key in ("gaussian", "flow"))
    expected = stats.multivariate_normal(np.zeros(LENGTH)).logpdf(z)
    np.testing.assert_allclose(flow.log_density(z, calendar), expected, atol=1e-4)
    np.testing.assert_allclose(flow.sample(5, 3, 2), gaussian.sample(5, 3, 2), atol=1e-6)


@pytest.mark.slow
def test_trained_it_is_a_density_that_knows_the_season_and_the_skewness(trained):
    flow, _ = trained("flow")
    fresh = made_up_codes(4000, seed=2)
    gain = flow.log_density(fresh.mean, fresh.calendar) - PRIORS["gaussian"].build(
        LENGTH, {}
    ).log_density(fresh.mean, fresh.calendar)
    # Of the season alone: -log(.6) and half of what the variance, .86 without it, lacks of one.
    assert gain.mean() > -np.log(0.6) + 0.5 * (0.86 - 1.0)
    winter, summer = flow.sample(3000, 1, 0), flow.sample(3000, 7, 0)
    assert winter[:, 1].mean() == pytest.approx(np.cos(np.pi / 12), abs=0.15)
    assert summer[:, 1].mean() == pytest.approx(-np.cos(np.pi / 12), abs=0.15)
    assert stats.skew(winter[:, 0]) > 0.5
    # Months under mixed seas, three times as large, do not widen the draws.
    assert winter[:, 2:].std() == pytest.approx(1.0, abs=0.15)
    # The density is that of the draws: by the change of variables, derivatives taken one by one.
    z = torch.from_numpy(winter[:3]).float()
    transport = flow.transport(1)
    base = transport.inverse(z)
    torch.testing.assert_close(transport.forward(base), z, atol=1e-3, rtol=0)
    for one, expected in zip(z, flow.log_density(winter[:3], np.ones(3, int)), strict=True):
        slope = torch.autograd.functional.jacobian(lambda v: transport.inverse(v[None])[0], one)
        normal = stats.multivariate_normal(np.zeros(LENGTH)).logpdf(transport.inverse(one[None]))
        assert normal + float(torch.linalg.slogdet(slope)[1]) == pytest.approx(expected, abs=1e-3)


def test_the_density_integrates_to_one_in_every_month():
    """In two dimensions, for a coupling moves one half by the other."""
    # With .3 its tails are so heavy that 5 % of it lie beyond twelve.
    flow = jolted("flow", 2, 0.15)
    axis = np.linspace(-12.0, 12.0, 481)
    z = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    maps = []
    for month in (1, 7):
        density = np.exp(flow.log_density(z, np.full(len(z), month)))
        assert density.sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1.0, abs=1e-3)
        maps.append(density)
    # Neither is N(0, I), nor are they the same.
    normal = stats.multivariate_normal(np.zeros(2)).pdf(z)
    for one, other in ((maps[0], normal), (maps[1], normal), (maps[0], maps[1])):
        assert np.abs(one - other).sum() * (axis[1] - axis[0]) ** 2 > 0.05


@torch.no_grad()
def test_the_inverse_undoes_the_map_in_both_directions():
    flow = jolted("flow", 5, 0.1)
    base = torch.randn((20, 5), generator=torch.Generator().manual_seed(0))
    for month in (2, 8):
        transport = flow.transport(month)
        z = transport.forward(base)
        assert float((z - base).abs().max()) > 0.05
        torch.testing.assert_close(transport.inverse(z), base, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(
            transport.forward(transport.inverse(base)), base, atol=1e-4, rtol=1e-4
        )


def test_draws_are_the_image_of_normal_numbers_of_a_seed_and_a_month():
    flow = jolted("flow", LENGTH, 0.1)
    drawn = flow.sample(6, 4, 9)
    base = PRIORS["gaussian"].build(LENGTH, {}).sample(6, 4, 9)
    with torch.no_grad():
        expected = flow.transport(4).forward(torch.from_numpy(base).float()).numpy()
    np.testing.assert_array_equal(drawn, expected)
    assert drawn.shape == (6, LENGTH)


def test_the_loss_is_the_negative_log_density():
    flow = jolted("flow", LENGTH, 0.1)
    z, calendar = np.random.default_rng(0).standard_normal((7, LENGTH)), np.arange(1, 8)
    with torch.no_grad():
        loss = flow.loss(torch.from_numpy(z).float(), context_of(torch.from_numpy(calendar)), None)
    np.testing.assert_allclose(loss.numpy(), -flow.log_density(z, calendar), rtol=1e-5)


def test_the_shape_is_kept_and_one_that_is_none_is_refused():
    assert Flow(3, FlowShape(transforms=2, hidden=8)).shape == {"transforms": 2, "hidden": 8}
    for wrong in ({"transforms": 0}, {"transforms": 900}, {"hidden": 0}, {"hidden": 900}):
        with pytest.raises(ValueError, match=r"a flow of .* couplings of .* units"):
            FlowShape(**wrong)

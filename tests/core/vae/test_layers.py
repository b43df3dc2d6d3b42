"""Convolutions on the sphere, and layers that know the calendar month."""

from __future__ import annotations

import pytest
import torch

from mlda_core.vae.layers import (
    MonthBlock,
    SphereConv,
    halves_are_fast,
    month_features,
    pad_to_multiple,
)


def test_month_features_are_smooth_round_the_year():
    features = month_features(torch.arange(1, 13), 2)
    steps = (features - features.roll(1, 0)).norm(dim=1)
    assert steps.max() < 1.01 * steps.min()  # December to January is a step like any other
    assert month_features(torch.tensor([3]), 0).shape == (1, 1)


def test_convolution_turns_with_the_globe():
    torch.manual_seed(0)
    conv = SphereConv(2, 3, periodic=True)
    x = torch.randn(1, 2, 6, 12)
    assert torch.allclose(conv(x.roll(5, -1)), conv(x).roll(5, -1), atol=1e-6)


def test_convolution_looks_over_the_pole():
    conv = SphereConv(1, 1, periodic=True)
    with torch.no_grad():
        conv.conv.weight.zero_()
        conv.conv.bias.zero_()
        conv.conv.weight[0, 0, 0, 1] = 1.0  # looks one row towards the south
    x = torch.arange(48.0).view(1, 1, 4, 12)
    out = conv(x)
    assert torch.equal(out[0, 0, 1:], x[0, 0, :-1])
    assert torch.equal(out[0, 0, 0], x[0, 0, 0].roll(6))


def test_regional_grid_repeats_its_edge_and_any_size_is_padded():
    conv = SphereConv(1, 1, periodic=False)
    with torch.no_grad():
        conv.conv.weight.fill_(1 / 9)
        conv.conv.bias.zero_()
    assert torch.allclose(conv(torch.ones(1, 1, 3, 5)), torch.ones(1, 1, 3, 5))
    x = torch.arange(35.0).view(1, 1, 5, 7)
    wrapped = pad_to_multiple(x, 4, periodic=True)
    assert wrapped.shape == (1, 1, 8, 8)
    assert torch.equal(wrapped[..., :5, 7], x[..., 0])


def test_blocks_start_blind_to_the_month():
    block = MonthBlock(4, 8, 5, periodic=True)
    x = torch.randn(2, 4, 4, 8)
    january, july = month_features(torch.tensor([1, 1]), 2), month_features(torch.tensor([7, 7]), 2)
    assert torch.equal(block(x, january), block(x, july))


@pytest.mark.parametrize(
    ("capability", "device", "fast"),
    [("AVX2", "cpu", False), ("AVX512", "cpu", True), ("AVX2", "cuda", True)],
)
def test_bfloat16_only_where_it_is_fast(monkeypatch, capability, device, fast):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert halves_are_fast(torch.device(device)) is fast

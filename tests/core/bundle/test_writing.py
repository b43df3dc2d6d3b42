"""What is written into a bundle's folder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from small import make_small

from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.bundle.files import CALIBRATION_FILES, unpack_tensors
from mlda_core.bundle.writing import add_statistics, pack_tensors
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


def test_patterns_are_bytes_statistics_exact_and_the_mask_is_left_out():
    generator = torch.Generator().manual_seed(0)
    patterns = torch.randn(5, 40, generator=generator) * torch.logspace(-3, 2, 5)[:, None]
    given = {
        "decoder.patterns": patterns,
        "decoder.mask": torch.ones(4),
        "residual_sd": torch.rand(4, generator=generator),
        "encoder.weight": torch.randn(4, generator=generator),
    }
    stored = pack_tensors(given)
    assert stored["decoder.patterns"].dtype == torch.int8
    assert stored["encoder.weight"].dtype == torch.float16
    again = unpack_tensors(stored)
    assert set(again) == set(given) - {"decoder.mask"}
    assert torch.equal(again["residual_sd"], given["residual_sd"])
    error = (again["decoder.patterns"] - patterns).abs().amax(dim=1)
    assert (error <= 0.501 * patterns.abs().amax(dim=1) / 127).all()


@pytest.mark.slow
def test_statistics_are_written_anew_without_the_sea_network_of_before(tmp_path):
    bundle = make_small(tmp_path, curved=0.0)
    settings = replace(bundle.settings, sea_share=0.5)
    assert bundle.sea is not None
    add_statistics(bundle, bundle.statistics, settings, None)
    again = load_bundle(bundle.path)
    assert again.settings == settings
    assert again.sea is None
    assert not (bundle.path / CALIBRATION_FILES[2]).exists()
    # Packed once more, so each pattern has another step.
    for name in ("coefficients", "leftover"):
        pair = [getattr(b.statistics, name).ravel() for b in (again, bundle)]
        assert np.corrcoef(pair)[0, 1] > 0.9999
    np.testing.assert_array_equal(again.statistics.calendar, bundle.statistics.calendar)

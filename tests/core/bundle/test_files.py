"""The files of a bundle."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mlda_core.bundle.bundle import Bundle
from mlda_core.bundle.files import impact_names, pack_tensors, read_scores, unpack_tensors
from mlda_core.climate.errors import BundleError
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


def test_names_of_heads_are_those_that_a_link_can_hold(tmp_path):
    for name in ("thames", "rhine-2", "No Name", "empty"):
        folder = tmp_path / "impacts" / name
        folder.mkdir(parents=True)
        if name != "empty":
            (folder / "head.json").touch()
    assert impact_names(tmp_path) == ("rhine-2", "thames")
    assert impact_names(tmp_path / "absent") == ()


@pytest.mark.parametrize("text", ["{", "[]", "3", "[" * 100_000])
def test_scores_are_read_or_refused_with_the_remedy(tmp_path, text):
    file = tmp_path / "scores.json"
    assert read_scores(file) == {}
    file.write_text('{"months": {"test": 24}}')
    assert read_scores(file) == {"months": {"test": 24}}
    file.write_text(text)
    with pytest.raises(BundleError, match=r"scores\.json .*; delete it, or copy the bundle again"):
        read_scores(file)


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

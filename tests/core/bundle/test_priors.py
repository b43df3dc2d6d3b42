"""Trained priors in a bundle: kept, checked when they are read, never executed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from priors import jolted
from safetensors.torch import load_file, save_file
from small import make_bare

from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.files import MOST_PRIOR_BYTES, PRIOR_FILES, checksum
from mlda_core.bundle.writing import add_prior
from mlda_core.climate.errors import BundleError
from mlda_core.vae.priors import TRAINED


@pytest.fixture
def folder(tmp_path):
    bundle = make_bare(tmp_path)
    for key in TRAINED:
        add_prior(
            load_bundle(bundle.path), key, jolted(key, bundle.n_latent, 0.05), {"seconds": 1.0}
        )
    return bundle.path


def refusal(folder, key):
    with pytest.raises(BundleError) as caught:
        load_bundle(folder).prior(key)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def repeat_checksum(folder, key):
    """As whoever swaps a file on purpose would."""
    config = json.loads((folder / "config.json").read_text())
    config["priors"][key]["checksum"] = checksum(folder / PRIOR_FILES[key])
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("key", TRAINED)
def test_a_prior_is_read_as_it_was_written(folder, key):
    bundle = load_bundle(folder)
    assert bundle.prior(key) is bundle.prior(key)
    mine = jolted(key, bundle.n_latent, 0.05)
    # Half precision.
    np.testing.assert_allclose(bundle.prior(key).sample(9, 4, 0), mine.sample(9, 4, 0), atol=0.02)
    assert (folder / PRIOR_FILES[key]).stat().st_size < MOST_PRIOR_BYTES
    assert bundle.config["priors"][key]["seconds"] == 1.0


def test_the_model_and_its_scores_do_not_know_of_priors(folder, tmp_path):
    without = make_bare(tmp_path / "other")
    assert load_bundle(folder).config["checksums"] == without.config["checksums"]
    assert without.prior("gaussian").n_latent == without.n_latent


def test_a_prior_that_was_not_trained_is_asked_for(tmp_path):
    bundle = make_bare(tmp_path)
    for key in TRAINED:
        assert f"mlda prior train {bundle.path} --config FILE --prior {key}" in refusal(
            bundle.path, key
        )


@pytest.mark.parametrize("key", TRAINED)
def test_a_changed_or_missing_file_is_found_on_loading(folder, key):
    file = folder / PRIOR_FILES[key]
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(BundleError, match=f"{file.name} is damaged"):
        load_bundle(folder)
    file.unlink()
    with pytest.raises(BundleError, match=f"lacks {file.name}"):
        load_bundle(folder)


@pytest.mark.parametrize("key", TRAINED)
def test_contents_that_do_not_fit_are_refused(folder, key):
    file = folder / PRIOR_FILES[key]
    tensors = load_file(file)
    name = next(k for k, v in tensors.items() if v.is_floating_point() and v.ndim == 2)
    for wrong, words in (
        ({**tensors, name: tensors[name][:-1].contiguous()}, "does not fit"),
        ({**tensors, name: tensors[name] * float("nan")}, "not finite"),
        ({k: v for k, v in tensors.items() if k != name}, "does not fit"),
        ({**tensors, "more": torch.zeros(1)}, "does not fit"),
    ):
        save_file(wrong, file)
        repeat_checksum(folder, key)
        assert words in refusal(folder, key)
    file.write_bytes(b"no tensors")
    repeat_checksum(folder, key)
    assert "does not fit" in refusal(folder, key)
    save_file({"weight": torch.zeros(MOST_PRIOR_BYTES)}, file)
    repeat_checksum(folder, key)
    assert "larger than a prior can be" in refusal(folder, key)


def test_a_configuration_that_does_not_fit_is_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    for wrong in ([], {"flow": 3}, {"flow": {"shape": {}}}):
        (folder / "config.json").write_text(json.dumps({**config, "priors": wrong}))
        with pytest.raises(BundleError, match="no 'priors' that can be used"):
            load_bundle(folder)
    for shape in ({"transforms": 10**9}, {"layers": 3}, {"transforms": "four"}, 3):
        changed = {**config["priors"], "flow": {**config["priors"]["flow"], "shape": shape}}
        (folder / "config.json").write_text(json.dumps({**config, "priors": changed}))
        assert "does not fit" in refusal(folder, "flow")


def test_a_prior_that_is_too_large_is_not_written(tmp_path, monkeypatch):
    bundle = make_bare(tmp_path)
    monkeypatch.setattr("mlda_core.bundle.writing.MOST_PRIOR_BYTES", 300_000)
    with pytest.raises(BundleError, match="more than 300 kB"):
        add_prior(
            bundle, "diffusion", jolted("diffusion", bundle.n_latent, 0.05, {"hidden": 512}), {}
        )
    assert not [p for p in bundle.path.iterdir() if "prior" in p.name]

"""Learnt models of background errors as a file."""

from dataclasses import replace

import numpy as np
import pytest

from mlda_core.climate.errors import UserError
from mlda_core.cycling import error_model_file
from mlda_core.cycling.error_model_file import (
    ErrorModels,
    load_error_models,
    save_error_models,
)
from mlda_core.vae.latent_prior import PriorError


@pytest.mark.slow
def test_what_is_written_is_read_again(daily, models, tmp_path):
    bundle, _ = daily
    path = tmp_path / "models.safetensors"
    save_error_models(path, models)
    read = load_error_models(path, bundle)
    one, other = models.of(bundle, 10), read.of(bundle, 10)
    np.testing.assert_allclose(other.spread, one.spread, rtol=1e-6)
    np.testing.assert_allclose(other.rest.variance.mean(), one.rest.variance.mean(), rtol=1e-2)
    close = np.abs(other.slope(3) - one.slope(3)).max() / np.abs(one.slope(3)).max()
    assert close < 0.03
    assert list(other.priors) == ["flow", "diffusion"]
    for key, prior in one.priors.items():
        np.testing.assert_allclose(
            other.prior(key).sample(3, 2, 0), prior.sample(3, 2, 0), atol=0.02
        )


def test_files_of_other_states_are_refused(daily, models, tmp_path):
    bundle, _ = daily
    path = tmp_path / "models.safetensors"
    wrong: ErrorModels = replace(models, months=models.months + 12)
    save_error_models(path, wrong)
    with pytest.raises(UserError, match="is not of the states"):
        load_error_models(path, bundle)
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match="mlda cycle train"):
        load_error_models(path, bundle)


def test_a_library_that_is_missing_is_no_damage(daily, models, tmp_path, monkeypatch):
    bundle, _ = daily
    path = tmp_path / "models.safetensors"
    save_error_models(path, models)

    def missing(key):
        raise PriorError(f"The {key} prior needs a library.")

    monkeypatch.setattr(error_model_file, "prior_of", missing)
    with pytest.raises(PriorError, match="needs a library"):
        load_error_models(path, bundle)

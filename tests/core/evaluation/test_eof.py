"""Empirical orthogonal functions, the linear baseline."""

from __future__ import annotations

import numpy as np
import pytest
from climate import make_config

from mlda_core.evaluation.eof import fit_eofs
from mlda_core.vae.dataset import load_training_data


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return load_training_data(make_config(tmp_path_factory.mktemp("eof")))


@pytest.fixture(scope="module")
def basis(data):
    return fit_eofs(data, 8)


def test_codes_of_the_training_months_are_uncorrelated_and_of_unit_variance(data, basis):
    codes = basis.codes(data.train.x)
    assert codes.shape == (len(data.train), 8)
    np.testing.assert_allclose(codes.T @ codes / len(codes), np.eye(8), atol=0.02)
    assert (np.diff(basis.variances) <= 0).all()


def test_reconstruction_is_a_projection(data, basis):
    x = data.train.x[:10]
    once = basis.reconstruct(x)
    assert once.shape == x.shape
    np.testing.assert_allclose(basis.reconstruct(once), once, atol=1e-3)
    # What is left over is orthogonal to the patterns, cells counting by their weights.
    weights = data.normaliser.weights
    left = ((x - once) * weights).reshape(10, -1) @ basis.patterns.T
    assert (
        np.abs(left).max() < 1e-3 * np.abs((x * weights).reshape(10, -1) @ basis.patterns.T).max()
    )


def test_four_patterns_make_the_climate_and_more_are_noise(data):
    weights = data.normaliser.weights

    def lost(count):
        left = data.train.x - fit_eofs(data, count).reconstruct(data.train.x)
        return (weights * left**2).sum() / (weights * data.train.x**2).sum()

    three, four, eight = lost(3), lost(4), lost(8)
    assert three - four > 3 * (four - eight) > 0

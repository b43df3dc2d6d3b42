"""Sensitivities estimated from runs: the truth at their resolution, and the atlas' patches."""

from __future__ import annotations

import numpy as np
import pytest
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.evaluation.gcm_atlas import area_of, gcm_atlas_of, patches_alone, predictors
from mlda_core.perturbation.atlas import AtlasRun
from mlda_core.perturbation.greens_function import correlation, resolution
from mlda_core.perturbation.responder import Responder

MONTHS = ("1982-01", "1982-07")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("runs"), curved=0.002)


@pytest.fixture(scope="module")
def alone(small):
    return patches_alone(small, MONTHS)


@pytest.mark.slow
def test_the_patches_are_those_of_an_atlas(small, alone):
    run = AtlasRun(Responder(Assimilator(small)), MONTHS)
    for _ in run.steps():
        pass
    made = run.atlas()
    assert made.patches == alone.patches
    np.testing.assert_allclose(alone.change, made.change, atol=1e-6)
    np.testing.assert_allclose(alone.shares, made.shares, atol=1e-6)


def test_shares_of_the_open_sea_add_up(alone):
    assert 0.9 < area_of(alone).sum() < 1.0 + 1e-9


def test_a_mean_that_follows_the_sea_is_found(small, alone):
    rng = np.random.default_rng(1)
    sea = np.zeros((2, 360, *small.mask.shape))
    amounts = rng.normal(size=(2, 360, len(alone.patches)))
    sea[:, :, small.sea_row] = np.einsum("mtp,pij->mtij", amounts, alone.change)
    sea[:, :, small.sea_row] += 0.01 * rng.normal(size=sea[:, :, small.sea_row].shape)
    x = predictors(sea, alone)
    true = rng.normal(size=len(alone.patches))
    names = [variable.name for variable in small.variables]
    row = names.index("psl")
    # Pressure everywhere is what the patches say, and a little weather.
    weather = 0.01 * x.std() * rng.normal(size=x.shape[:2])
    sea[:, :, row] = ((x @ true) + weather)[..., None, None] * small.mask[row]
    sea -= sea.mean(axis=1, keepdims=True)
    found = gcm_atlas_of(sea, alone)
    at = found.regions.index("globe"), row
    # Neighbouring patches of so few cells are nearly the same: what is found is the resolved part.
    seen = resolution(found.gram, float(found.ratio[at])) @ true
    assert correlation(found.sensitivity[at], seen, found.area) > 0.99
    assert found.halves[at] > 0.95
    assert 0.5 * len(alone.patches) < found.known("globe")[row] < len(alone.patches)
    assert (found.members, found.months) == (2, 360)

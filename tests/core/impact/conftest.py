"""Fixtures of tests/core/impact."""

from __future__ import annotations

import numpy as np
import pytest
from impact_series import QUICK, series_of
from small import make_bare

from mlda_core.impact.samples import codes_of
from mlda_core.impact.training import train_impact


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    return make_bare(tmp_path_factory.mktemp("impact"), curved=0.03)


@pytest.fixture(scope="session")
def codes(bundle):
    z, _, calendar = codes_of(bundle)
    return z / z.std(axis=0), calendar


@pytest.fixture(scope="session")
def river(bundle, codes):
    """A positive, skewed, seasonal series that the first latent rules, with a known rest."""
    z, calendar = codes
    rest = np.random.default_rng(3).standard_normal(len(z))
    log = 3 + np.cos(2 * np.pi * calendar / 12) + 0.8 * z[:, 0] + 0.3 * rest
    return series_of(bundle, np.exp(log))


@pytest.fixture(scope="session")
def head(bundle, river):
    return train_impact(bundle, river, name="river", training=QUICK, score_test=True)

"""Leading EOFs in the decoder's place."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.methods import METHODS
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.prior import PriorRequest


def prior_of(bundle, weight=1.0):
    request = PriorRequest(bundle, 7, 0.0, 1.0, weight, sea_held=False)
    return METHODS["eof"].prior(request, Setting(method="eof"))


def test_the_latent_part_has_the_seasons_covariance_of_the_leading_patterns(linear):
    prior = prior_of(linear)
    s, st = linear.settings, linear.statistics
    count = len(prior.factor)
    assert count == min(linear.n_latent, len(linear.decoder.patterns))
    leading = st.months(7, s.season_width, s.season_floor)[:count, :count]
    part = slice(0, 200)
    patterns = st.patterns[:count, part].astype(float)
    np.testing.assert_allclose(
        prior.factor[:, part].T @ prior.factor[:, part], patterns.T @ leading @ patterns, atol=1e-3
    )
    assert prior.turn is None, "there is no decoder to search"


def test_a_weight_on_the_background_narrows_the_latent_part_alone(linear):
    one, four = prior_of(linear), prior_of(linear, weight=4.0)
    np.testing.assert_allclose(np.abs(four.factor), 0.5 * np.abs(one.factor), atol=1e-5)
    np.testing.assert_array_equal(four.error.coefficients, one.error.coefficients)


def test_latent_only_is_the_analysis_without_its_residual(linear):
    engine, given = Assimilator(linear), table(linear)
    whole, latent = (engine.run(given, 7, method=m) for m in ("eof", "eof_latent_only"))
    np.testing.assert_allclose(
        latent.anomalies[linear.mask], whole.latent_only[linear.mask], atol=1e-4
    )
    assert whole.cost.total == pytest.approx(latent.cost.total, rel=1e-4)
    assert len(whole.path) == 1, "in closed form"

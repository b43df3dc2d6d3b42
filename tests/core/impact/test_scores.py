"""Scores of impact heads and of what they are compared with."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from mlda_core.impact.head import LEVELS
from mlda_core.impact.samples import Samples
from mlda_core.impact.scores import _crps_of, rows_of, scores_of


def test_crps_is_that_of_a_normal_distribution():
    w = np.array([-1.0, 0.0, 2.5])
    closed = w * (2 * norm.cdf(w) - 1) + 2 * norm.pdf(w) - 1 / math.sqrt(math.pi)
    quantiles = np.tile(norm.ppf(LEVELS), (3, 1))
    np.testing.assert_allclose(_crps_of(quantiles, w), closed, atol=2e-3)


def test_climatology_is_the_zero_of_skill_and_the_truth_its_one():
    rng = np.random.default_rng(0)
    n = 120
    calendar, years = np.tile(np.arange(1, 13), n // 12), np.repeat(np.arange(n // 12), 12)
    nothing = np.zeros((n, 1, 2))
    part = Samples(nothing, nothing, calendar, years, 5.0 + rng.standard_normal(n))
    methods = {
        "climatology": lambda part: np.tile(5.0 + norm.ppf(LEVELS), (len(part), 1)),
        "truth": lambda part: np.tile(part.values[:, None], (1, len(LEVELS))),
    }
    scores = scores_of(methods, part, part)
    assert [name for name, _ in rows_of(scores)] == list(methods)
    assert (scores["months"], scores["years"]) == (n, n // 12)
    assert scores["climatology"]["crps_skill"] == 0
    # The expectation of the CRPS of N(0, 1) under itself.
    assert scores["climatology"]["crps"] == pytest.approx(1 / math.sqrt(math.pi), rel=0.1)
    assert scores["truth"]["crps_skill"] == 1
    assert scores["truth"]["crps_skill_interval"] == [1, 1]
    assert scores["truth"]["correlation"] == pytest.approx(1)
    # Of 120 months, four fifths within the interval to two standard deviations.
    assert scores["climatology"]["coverage"] == pytest.approx(0.8, abs=0.08)

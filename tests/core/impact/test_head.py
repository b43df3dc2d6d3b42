"""Impact heads: months that are seen, and the distributions that they give."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import norm

from mlda_core.impact.head import ImpactError, Prediction, Scale, Transform, before, seen_months


def test_months_before():
    assert before("1998-02", 3) == ("1998-01", "1997-12", "1997-11")
    assert before("1998-02", 0) == ()


def test_months_that_lack_a_variable_are_not_seen():
    full = np.zeros((2, 4, 8))
    half = full.copy()
    half[1, :, :5] = np.nan
    months = ("2000-01", "2000-02", "2000-03", "2000-05")
    fields = dict(zip(months, (full, half, full, full), strict=True))
    made = SimpleNamespace(
        months=months,
        mask=np.ones((2, 4, 8), bool),
        grid=SimpleNamespace(weights=np.full((4, 8), 1 / 32)),
        target_standardised=fields.__getitem__,
    )
    assert seen_months(made).tolist() == [True, False, True, True]
    assert seen_months(made, min_cover=0.3).tolist() == [True] * 4
    # The month before counts too: there is no 2000-04, and 1999-12.
    assert seen_months(made, 1, min_cover=0.3).tolist() == [False, True, True, False]


@pytest.mark.parametrize("power", [0.0, 0.3, 1.0])
def test_transforms_invert(power):
    transform = Transform(power, 0.5, bounded=True)
    values = np.array([0.0, 0.1, 1.0, 250.0])
    np.testing.assert_allclose(transform.inverse(transform.forward(values)), values, atol=1e-9)
    assert (transform.inverse([-1e6, -3.0]) >= 0).all()
    assert np.isfinite(transform.inverse([1e3])).all()


def test_transforms_suit_their_series():
    rng = np.random.default_rng(0)
    assert Transform.fitted(np.exp(rng.normal(size=4000))).power == pytest.approx(0, abs=0.1)
    assert Transform.fitted(rng.normal(size=4000) + 20).power > 0.4
    assert not Transform.fitted(rng.normal(size=100)).bounded
    dry = Transform.fitted(np.r_[np.zeros(20), rng.gamma(2, size=200)])
    assert dry.bounded
    assert dry.shift > 0
    assert dry.inverse(dry.forward(0.0)) == pytest.approx(0)


def test_a_prediction_is_its_distribution():
    scale = Scale(Transform(0.0, 0.0, bounded=True), np.full(12, 2.0), np.full(12, 0.5))
    one = Prediction(np.array([1.0]), np.array([0.8]), np.array([3]), scale, "m3/s")
    # The logarithm is normal, mean 2 + 0.5, standard deviation 0.4.
    assert one.median[0] == pytest.approx(math.exp(2.5))
    assert one.mean[0] == pytest.approx(math.exp(2.5 + 0.08), rel=2e-3)
    assert one.quantile(0.9)[0] == pytest.approx(math.exp(2.5 + 0.4 * norm.ppf(0.9)))
    assert one.quantile([0.1, 0.9]).shape == (1, 2)
    assert one.probability_below(math.exp(2.5))[0] == pytest.approx(0.5)


def test_what_is_no_month_or_no_latent_vector(head):
    for month in (0, 13, "1997-13", "1997", 1.5, True):
        with pytest.raises(ImpactError, match="is not a month"):
            head.predict(np.zeros(6), month)
    with pytest.raises(ImpactError, match="has 6 numbers, not 5"):
        head.predict(np.zeros(5), 1)
    with pytest.raises(ImpactError, match="not finite"):
        head.predict(np.full(6, np.nan), 1)
    with pytest.raises(ImpactError, match="3 vectors but 2 months"):
        head.predict(np.zeros((3, 6)), [1, 2])

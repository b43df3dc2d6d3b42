"""Scores against closed forms and against NumPy's own weighted statistics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mlda_core.climate.metrics import compare, pattern_correlation

FLOATS = st.floats(-50, 50).map(lambda value: round(value, 3))


@pytest.fixture
def fields():
    rng = np.random.default_rng(1)
    target = rng.normal(0.3, 2.0, (12, 24))
    model = 0.6 * target + rng.normal(0.1, 1.0, target.shape)
    weights = np.outer(np.cos(np.radians(np.linspace(-82.5, 82.5, 12))), np.ones(24))
    return target, model, weights


def test_perfect_model(fields):
    target, _, weights = fields
    score = compare(target, target, weights)
    assert score.r == pytest.approx(1)
    assert score.rmse == 0
    assert score.explained_variance == 1
    assert score.target_mean == score.model_mean


def test_climatology_explains_nothing(fields):
    target, _, weights = fields
    score = compare(target, np.zeros_like(target), weights)
    assert score.explained_variance == pytest.approx(0)
    assert np.isnan(score.r)
    assert score.rmse == pytest.approx(np.sqrt(np.average(target**2, weights=weights)))


def test_opposite_model_explains_minus_three(fields):
    # 1 - (2t)^2 / t^2
    target, _, weights = fields
    score = compare(target, -target, weights)
    assert score.explained_variance == pytest.approx(-3)
    assert score.r == pytest.approx(-1)


def test_explained_variance_is_uncentred_and_r_is_centred(fields):
    target, _, weights = fields
    score = compare(target, target + 1.0, weights)
    power = np.average(target**2, weights=weights)
    assert score.r == pytest.approx(1)
    assert score.rmse == pytest.approx(1)
    assert score.explained_variance == pytest.approx(1 - 1 / power)
    assert score.model_mean - score.target_mean == pytest.approx(1)


def test_against_numpys_weighted_covariance(fields):
    target, model, weights = fields
    covariance = np.cov(target.ravel(), model.ravel(), aweights=weights.ravel(), ddof=0)
    score = compare(target, model, weights)
    assert score.r == pytest.approx(covariance[0, 1] / np.sqrt(covariance.diagonal().prod()))
    assert score.target_mean == pytest.approx(np.average(target, weights=weights))
    assert score.model_mean == pytest.approx(np.average(model, weights=weights))
    mse = np.average((target - model) ** 2, weights=weights)
    assert score.rmse == pytest.approx(np.sqrt(mse))
    assert score.explained_variance == pytest.approx(
        1 - mse / np.average(target**2, weights=weights)
    )


def test_weights_count_like_repeated_cells():
    target, model = np.array([1.0, -2.0, 4.0]), np.array([0.5, -1.0, 5.0])
    weighted = compare(target, model, np.array([3.0, 1.0, 2.0]))
    order = [0, 0, 0, 1, 2, 2]
    repeated = compare(target[order], model[order], np.ones(6))
    for name in ("r", "rmse", "explained_variance", "target_mean", "model_mean"):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name))


def test_cells_missing_in_either_are_left_out_of_both(fields):
    target, model, weights = fields
    kept = np.ones(target.shape, dtype=bool)
    kept[2, 3:9] = kept[7] = False
    holed_target, holed_model = target.copy(), model.copy()
    holed_target[2, 3:9] = np.nan
    holed_model[7] = np.nan
    holed = compare(holed_target, holed_model, weights)
    cut = compare(target[kept], model[kept], weights[kept])
    assert vars(holed) == pytest.approx(vars(cut))


def test_nothing_left_is_nan_not_an_error():
    nothing = np.full((3, 4), np.nan)
    assert all(np.isnan(list(vars(compare(nothing, np.ones((3, 4)), np.ones((3, 4)))).values())))


def test_weights_broadcast_over_variables_and_months(fields):
    target, model, weights = fields
    stacked = compare(np.stack([target, target]), np.stack([model, model]), weights)
    assert vars(stacked) == pytest.approx(vars(compare(target, model, weights)))


def test_single_precision_fields_are_summed_in_double():
    # A mean of 1000 hPa on float32 fields: float32 sums would lose the anomaly.
    rng = np.random.default_rng(2)
    target = (1e5 + rng.normal(size=(48, 96))).astype(np.float32)
    model = (target + 0.5).astype(np.float32)
    score = compare(target, model, np.ones_like(target))
    assert score.target_mean == pytest.approx(target.astype(float).mean(), abs=1e-6)
    assert score.rmse == pytest.approx(0.5, rel=1e-6)
    assert score.r == pytest.approx(1, abs=1e-6)


@given(
    hnp.arrays(np.float64, (4, 5), elements=FLOATS),
    hnp.arrays(np.float64, (4, 5), elements=FLOATS),
    st.floats(0.1, 10),
)
def test_units_scale_rmse_and_leave_the_rest(target, model, factor):
    weights = np.outer([1.0, 2.0, 2.0, 1.0], np.ones(5))
    one, other = compare(target, model, weights), compare(factor * target, factor * model, weights)
    assert other.rmse == pytest.approx(factor * one.rmse, rel=1e-6, abs=1e-9)
    if np.abs(target).max() > 0.01:
        assert other.explained_variance == pytest.approx(one.explained_variance, rel=1e-6, abs=1e-6)
    assert np.isnan(one.r) or -1 - 1e-9 <= one.r <= 1 + 1e-9


def test_pattern_correlation_is_the_cosine_of_the_weighted_fields(fields):
    target, model, weights = fields
    root = np.sqrt(weights)
    a, b = (root * target).ravel(), (root * model).ravel()
    cosine = a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
    assert pattern_correlation(target, model, weights) == pytest.approx(cosine)


def test_pattern_correlation_keeps_the_mean(fields):
    """A warming everywhere agrees with a warming everywhere, however the pattern differs."""
    target, model, weights = fields
    assert pattern_correlation(target + 100, model + 100, weights) > 0.99
    assert pattern_correlation(target + 100, model - 100, weights) < -0.99
    assert pattern_correlation(target, 3 * target, weights) == pytest.approx(1)


def test_pattern_correlation_leaves_missing_cells_out(fields):
    target, model, weights = fields
    holed = target.copy()
    holed[:3] = np.nan
    expected = pattern_correlation(target[3:], model[3:], weights[3:])
    assert pattern_correlation(holed, model, weights) == pytest.approx(expected)

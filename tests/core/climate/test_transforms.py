"""Transforms towards a normal distribution: exact inverses, and what they are for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from mlda_core.climate.transforms import GammaNormal, Identity, Power, rebuild

AMOUNTS = hnp.arrays(np.float64, (6, 2, 3), elements=st.floats(0, 100))


def rain(n=2400, seed=0):
    """Return gamma variates (mm/day) of a monthly shape and scale, and their months."""
    rng = np.random.default_rng(seed)
    month = np.tile(np.arange(12), n // 12)
    shape = 0.8 + 0.3 * month
    return rng.gamma(shape[:, None, None], 2.0, (n, 2, 3)), month


@given(AMOUNTS, st.floats(0.2, 1.0))
def test_power_inverts(amounts, exponent):
    transform = Power(exponent)
    month = np.arange(6)
    back = transform.inverse(transform.forward(amounts, month), month)
    np.testing.assert_allclose(back, amounts, rtol=1e-9, atol=1e-9)


@given(AMOUNTS, AMOUNTS)
def test_power_keeps_order(one, other):
    transform = Power(1 / 3)
    month = np.zeros(6, dtype=int)
    forward = transform.forward(one, month) - transform.forward(other, month)
    assert np.all(forward * (one - other) >= 0)


def test_power_takes_packing_noise_below_zero_for_dry():
    transform = Power(0.5)
    month = np.array([0])
    assert transform.forward(np.full((1, 1, 1), -1e-14), month) == 0
    assert transform.inverse(np.full((1, 1, 1), -0.3), month) == 0


def test_identity():
    values = np.arange(6.0).reshape(1, 2, 3)
    assert np.array_equal(Identity().forward(values, np.array([3])), values)
    assert np.array_equal(Identity().inverse(values, np.array([3])), values)


def test_gamma_makes_gamma_normal():
    values, month = rain()
    moved = GammaNormal.fit(values, month).forward(values, month)
    assert abs(moved.mean()) < 0.03
    assert moved.std() == pytest.approx(1, abs=0.03)
    assert stats.kstest(moved.ravel(), "norm").statistic < 0.02
    # Each month is normal by itself, though their rains differ four-fold.
    for m in (0, 11):
        assert abs(moved[month == m].mean()) < 0.1


def test_gamma_fit_recovers_shape_and_scale():
    values, month = rain(48_000)
    fitted = GammaNormal.fit(values, month)
    np.testing.assert_allclose(fitted.shape[:, 0, 0], 0.8 + 0.3 * np.arange(12), rtol=0.08)
    np.testing.assert_allclose(fitted.scale, 2.0, rtol=0.1)


def test_gamma_inverts_in_both_tails():
    values, month = rain()
    transform = GammaNormal.fit(values, month)
    amounts = np.stack([np.full((2, 3), a) for a in (0.01, 0.5, 3.0, 20.0, 40.0)])
    index = np.array([0, 3, 6, 9, 11])
    back = transform.inverse(transform.forward(amounts, index), index)
    np.testing.assert_allclose(back, amounts, rtol=1e-6)


def test_gamma_survives_a_desert_and_a_constant():
    values = np.zeros((24, 1, 2))
    values[:, 0, 1] = 5.0
    month = np.tile(np.arange(12), 2)
    transform = GammaNormal.fit(values, month)
    moved = transform.forward(values, month)
    assert np.isfinite(moved).all()
    np.testing.assert_allclose(transform.inverse(moved, month), values, atol=2e-3)


def test_gamma_is_finite_for_impossible_amounts():
    values, month = rain()
    transform = GammaNormal.fit(values, month)
    extreme = np.array([-1.0, 0.0, 1e6]).reshape(3, 1, 1) * np.ones((3, 2, 3))
    moved = transform.forward(extreme, np.array([0, 0, 0]))
    assert np.isfinite(moved).all()
    assert np.all(np.diff(moved, axis=0) >= 0)


@pytest.mark.parametrize("kind", ["none", "power", "gamma"])
def test_stored_transform_does_the_same(kind):
    values, month = rain(240)
    made = {
        "none": Identity(),
        "power": Power(0.4),
        "gamma": GammaNormal.fit(values, month),
    }[kind]
    again = rebuild(kind, made.to_arrays())
    assert np.array_equal(again.forward(values, month), made.forward(values, month))


def test_unknown_kind_is_named():
    with pytest.raises(ValueError, match="'log'"):
        rebuild("log", {})


def test_gamma_keeps_its_digits_far_out_in_the_upper_tail():
    # 1 - p has eight digits left at 5.9 sd: whoever computes with p alone loses the rest.
    values, month = rain()
    transform = GammaNormal.fit(values, month)
    z = np.full((1, 2, 3), 5.9)
    index = np.array([4])
    np.testing.assert_allclose(transform.forward(transform.inverse(z, index), index), z, rtol=1e-12)


def test_gamma_bears_cells_that_are_missing_sometimes_or_always():
    rng = np.random.default_rng(0)
    values = rng.gamma(2.0, 1.5, (120, 1, 2))
    months = np.tile(np.arange(12), 10)
    whole = GammaNormal.fit(values, months)
    values[5, 0, 0] = np.nan
    values[:, 0, 1] = np.nan
    holed = GammaNormal.fit(values, months)
    assert np.isfinite(holed.shape).all()
    np.testing.assert_allclose(
        np.delete(holed.shape, 5, 0)[:, 0, 0], np.delete(whole.shape, 5, 0)[:, 0, 0]
    )

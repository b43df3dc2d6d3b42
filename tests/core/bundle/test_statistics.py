"""Settings of the assimilation, and covariances from past months."""

import numpy as np
import pytest

from mlda_core.bundle.statistics import (
    SeaStatistics,
    Statistics,
    TunedParameters,
    pack_columns,
    unpack_columns,
)
from mlda_core.climate.errors import StateError


def test_settings_survive_json_and_lack_nothing():
    given = TunedParameters(half_width=7000.0, hybrid_sea=0.3)
    assert TunedParameters.from_dict(given.to_dict()) == given
    assert TunedParameters.from_dict({}) == TunedParameters()
    # JSON has no floats that are whole.
    assert TunedParameters.from_dict({"half_width": 7000}).half_width == 7000.0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"halfwidth": 1.0}, "'halfwidth' is 1.0; correct it"),
        ({"half_width": "far"}, "'half_width' is 'far'; correct it"),
        ({"half_width": True}, "'half_width' is True; correct it"),
        ({"half_width": 0}, "within 0.001 to 1e"),
        ({"half_width": float("nan")}, "within 0.001 to 1e"),
        ({"hybrid_sea": 1.2}, "within 0 to 1"),
        ({"season_floor": -0.1}, "within 0 to 1"),
    ],
)
def test_settings_that_cannot_be_are_named(values, words):
    with pytest.raises(ValueError, match=words):
        TunedParameters.from_dict(values)


def test_the_decoder_weighs_most_for_few_places():
    settings = TunedParameters(hybrid_sparse=0.8, hybrid_dense=0.2)
    weights = [settings.hybrid(n) for n in (0, 1, 10, 55, 300, 10_000)]
    assert weights == pytest.approx([0.8, 0.8, 0.8, 0.5, 0.2, 0.2])
    # In steps: another station seldom means another covariance.
    assert len({settings.hybrid(n) for n in range(10, 301)}) == 13


def statistics(sea=None):
    rng = np.random.default_rng(0)
    months = np.tile(np.arange(1, 13), 40)
    coefficients = rng.standard_normal((480, 3)).astype(np.float32)
    coefficients[months <= 6] *= 2
    held = np.arange(0, 480, 4)
    return Statistics(
        patterns=np.eye(3, dtype=np.float32),
        leftover=np.zeros(3, np.float32),
        coefficients=coefficients,
        calendar=months,
        held=held,
        held_residual=0.5 * coefficients[held],
        sea=sea,
    )


def test_a_covariance_is_of_its_season():
    made = statistics()
    march, september = (np.trace(made.months(m, 0.5, 0.0)) / 3 for m in (3, 9))
    assert march == pytest.approx(4, rel=0.2)
    assert september == pytest.approx(1, rel=0.2)
    # All months alike, where the floor is above every weight.
    every = made.months(3, 0.5, 1e6)
    np.testing.assert_allclose(every, made.coefficients.T @ made.coefficients / 480, rtol=1e-3)


def test_residuals_are_those_of_held_out_months():
    made = statistics()
    rows = made.coefficients[made.held]
    np.testing.assert_allclose(
        made.residuals(1, 1.0, 1e6), 0.25 * rows.T @ rows / len(rows), rtol=1e-3
    )
    beyond = made.residuals_of_leading(2, 1, 1.0, 1e6)
    assert np.count_nonzero(beyond) == 1
    assert beyond[2, 2] == pytest.approx((rows[:, 2] ** 2).mean(), rel=1e-3)


def test_months_about_what_the_sea_says_vary_less():
    plain = statistics()
    sea = SeaStatistics(
        mean=plain.coefficients,
        row=np.arange(480),
        held_residual=0.1 * plain.coefficients[plain.held],
        latent=np.eye(2),
    )
    made = statistics(sea)
    whole = made.months(1, 1.0, 1e6)
    np.testing.assert_allclose(made.months_given_sea(1, 0.0, 1.0, 1e6), whole, rtol=1e-5)
    np.testing.assert_allclose(made.months_given_sea(1, 0.5, 1.0, 1e6), whole / 4, rtol=1e-5)
    np.testing.assert_allclose(
        made.residuals_given_sea(1, 1.0, 1e6), made.residuals(1, 1.0, 1e6) / 25, rtol=1e-3
    )
    for ask in (lambda: plain.months_given_sea(1, 0.5, 1.0, 0.1),
                lambda: plain.residuals_given_sea(1, 1.0, 0.1)):  # fmt: skip
        with pytest.raises(StateError, match="no sea to condition on; use another network"):
            ask()


def test_a_byte_a_number_adds_a_thousandth_to_a_variance():
    rng = np.random.default_rng(1)
    values = (rng.standard_normal((5000, 3)) * [1e-3, 1.0, 50.0]).astype(np.float32)
    values[0, 1] = 40.0  # a maximum of many deviations makes the column's step larger
    packed, step = pack_columns(values)
    assert packed.dtype == np.int8
    again = unpack_columns(packed, step)
    assert again.dtype == np.float32
    assert (np.abs(again - values) <= 0.501 * step).all()
    ratio = again.var(axis=0) / values.var(axis=0)
    np.testing.assert_allclose(ratio[[0, 2]], 1, atol=3e-3)
    assert again[0, 1] == pytest.approx(40.0, rel=0.01)
    np.testing.assert_array_equal(unpack_columns(*pack_columns(np.zeros((4, 1), np.float32))), 0)

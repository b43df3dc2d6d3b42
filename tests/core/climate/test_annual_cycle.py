"""Annual cycles as tables of months and as harmonics of days."""

import numpy as np
import pytest

from mlda_core.climate.annual_cycle import (
    HARMONICS,
    HarmonicCycle,
    at_least,
    basis,
    mean_cycle,
    seasons_in,
    spread_cycle,
    stacked,
)
from mlda_core.climate.seasons import DAILY, MONTHLY

SHAPE = (3, 4)


def years_of_days(noise=0.0, years=4):
    """Return days of some years: harmonics 1 to 3 with known coefficients, and noise."""
    rng = np.random.default_rng(0)
    coefficients = rng.standard_normal((1 + 2 * HARMONICS, *SHAPE))
    times = np.arange("1981-01-01", f"{1981 + years}-01-01", dtype="datetime64[D]")
    index = DAILY.of_times(times) - 1
    truth = np.tensordot(basis((index + 0.5) / 366, HARMONICS), coefficients, axes=1)
    return coefficients, truth + noise * rng.standard_normal(truth.shape), index


def test_harmonics_of_days_are_found_again():
    coefficients, values, index = years_of_days()
    found = mean_cycle(values, index, DAILY)
    assert isinstance(found, HarmonicCycle)
    np.testing.assert_allclose(found.coefficients, coefficients, atol=1e-10)
    np.testing.assert_allclose(found[index], values, atol=1e-10)


def test_gaps_leave_a_cell_its_harmonics_and_too_many_take_them():
    coefficients, values, index = years_of_days()
    values[::3, 0, 0] = np.nan
    values[10:, 2, 3] = np.nan
    found = mean_cycle(values, index, DAILY)
    np.testing.assert_allclose(found.coefficients[:, 0, 0], coefficients[:, 0, 0], atol=1e-9)
    assert np.isnan(found.coefficients[:, 2, 3]).all()
    assert np.isfinite(found.coefficients).sum() == (1 + 2 * HARMONICS) * 11


def test_a_cycle_is_indexed_as_the_array_of_its_days():
    _, values, index = years_of_days()
    found = stacked([mean_cycle(values, index, DAILY)] * 2, np.ones((2, *SHAPE), bool))
    whole = np.asarray(found)
    assert whole.shape == found.shape == (366, 2, *SHAPE)
    for key in (5, np.array([0, 364]), slice(3, 9), (7, 1), (np.array([1, 2]), 0), np.int64(4)):
        np.testing.assert_allclose(found[key], whole[key], atol=1e-12)
    np.testing.assert_allclose(found[:, 1], whole[:, 1], atol=1e-12)


def test_the_spread_of_days_follows_the_season_and_has_a_bound():
    _, truth, index = years_of_days(years=40)
    rng = np.random.default_rng(1)
    # A variance that one harmonic holds, so that its fit is without error of form.
    sd = np.sqrt(2.0 + np.cos(2 * np.pi * (index + 0.5) / 366))
    departures = sd[:, None, None] * rng.standard_normal(truth.shape)
    found = spread_cycle(departures, index, DAILY)
    mean = np.asarray(found).mean(axis=(1, 2))
    wanted = np.sqrt(2.0 + np.cos(2 * np.pi * (np.arange(366) + 0.5) / 366))
    np.testing.assert_allclose(mean, wanted, rtol=0.03)
    bounded = at_least(found, 1.2)
    assert np.asarray(bounded).min() == pytest.approx(1.2)
    assert np.asarray(at_least(found, 0.1)).min() < 1.1


def test_months_have_a_table_of_means():
    months = np.tile(np.arange(12), 5)
    values = np.arange(60.0)[:, None, None] * np.ones(SHAPE)
    found = mean_cycle(values, months, MONTHLY)
    np.testing.assert_allclose(found[:, 0, 0], values.reshape(5, 12, *SHAPE).mean(0)[:, 0, 0])
    assert seasons_in(found) is MONTHLY
    assert at_least(np.zeros((12, *SHAPE)), 2.0).min() == 2.0


def test_cells_off_the_mask_are_nan():
    _, values, index = years_of_days()
    mask = np.ones((1, *SHAPE), bool)
    mask[0, 1, 1] = False
    for cycle in (mean_cycle(values, index, DAILY), spread_cycle(values, index, DAILY)):
        found = stacked([cycle], mask)
        assert seasons_in(found) is DAILY
        np.testing.assert_array_equal(np.isnan(found[3]), ~mask)

"""Preprocessing: exact inverses in physical units, statistics of the training months alone."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mlda_core.climate.grid import Grid
from mlda_core.climate.preprocess import Preprocessor, samples, to_display
from mlda_core.climate.transforms import TRACE_MM_DAY, GammaNormal
from mlda_core.climate.variables import DEFAULTS, Variable

GRID = Grid(np.linspace(-75, 75, 6), np.arange(8) * 45.0)
VARIABLES = tuple(DEFAULTS.values())
LAND = np.zeros(GRID.shape, dtype=bool)
LAND[2:4, 1:3] = True
N_YEARS = 12


def fields_of(seed, years=N_YEARS):
    """Return display-unit fields with seasons, and their calendar months."""
    rng = np.random.default_rng(seed)
    months = np.tile(np.arange(1, 13), years)
    season = np.cos(2 * np.pi * (months - 1) / 12)[:, None, None]
    north = np.sin(np.radians(GRID.lat))[:, None]
    n = (months.size, *GRID.shape)
    psl = 1013 + 3 * season * north + 6 * rng.normal(size=n)
    tos = 15 - 5 * season * north + 0.8 * rng.normal(size=n)
    tas = 12 - 9 * season * north + 2.5 * rng.normal(size=n)
    pr = rng.gamma(1.5, 2 + season * north, n)
    tos[:, LAND] = np.nan
    return np.stack([psl, tos, tas, pr], axis=1).astype(np.float32), months


@pytest.fixture(scope="module")
def training():
    return fields_of(0)


@pytest.fixture(scope="module", params=["power", "gamma"])
def fitted(request, training):
    variables = tuple(
        Variable.from_dict({**v.to_dict(), "transform": request.param}) if v.name == "pr" else v
        for v in VARIABLES
    )
    return Preprocessor.fit(*training, variables, GRID)


# Without an explain phase: the repr of a fitted object is 70 kB.
@settings(max_examples=15, deadline=None, phases=[Phase.generate])
@given(seed=st.integers(1, 10_000))
def test_round_trip_on_months_never_seen(fitted, seed):
    fields, months = fields_of(seed, years=2)
    back = fitted.restore(fitted.standardise(fields, months), months)
    assert np.array_equal(np.isnan(back), np.isnan(fields))
    tested = np.isfinite(fields)
    if isinstance(fitted.transforms[3], GammaNormal):
        # Less than a trace of rain, and rain beyond 6 sd of the gamma fit, are cut by design.
        moved = fitted.transforms[3].forward(fields[:, 3].astype(float), months - 1)
        tested[:, 3] = (fields[:, 3] > TRACE_MM_DAY) & (np.abs(moved) < 5.9)
        assert tested[:, 3].mean() > 0.98
    for v, here in enumerate(fitted.mask):
        spread = fields[:, v, here].std(axis=0).mean()
        error = np.abs(back[:, v] - fields[:, v])[tested[:, v]]
        assert error.max() < 1e-4 * spread


def test_training_months_are_standardised_per_month_and_cell(fitted, training):
    fields, months = training
    x = fitted.standardise(fields, months)
    for m in range(1, 13):
        mean, sd = x[months == m].mean(axis=0), x[months == m].std(axis=0)
        here = fitted.mask
        np.testing.assert_allclose(mean[here], 0, atol=1e-5)
        floored = np.isclose(sd, 1, atol=1e-4) | (sd < 1)
        assert floored[here].all()
        assert np.median(sd[here]) == pytest.approx(1, abs=1e-3)


def test_climatology_is_the_plain_mean_of_each_month(fitted, training):
    fields, months = training
    for m in (1, 7):
        expected = fields[months == m].astype(float).mean(axis=0)
        np.testing.assert_allclose(fitted.climatology[m - 1], expected, rtol=1e-6)
    anomalies = fitted.anomalies(fields, months)
    for m in (1, 7):
        np.testing.assert_allclose(anomalies[months == m].mean(axis=0)[fitted.mask], 0, atol=1e-4)


def test_sea_mask(fitted):
    assert np.array_equal(~fitted.mask[1], LAND)
    assert fitted.mask[[0, 2, 3]].all()


def test_weights_sum_to_one_over_the_cells_of_each_variable(fitted):
    np.testing.assert_allclose(fitted.weights.sum(axis=(1, 2)), 1)
    assert np.all(fitted.weights[1][LAND] == 0)
    ratio = fitted.weights[0, 5, 0] / fitted.weights[0, 3, 0]
    assert ratio == pytest.approx(GRID.weights[5, 0] / GRID.weights[3, 0])


def test_floor_keeps_frozen_cells_from_being_blown_up(training):
    fields, months = training[0].copy(), training[1]
    fields[:, 1, 0] = -1.75
    made = Preprocessor.fit(fields, months, VARIABLES, GRID, floor=0.1)
    typical = np.average(made.spread[:, 1][:, ~LAND], weights=GRID.weights[~LAND], axis=1).mean()
    np.testing.assert_allclose(made.spread[:, 1, 0], 0.1 * typical, rtol=0.15)
    nudged = fields.copy()
    nudged[:, 1, 0] += 1e-3
    x = made.standardise(nudged, months)[:, 1, 0]
    assert np.abs(x).max() < 0.05


def test_mean_over_a_spread_is_the_closed_form_of_a_square(training):
    # With the square root as transform, the mean of (m + s n)^2 is m^2 + s^2.
    fields, months = training
    made = Preprocessor.fit(fields, months, VARIABLES, GRID, power=0.5)
    x = np.zeros((12, len(VARIABLES), *GRID.shape))
    every = np.arange(1, 13)
    sd = 0.4
    plain = made.restore(x, every)[:, 3]
    mean = made.restore(x, every, sd=np.full(x.shape[1:], sd))[:, 3]
    np.testing.assert_allclose(mean, plain + (sd * made.spread[:, 3]) ** 2, rtol=0.02)
    # The linear variables do not move.
    with_sd = made.restore(x, every, sd=np.full(x.shape[1:], sd))[:, :3]
    np.testing.assert_allclose(with_sd, made.restore(x, every)[:, :3], equal_nan=True)


@pytest.mark.slow
def test_mean_over_a_spread_is_that_of_many_draws(fitted):
    rng = np.random.default_rng(1)
    x = np.full((1, len(VARIABLES), *GRID.shape), 0.8)
    sd = np.full(x.shape[1:], 0.7)
    mean = fitted.restore(x, np.array([5]), sd=sd)[0, 3]
    draws = x + sd * rng.standard_normal((20_000, *x.shape[1:]))
    drawn = fitted.restore(draws, np.full(20_000, 5))[:, 3].mean(axis=0)
    np.testing.assert_allclose(mean, drawn, rtol=0.02)


def test_fitting_looks_at_nothing_but_what_it_is_given(training):
    fields, months = training
    half = months.size // 2
    made = Preprocessor.fit(fields[:half], months[:half], VARIABLES, GRID)
    changed = fields.copy()
    changed[half:] += 100
    again = Preprocessor.fit(changed[:half], months[:half], VARIABLES, GRID)
    assert np.array_equal(made.centre, again.centre, equal_nan=True)
    assert not np.allclose(
        made.climatology, Preprocessor.fit(*training, VARIABLES, GRID).climatology, equal_nan=True
    )


def test_stored_and_read_again(fitted, tmp_path):
    fitted.to_dataset().to_netcdf(tmp_path / "normaliser.nc")
    with xr.open_dataset(tmp_path / "normaliser.nc") as data:
        arrays = {str(name): data[name].values for name in data.variables}
    again = Preprocessor.from_arrays(arrays, fitted.variables)
    fields, months = fields_of(3, years=1)
    np.testing.assert_allclose(
        again.standardise(fields, months), fitted.standardise(fields, months), atol=1e-3
    )
    assert np.array_equal(again.mask, fitted.mask)
    with pytest.raises(ValueError, match="psl, tos, tas, pr"):
        Preprocessor.from_arrays(arrays, fitted.variables[:2])


def test_a_month_with_one_sample_is_named(training):
    fields, months = training
    keep = (months != 5) | (np.arange(months.size) < 12)
    with pytest.raises(ValueError, match="month 5 has 1"):
        Preprocessor.fit(fields[keep], months[keep], VARIABLES, GRID)


def test_to_display_converts_units_in_the_order_of_the_variables():
    data = {
        "pr": np.full((2, *GRID.shape), 1 / 86400),
        "tas": np.full((2, *GRID.shape), 300.15),
        "psl": np.full((2, *GRID.shape), 101_325.0),
        "tos": np.full((2, *GRID.shape), np.nan),
    }
    shown = to_display(data, VARIABLES)
    assert shown.shape == (2, 4, *GRID.shape)
    assert shown.dtype == np.float32
    np.testing.assert_allclose(shown[0, :, 0, 0], [1013.25, np.nan, 27.0, 1.0], rtol=1e-5)


def test_samples_drop_the_gaps():
    time = np.arange("1979-01", "1980-01", dtype="datetime64[M]").astype("datetime64[ns]")
    values = np.ones((2, 12, *GRID.shape), dtype=np.float32)
    values[1, 3] = np.nan
    data = xr.Dataset(
        {v.name: (("member", "time", "lat", "lon"), values) for v in VARIABLES},
        coords={"member": [4, 7], "time": time, "lat": GRID.lat, "lon": GRID.lon},
    )
    fields, stamps, member = samples(data, VARIABLES)
    assert fields.shape == (23, 4, *GRID.shape)
    assert np.isfinite(fields).all()
    assert (member == 7).sum() == 11
    assert time[3] not in stamps[member == 7]

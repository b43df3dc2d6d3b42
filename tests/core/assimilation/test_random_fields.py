"""Random fields against the correlations and covariances that they are drawn for."""

from __future__ import annotations

import numpy as np
import pytest
from exact import dense_covariance, hybrid, table
from small import make_small

from mlda_core.assimilation.covariance import LEFTOVER_HALF_WIDTH_KM, LocalisedCovariance
from mlda_core.assimilation.localisation import gaspari_cohn, great_circle
from mlda_core.assimilation.random_fields import KEPT, ErrorSampler, TaperedField, spectrum
from mlda_core.climate.grid import Grid
from mlda_core.climate.sphere import unit_vectors
from mlda_core.observations.standardised import standardise


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("linear"), curved=0.0)


def covariance_of(bundle, coupling=1.0):
    """The representation error's covariance of July, with a taper between variables."""
    n = len(bundle.variables)
    between = np.full((n, n), coupling)
    np.fill_diagonal(between, 1.0)
    statistics = bundle.statistics
    return LocalisedCovariance(
        bundle.operator,
        statistics.patterns,
        hybrid(bundle, 0.4),
        statistics.leftover,
        bundle.settings.half_width,
        between,
    )


@pytest.mark.parametrize("half_width", [LEFTOVER_HALF_WIDTH_KM, 3000.0, 9000.0])
def test_the_correlation_of_a_field_is_the_taper(half_width):
    rng = np.random.default_rng(0)
    lat, lon = rng.uniform(-90, 90, 40), rng.uniform(0, 360, 40)
    # In pairs a few hundred kilometres apart too, where a short taper is not zero.
    lat[20:], lon[20:] = np.clip(lat[:20] + 3, -90, 90), lon[:20] + 2
    effect = TaperedField(half_width).at(lat, lon).astype(float)
    points = unit_vectors(lat, lon)
    expected = gaspari_cohn(great_circle(points, points) / half_width)
    np.testing.assert_allclose(effect.T @ effect, expected, atol=5 * (1 - KEPT))
    assert spectrum(half_width).sum() == pytest.approx(1.0)


def test_a_field_on_a_grid_is_the_field_at_its_cells():
    grid = Grid(np.linspace(-80, 80, 9), np.arange(12) * 30.0)
    field = TaperedField(4000.0)
    coefficients = np.random.default_rng(1).standard_normal((3, field.size)).astype(np.float32)
    lat, lon = (part.ravel() for part in np.meshgrid(grid.lat, grid.lon, indexing="ij"))
    np.testing.assert_allclose(
        field.on(coefficients, grid), coefficients @ field.at(lat, lon), atol=1e-4
    )


@pytest.mark.slow
@pytest.mark.parametrize("coupling", [1.0, 0.3])
def test_draws_have_the_covariance_of_the_representation_error(linear, coupling):
    covariance = covariance_of(linear, coupling)
    observed = standardise(table(linear, 8), linear, 7)
    n = 3000
    sampler = ErrorSampler(covariance, n, seed=4)
    cells, at = sampler.cells.astype(float), sampler.at(observed.places)
    # Four standard errors of a covariance estimated from n draws.
    variance = covariance.variance.astype(float)
    own = variance > 0
    limit = 4 * np.sqrt(2 / n) * variance[own]
    assert (np.abs(cells.var(axis=0)[own] - variance[own]) < 1.2 * limit).all()
    between = covariance.between(observed.places, observed.places)
    scale = np.sqrt(np.outer(np.diag(between), np.diag(between)))
    assert np.abs((at.T @ at / n - between) / scale).max() < 4.5 / np.sqrt(n) * np.sqrt(2)
    columns = covariance.columns(observed.places)[:, own]
    found = (at.T @ cells[:, own]) / n
    scale = np.sqrt(np.outer(np.diag(between), variance[own]))
    assert np.abs((found - columns) / scale).max() < 5 / np.sqrt(n)


@pytest.mark.slow
def test_the_covariance_of_all_cells_is_drawn(linear):
    dense = dense_covariance(linear, hybrid(linear, 0.4), 0.0)
    cells = ErrorSampler(covariance_of(linear), 3000, seed=0).cells.astype(float)
    scale = np.sqrt(np.outer(np.diag(dense), np.diag(dense)))
    there = scale > 0
    error = (cells.T @ cells / len(cells) - dense)[there] / scale[there]
    assert np.sqrt(np.mean(error**2)) < 1.2 / np.sqrt(len(cells))


def test_the_same_seed_gives_the_same_fields_whatever_the_places(linear):
    covariance = covariance_of(linear)
    first, second = ErrorSampler(covariance, 3, seed=5), ErrorSampler(covariance, 3, seed=5)
    many = standardise(table(linear, 8), linear, 7).places
    few = many.where(np.array([2, 5]))
    np.testing.assert_array_equal(first.cells, second.cells)
    np.testing.assert_allclose(first.at(many)[:, [2, 5]], second.at(few), rtol=1e-5, atol=1e-6)
    assert np.abs(first.cells - ErrorSampler(covariance, 3, seed=6).cells).max() > 0.1

"""The localised covariance, column by column, against the dense matrix."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from exact import dense_covariance, hybrid

from mlda_core.assimilation import covariance as covariances
from mlda_core.assimilation.covariance import LocalisedCovariance


def covariance_of(bundle, coupling=None):
    s, n = bundle.statistics, len(bundle.variables)
    coupling = np.ones((n, n)) if coupling is None else coupling
    return LocalisedCovariance(
        bundle.operator, s.patterns, hybrid(bundle, 0.5), s.leftover, bundle.settings.half_width,
        coupling,
    )  # fmt: skip


def cells_of(bundle, variables, rows, columns):
    """Places at centres of cells, and the cells."""
    variables, rows, columns = (np.array(x) for x in (variables, rows, columns))
    places = bundle.operator.locate(variables, bundle.grid.lat[rows], bundle.grid.lon[columns])
    return places, np.ravel_multi_index((variables, rows, columns), bundle.mask.shape)


def test_columns_are_those_of_the_dense_matrix(linear):
    b = dense_covariance(linear, hybrid(linear, 0.5), 0.0)
    # More than a block of them, to which a part is added.
    places, cells = cells_of(linear, [0, 2, 2, 3] * 3, [3, 1, 4, 6] * 3, range(12))
    found = covariance_of(linear)
    columns = found.columns(places)
    assert len(places) > covariances.BLOCK
    np.testing.assert_allclose(columns, b[cells], atol=5e-3)
    np.testing.assert_allclose(found.variance, np.diag(b), atol=2e-3)
    np.testing.assert_allclose(found.between(places, places), b[np.ix_(cells, cells)], atol=5e-3)
    np.testing.assert_allclose(found.variance_at(places), np.diag(b)[cells], atol=2e-3)


def test_what_no_pattern_expresses_is_of_one_variable_and_near(linear):
    places, cells = cells_of(linear, [0, 2], [3, 1], [2, 9])
    made = covariance_of(linear)
    size = made.patterns.shape[1]
    one, none = (
        replace(made, leftover=np.full(size, v, np.float32)).columns(places) for v in (1, 0)
    )
    expected = np.zeros_like(one)
    # The next cells are more than twice the half-width away.
    expected[[0, 1], cells] = 1.0
    np.testing.assert_allclose(one - none, expected, atol=1e-4)


def test_a_column_does_not_depend_on_the_others(linear):
    places, _ = cells_of(linear, [0, 2, 3] * 4, [3, 1, 6] * 4, range(12))
    found = covariance_of(linear)
    every = found.columns(places)
    for i in (0, 5, 11):
        np.testing.assert_array_equal(found.columns(places.where(np.array([i])))[0], every[i])


def test_the_cells_of_one_variable_can_be_asked_for(linear):
    places, _ = cells_of(linear, [0, 2], [3, 1], [2, 9])
    found = covariance_of(linear)
    size = linear.grid.weights.size
    # Another shape of product, which rounds differently.
    np.testing.assert_allclose(
        found.columns(places, 2), found.columns(places)[:, 2 * size : 3 * size], atol=1e-5
    )


def test_a_coupling_tapers_between_variables_alone(linear):
    n = len(linear.variables)
    coupling = np.ones((n, n))
    coupling[0, 2] = coupling[2, 0] = 0.25
    places, _ = cells_of(linear, [0], [3], [2])
    weak, full = (covariance_of(linear, c).columns(places)[0] for c in (coupling, None))
    weak, full = (x.reshape(n, -1) for x in (weak, full))
    np.testing.assert_allclose(weak[2], 0.25 * full[2], rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(weak[[0, 1, 3]], full[[0, 1, 3]])


@pytest.mark.parametrize("width", [0.0, -1.0, 20_000.0])
def test_a_half_width_that_the_sphere_does_not_take_is_refused(linear, width):
    places, _ = cells_of(linear, [0], [3], [2])
    with pytest.raises(ValueError, match="choose one that is"):
        replace(covariance_of(linear), half_width=width).columns(places)

"""Errors of a step as a covariance in few numbers."""

import numpy as np

from mlda_core.climate.seasons import DAILY
from mlda_core.forecast.models.persistence import Damped
from mlda_core.forecast.step_errors import PATTERNS, packed_errors, step_errors, unpacked_errors


def test_errors_of_persistence_are_the_differences_of_days(daily):
    bundle, data = daily
    found = step_errors(Damped(bundle.mask.size, 1.0, "persistence"), data)
    held = data.observed.in_split("validation")
    flat = held.x.reshape(len(held), -1)
    np.testing.assert_allclose(found, np.diff(flat, axis=0), atol=1e-6)
    assert data.normaliser.seasons is DAILY


def test_the_covariance_has_the_variance_of_each_cell_and_the_large_scales():
    rng = np.random.default_rng(0)
    maps = rng.standard_normal((3, 200))
    errors = (rng.standard_normal((4000, 3)) * [3.0, 2.0, 1.0]) @ maps
    errors = (errors + 0.3 * rng.standard_normal(errors.shape)).astype(np.float32)
    found = unpacked_errors(packed_errors(errors, np.full(200, 1 / 200)))
    assert found.rank == PATTERNS
    np.testing.assert_allclose(found.variance, (errors**2).mean(axis=0), rtol=0.12)
    wanted = errors.T @ errors / len(errors)
    made = found.factor @ found.factor.T
    assert np.linalg.norm(made - wanted) / np.linalg.norm(wanted) < 0.05
    packed = packed_errors(errors, np.full(200, 1 / 200))
    assert packed["error"].element_size() == 1
    assert packed["error"].is_contiguous()


def test_cells_without_area_have_no_error():
    weights = np.full(50, 1 / 49)
    weights[7] = 0.0
    errors = np.random.default_rng(1).standard_normal((300, 50)).astype(np.float32)
    errors[:, 7] = 0.0
    assert unpacked_errors(packed_errors(errors, weights)).variance[7] == 0.0

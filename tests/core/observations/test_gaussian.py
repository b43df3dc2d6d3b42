"""Kinds with a normal error, in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from kind_rows import terms
from scipy import stats

from mlda_core.observations.kinds import KINDS

KIND = KINDS["value"]


def test_the_cost_is_the_density_of_the_normal_distribution():
    said = terms(KIND, [0.2, -1.0, 3.0])
    f = np.random.default_rng(0).standard_normal((4, 3))
    density = stats.norm(said.value, said.sd)
    np.testing.assert_allclose(KIND.cost(f, said), density.logpdf(said.value) - density.logpdf(f))


def test_the_cost_is_its_own_expansion_about_any_point():
    """Slope and curvature say the cost everywhere, so that an analysis needs no iteration."""
    said = terms(KIND, [0.2, -1.0, 3.0])
    f, away = np.array([1.0, 2.0, -3.0]), np.array([0.5, -4.0, 7.0])
    curvature = KIND.curvature(f, said)
    expanded = KIND.cost(f, said) + KIND.slope(f, said) * away + 0.5 * curvature * away**2
    np.testing.assert_allclose(KIND.cost(f + away, said), expanded)
    np.testing.assert_array_equal(KIND.weight(f, said), curvature)
    assert KIND.curvature(np.zeros((5, 3)), said).shape == (5, 3)


def test_the_auxiliary_value_is_the_value_itself():
    said = terms(KIND, [0.2, -1.0])
    value, variance = KIND.utility(np.zeros((6, 2)), said, np.random.default_rng(0))
    np.testing.assert_array_equal(value, np.tile(said.value, (6, 1)))
    np.testing.assert_array_equal(variance, said.sd**2)


def test_the_misfit_is_of_both_errors_together():
    said = terms(KIND, [2.0], sd=3.0)
    assert KIND.misfit(np.array([-3.0]), np.array([16.0]), said)[0] == pytest.approx(1.0)


def test_the_normal_kinds_are_three_and_only_what_they_are_of_is_not_the_same():
    areas = {key: kind.area for key, kind in KINDS.items() if kind.quadratic}
    assert areas == {"value": "none", "mean": "mean", "difference": "difference"}

"""Localisation of a prior's covariance."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.assimilation.localisation import GREATEST_HALF_WIDTH_KM
from mlda_core.assimilation.prior import PriorRequest, localised


@pytest.mark.parametrize(
    ("factor", "width"), [(1.0, 3000.0), (0.5, 1500.0), (100.0, GREATEST_HALF_WIDTH_KM)]
)
def test_the_factor_scales_the_half_width_as_far_as_the_sphere_takes_it(linear, factor, width):
    request = PriorRequest(linear, 7, 1.0, factor, 1.0, sea_held=False)
    covariance = np.eye(len(linear.statistics.patterns))
    made = localised(request, covariance, 3000.0)
    assert made.half_width == width
    assert made.patterns is linear.statistics.patterns
    assert (made.coupling == 1).all()
    coupling = np.eye(len(linear.variables))
    assert localised(request, covariance, 3000.0, coupling).coupling is coupling

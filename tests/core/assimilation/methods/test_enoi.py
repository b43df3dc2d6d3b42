"""Ensemble optimal interpolation."""

from __future__ import annotations

import numpy as np
from exact import table

from mlda_core.assimilation.assimilator import Assimilator


def test_the_residual_switch_leaves_ensemble_oi_alone(bundled):
    observations = table(bundled, 20, month="1984-01")
    engine = Assimilator(bundled)
    on, off = (engine.run(observations, 1, method="enoi", residual=r) for r in (True, False))
    np.testing.assert_array_equal(on.anomalies, off.anomalies)

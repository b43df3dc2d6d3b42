"""The taper of covariances with distance."""

from __future__ import annotations

import numpy as np
import pytest
from exact import grid_points

from mlda_core.assimilation.localisation import gaspari_cohn, great_circle, taper


def test_the_taper_is_gaspari_and_cohn(bundled):
    assert gaspari_cohn(0.0) == 1.0
    assert gaspari_cohn(1.0) == pytest.approx(5 / 24)
    assert gaspari_cohn(2.0) == 0.0
    assert gaspari_cohn(1.0 + 1e-9) == pytest.approx(gaspari_cohn(1.0 - 1e-9), abs=1e-7)
    points = grid_points(bundled)[::37]
    matrix = taper(great_circle(points, points), 9000.0).astype(float)
    assert np.linalg.eigvalsh(matrix).min() > -0.02
    with pytest.raises(ValueError, match="half-width of 20000 km"):
        taper(np.zeros(1, np.float32), 20_000.0)

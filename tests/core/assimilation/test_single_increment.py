"""The increment of one observation alone."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.climate.interpolation import ObservationError


def test_the_influence_of_a_lone_observation_is_its_analysis(linear):
    engine = Assimilator(linear)
    one = table(linear, 1, variables=("tas",))
    influence = engine.influence(one, 7, 0)
    analysis = engine.run(one, 7)
    np.testing.assert_allclose(influence[:3], analysis.increment[:3], atol=5e-3)
    with pytest.raises(ObservationError, match="There is no observation 4"):
        engine.influence(one, 7, 3)

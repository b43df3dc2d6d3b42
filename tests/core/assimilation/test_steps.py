"""Steps of assimilations with normal errors."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.climate.errors import StateError


def test_steps_begin_with_the_linear_solution_and_end_with_the_analysis(curved):
    engine = Assimilator(curved)
    steps = list(engine.steps(table(curved), 7))
    assert steps[0].words == "linear solution"
    assert all(step.analysis is None for step in steps[:-1])
    path = steps[-1].analysis.path
    assert list(path) == sorted(path, reverse=True)
    assert len(path) > 1
    np.testing.assert_allclose(steps[-1].fields, steps[-1].analysis.anomalies)
    generator = engine.steps(table(curved), 7)
    next(generator)
    generator.close()
    assert engine.run(table(curved), 7).converged


@pytest.mark.parametrize("method", ["vae", "eof", "enoi"])
def test_steps_may_begin_with_the_background(bundled, method):
    engine = Assimilator(bundled)
    given = table(bundled, 12, month="1984-01")
    usual = engine.run(given, "1984-01", method=method)
    steps = list(engine.steps(given, "1984-01", method=method, start="background"))
    assert len(steps) > 1
    np.testing.assert_allclose(steps[0].fields, usual.background, atol=1e-5)
    assert steps[0].cost.prior == 0
    # Without a latent part nothing of the cost depends on it.
    assert steps[0].cost.total >= (1.0 if method == "enoi" else 1.2) * steps[-1].cost.total
    # The way is another, the end the same.
    np.testing.assert_allclose(steps[-1].fields, usual.anomalies, atol=0.05)
    with pytest.raises(StateError, match="cannot start at 'noon'"):
        engine.run(given, "1984-01", start="noon")

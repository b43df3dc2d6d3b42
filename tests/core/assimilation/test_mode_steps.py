"""Steps of assimilations whose errors are not normal."""

from __future__ import annotations

import numpy as np
import pytest
from kind_posteriors import REPORTS, rows

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.mode import modes_of
from mlda_core.assimilation.mode_steps import mode_steps
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.spread import posterior_variance


def run(bundle, **settings):
    """Return the prepared assimilation of reports, its steps, and the problem at the mode."""
    engine = Assimilator(bundle)
    prepared = engine.preparation.of_table(rows(bundle, REPORTS), 7, Setting(**settings))
    steps, solving = [], mode_steps(prepared)
    while True:
        try:
            steps.append(next(solving))
        except StopIteration as end:
            return prepared, steps, end.value


def test_rounds_begin_with_the_linear_solution_and_lead_down_to_the_mode(curved):
    _prepared, steps, settled = run(curved)
    assert steps[0].words == "linear solution"
    assert steps[1].words == "1 round so far"
    assert all(step.analysis is None for step in steps[:-1])
    analysis = steps[-1].analysis
    assert (np.diff(analysis.path) <= 1e-9).all()
    assert analysis.path[-1] == pytest.approx(settled.modes[0].cost.total)
    assert analysis.shape.n_minima == len(settled.modes)
    np.testing.assert_allclose(steps[-2].fields, analysis.anomalies, atol=0.05)


def test_members_are_drawn_about_the_modes_that_the_steps_found(curved):
    prepared, _, settled = run(curved)
    assert settled.stated is prepared.problem
    again = modes_of(prepared.problem)
    for mine, other in zip(settled.modes, again, strict=True):
        np.testing.assert_array_equal(mine.zeta, other.zeta)
        np.testing.assert_array_equal(mine.at, other.at)
    assert settled.gain is settled.modes[0].problem.gain
    assert posterior_variance(settled).mean() < posterior_variance(prepared.problem).mean() * 1.5


@pytest.mark.parametrize("method", ["vae", "eof"])
def test_the_background_comes_first_where_it_is_asked_for(curved, method):
    _, plain, _ = run(curved, method=method)
    _, steps, _ = run(curved, method=method, start="background")
    assert steps[0].words == "the background"
    assert [step.words for step in steps[1:]] == [step.words for step in plain]
    np.testing.assert_array_equal(steps[-1].analysis.anomalies, plain[-1].analysis.anomalies)

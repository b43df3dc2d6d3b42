"""One observation of a state in a window of 4D-Var."""

import numpy as np
import pytest

from mlda_core.climate.errors import UserError
from mlda_core.page_state.cycle_runs import CycleRequest, days_from, run_of
from mlda_core.page_state.single_observation import AFTER, BEFORE, AloneRequest, through

RUN = CycleRequest("3dvar", 30, "1984-03-01")


@pytest.fixture(scope="module")
def start(cycled):
    return run_of(cycled, RUN).day(1).analysis


def request_of(bundle, *alone):
    return AloneRequest(RUN, alone, days_from(bundle, RUN.first))


def test_the_window_is_round_the_day_and_within_the_run(cycled):
    assert request_of(cycled, "tas", 50, 0, "1984-03-05").window == (4 - BEFORE, 4 + AFTER)
    assert request_of(cycled, "tas", 50, 0, "1984-03-02").window == (0, 1 + AFTER)


def test_it_pulls_towards_the_truth_and_changes_the_days_round_it(cycled, start):
    request = request_of(cycled, "tas", 56.25, 45.0, "1984-03-05")
    made = through(cycled, request, start)
    assert len(made.analysis) == 1 + BEFORE + AFTER
    row, column = cycled.grid.lat.searchsorted(56.25), 2
    truth = cycled.target("1984-03-05")[1, row, column]
    before, after = (x[BEFORE, 1, row, column] for x in (made.background, made.analysis))
    assert abs(truth - after) < 0.5 * abs(truth - before)
    np.testing.assert_allclose(made.departure, truth - before, rtol=1e-4)
    increment = np.abs(made.analysis - made.background).max(axis=(1, 2, 3))
    assert (increment > 0).all()
    np.testing.assert_allclose(made.largest.max(), increment.max(), rtol=1e-5)


def test_a_variable_that_is_not_there_is_refused(cycled, start):
    with pytest.raises(UserError, match="There is no variable 'tos' here"):
        through(cycled, request_of(cycled, "tos", 0, 0, "1984-03-05"), start)

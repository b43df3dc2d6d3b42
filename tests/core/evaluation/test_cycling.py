"""Scores of cycled runs."""

import numpy as np
import pytest

from mlda_core.cycling.bundle_case import Case, case_of, climatology_of
from mlda_core.cycling.cycle import CycledStep
from mlda_core.cycling.method import Estimate
from mlda_core.evaluation.cycling import score_cycle
from mlda_core.forecast.models import forecast_of


@pytest.fixture(scope="module")
def case(daily) -> Case:
    bundle, data = daily
    days = data.observed.in_split("test")
    days = days.where(np.arange(len(days)) < 30)
    places = bundle.operator.locate([0, 1], [20.0, -30.0], [45.0, 200.0])
    still = forecast_of("persistence").build(bundle, {}, {})
    return case_of(bundle, still, days, places, climatology_of(bundle, data.train, most=50))


def steps_of(case, share, sd=None):
    """Analyses that are a share of the truth, backgrounds that are climatology."""
    for i, x in enumerate(case.days.x.reshape(len(case.days), -1).astype(float)):
        spread = None if sd is None else np.full(x.size, sd)
        yield CycledStep(i, i, Estimate(0.0 * x), Estimate(share * x, spread), {})


def test_the_truth_explains_everything_and_climatology_nothing(daily, case):
    bundle, _ = daily
    found = score_cycle(bundle, case, steps_of(case, 1.0))
    for name in ("psl", "tas"):
        assert found[name]["analysis"] == pytest.approx(1.0, abs=1e-6)
        assert found[name]["background"] == pytest.approx(0.0, abs=1e-6)
        assert "spread_over_error" not in found[name]
    assert found["cycles"] == 30
    assert found["seconds"] >= 0


def test_a_part_of_the_truth_explains_its_part(daily, case):
    bundle, _ = daily
    found = score_cycle(bundle, case, steps_of(case, 0.7, sd=0.3))
    assert found["psl"]["analysis"] == pytest.approx(1 - 0.3**2, abs=1e-3)
    # The error is 0.3 of a state whose spread is one.
    assert found["tas"]["spread_over_error"] == pytest.approx(1.0, rel=0.25)


def test_cells_with_stations_and_the_first_cycles_are_left_out(daily, case):
    bundle, _ = daily

    def wrong_there():
        for step in steps_of(case, 1.0):
            bad = step.analysis.mean.copy()
            nearest = case.places.index[np.arange(2), case.places.weight.argmax(axis=1)]
            bad[nearest] += 1000.0
            if step.cycle <= 10:
                bad += 1000.0
            yield CycledStep(step.cycle, step.time, step.background, Estimate(bad), {})

    found = score_cycle(bundle, case, wrong_there())
    assert found["psl"]["analysis"] == pytest.approx(1.0, abs=1e-6)

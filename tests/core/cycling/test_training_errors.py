"""Errors of forecasts in cycles over training times."""

from dataclasses import replace

import numpy as np
import pytest

from mlda_core.climate.errors import UserError
from mlda_core.cycling.bundle_case import case_of, climatology_of, localisation_of, zones_of
from mlda_core.cycling.covariance import LocalisedSample
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.learnt_background import SPIN_UP, LearntBackground
from mlda_core.cycling.training_errors import (
    EVERY,
    errors_of_cycles,
    of_the_season,
    with_training_errors,
)
from mlda_core.forecast.models import forecast_of


@pytest.fixture(scope="module")
def parts(daily):
    """The bundle, two runs of training days, and what makes their case."""
    bundle, data = daily
    train = data.train
    at = np.arange(len(train))
    # Two runs with a gap between them, and one that is too short.
    past = train.where((at < 30) | ((at >= 40) & (at < 60)) | ((at >= 70) & (at < 75)))
    still = forecast_of("persistence").build(bundle, {}, {})
    places = bundle.operator.locate(np.zeros(9, int), np.linspace(-60, 60, 9), np.arange(9) * 40.0)
    climatology = climatology_of(bundle, train, most=60)

    def case(days):
        return case_of(bundle, still, days, places, climatology)

    return bundle, past, case


def test_errors_are_truth_minus_forecast_of_every_run_after_its_start(parts):
    bundle, past, case = parts
    told = []
    errors, rows = errors_of_cycles(bundle, past, case, lambda *pair: told.append(pair))
    wanted = [*range(SPIN_UP + 1, 30), *range(30 + SPIN_UP + 1, 50)]
    assert rows.tolist() == wanted
    assert errors.shape == (len(wanted), bundle.mask.size)
    assert told[-1] == (50, 55)
    days = past.where(np.arange(len(past)) < 30)
    for step in Cycle(case(days).problem, "3dvar").run():
        if step.cycle > SPIN_UP:
            wanted = days.x[step.cycle].ravel() - step.background.mean
            np.testing.assert_allclose(errors[step.cycle - SPIN_UP - 1], wanted, atol=1e-5)


@pytest.mark.parametrize("every", [1, 2])
def test_lagged_forecasts_stand_for_errors_without_the_truth(parts, every):
    bundle, past, case = parts
    days = past.where(np.arange(len(past)) < 30)

    def case_of_some(days):
        made = case(days)
        seen = [o if i % every == 0 else None for i, o in enumerate(made.problem.observations)]
        return replace(made, problem=replace(made.problem, observations=seen))

    found, rows = errors_of_cycles(bundle, days, case_of_some, lagged=True)
    assert rows.tolist() == [i for i in range(SPIN_UP + 1, 30) if i % every == 0]
    steps = list(Cycle(case_of_some(days).problem, "3dvar").run())
    for error, row in zip(found, rows, strict=True):
        # Persistence: the forecast made for the last observed day is that of today.
        before = steps[row - every].background.mean
        np.testing.assert_allclose(error, steps[row].background.mean - before, atol=1e-5)
    assert np.abs(found).max() > 0.01


def test_they_are_of_the_season_and_as_large_as_the_held_out_ones(parts):
    bundle, past, case = parts
    local = localisation_of(bundle)
    rng = np.random.default_rng(0)
    held = LocalisedSample(0.1 * rng.standard_normal((30, bundle.mask.size)), local)
    learnt = LearntBackground(np.full(bundle.mask.size, 0.7), held)
    made = with_training_errors(bundle, learnt, past, case)
    assert made.factor is learnt.factor
    _, rows = errors_of_cycles(bundle, past, case)
    assert made.covariance.times.months.tolist() == past.calendar[rows[::EVERY]].tolist()
    zones = zones_of(bundle)
    got, wanted = (np.bincount(zones, one.variance) for one in (made.covariance, held))
    np.testing.assert_allclose(got, wanted)


def test_without_any_error_in_a_zone_there_is_no_spread(parts):
    bundle, _, _ = parts
    errors = np.zeros((4, bundle.mask.size), np.float32)
    made = of_the_season(
        bundle, errors, np.array([1, 2, 3, 4]), np.ones(bundle.mask.size), localisation_of(bundle)
    )
    assert not made.variance.any()


def test_days_that_do_not_follow_one_another_are_refused(parts):
    bundle, past, case = parts
    with pytest.raises(UserError, match="follow one another for more than 11"):
        errors_of_cycles(bundle, past.where(np.arange(len(past)) % 2 == 0), case)

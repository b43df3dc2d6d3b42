"""Background errors that are learnt from cycles."""

import numpy as np
import pytest
import torch

from mlda_core.climate.errors import UserError
from mlda_core.climate.seasons import MONTHLY
from mlda_core.cycling.covariance import Gaussian, LocalisedSample, TimesOfYear
from mlda_core.cycling.cycle import Cycle, CycledStep
from mlda_core.cycling.learnt_background import (
    ROUNDS,
    DampedDynamics,
    LearntBackground,
    hybrid,
    in_rounds,
    learn_background,
    load_background,
    save_background,
)
from mlda_core.cycling.localisation import on_a_circle
from mlda_core.cycling.method import Estimate
from mlda_core.cycling.operators import LinearOperator
from mlda_core.cycling.problem import Observations, Problem
from mlda_core.forecast.koopman import LinearDynamics
from mlda_core.forecast.model_error import DiagonalCovariance

SIZE = 12
GROUPS = np.repeat([0, 1], SIZE // 2)


def test_a_forecast_is_drawn_towards_climatology():
    inner = LinearDynamics(np.eye(2), np.eye(2))
    damped = DampedDynamics(inner, np.array([0.5, 0.0]))
    x = torch.tensor([[2.0, 4.0]], dtype=torch.float64)
    assert damped.step(x, 0).tolist() == [[1.0, 0.0]]
    assert (damped.size, damped.name) == (2, "koopman")
    assert damped.model_error is inner.model_error


def test_factor_and_errors_are_those_of_the_regression():
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((400, SIZE))
    share = np.where(GROUPS == 0, 0.8, 0.2)
    forecasts = truth * share + rng.standard_normal(truth.shape) * 0.5
    steps = [CycledStep(i, i, Estimate(f), Estimate(f), {}) for i, f in enumerate(forecasts)]
    found = learn_background(steps, truth, on_a_circle(SIZE, 2.0), np.ones(SIZE), GROUPS)
    wanted = share / (share**2 + 0.25)
    np.testing.assert_allclose(found.factor, np.minimum(wanted, 1.0), rtol=0.1)
    errors = (forecasts * found.factor - truth)[11:]
    np.testing.assert_allclose(found.covariance.variance, (errors**2).mean(axis=0), rtol=1e-6)
    # Twice as strongly drawn already: half as much more.
    halved = [CycledStep(i, i, Estimate(0.5 * f), Estimate(f), {}) for i, f in enumerate(forecasts)]
    again = learn_background(halved, truth, on_a_circle(SIZE, 2.0), np.full(SIZE, 0.5), GROUPS)
    np.testing.assert_allclose(again.factor, found.factor, rtol=1e-6)


def test_errors_are_those_of_cycles_with_observations():
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((400, SIZE))
    steps = []
    for i, state in enumerate(truth):
        seen = i % 2 == 0
        # Between observations a forecast errs by a fifth.
        forecast = Estimate(state + (1.0 if seen else 0.2) * rng.standard_normal(SIZE))
        steps.append(CycledStep(i, i, forecast, Estimate(state) if seen else forecast, {}))
    found = learn_background(steps, truth, on_a_circle(SIZE, 2.0), np.ones(SIZE), GROUPS)
    errors = np.stack([s.background.mean * found.factor - truth[s.cycle] for s in steps[12::2]])
    np.testing.assert_allclose(found.covariance.variance, (errors**2).mean(axis=0), rtol=1e-5)


def test_without_an_observed_cycle_nothing_is_learnt():
    still = Estimate(np.zeros(SIZE))
    steps = [CycledStep(i, i, still, still, {}) for i in range(20)]
    with pytest.raises(UserError, match="No cycle after the first"):
        learn_background(steps, np.zeros((20, SIZE)), on_a_circle(SIZE, 2.0), np.ones(SIZE), GROUPS)


def test_rounds_make_a_cycle_better_than_with_climatology_s_errors():
    rng = np.random.default_rng(1)
    inner = LinearDynamics(0.9 * np.roll(np.eye(SIZE), 1, axis=0), 0.19 * np.eye(SIZE))
    truth = np.zeros((1500, SIZE))
    for t in range(1, len(truth)):
        truth[t] = 0.9 * np.roll(truth[t - 1], 1) + np.sqrt(0.19) * rng.standard_normal(SIZE)
    operator = LinearOperator.of_components([0, 4], SIZE, np.array([[0.0], [4.0]]))
    observations = [
        Observations(
            operator, operator.observe(x[None])[0] + 0.3 * rng.standard_normal(2), np.full(2, 0.09)
        )
        for x in truth
    ]
    climatology = Gaussian(np.zeros(SIZE), DiagonalCovariance(np.ones(SIZE)))
    local = on_a_circle(SIZE, 4.0)

    def run(factor, covariance):
        problem = Problem(
            DampedDynamics(inner, factor),
            range(len(truth)),
            observations,
            climatology,
            climatology,
            background=covariance,
        )
        return Cycle(problem, "3dvar").run()

    def error(factor, covariance):
        return np.mean(
            [
                ((s.analysis.mean - truth[s.cycle]) ** 2).mean()
                for s in run(factor, covariance)
                if s.cycle > 10
            ]
        )

    told = []
    found = in_rounds(run, truth, local, np.zeros(SIZE, int), tell=lambda i, _: told.append(i))
    assert told == list(range(ROUNDS))
    first, last = error(np.ones(SIZE), None), error(found.factor, found.covariance)
    assert last < first
    # The Kalman filter's own errors are the least there are.
    assert last < 1.1 * kalman(truth, observations, inner.matrix)
    assert found.factor == pytest.approx(np.ones(SIZE), abs=0.12)


def kalman(truth, observations, matrix):
    """Return the mean square error of the Kalman filter's analyses."""
    mean, covariance = np.zeros(SIZE), np.eye(SIZE)
    h, errors = observations[0].operator.matrix_at(mean), []
    for t, seen in enumerate(observations):
        if t:
            mean, covariance = matrix @ mean, matrix @ covariance @ matrix.T + 0.19 * np.eye(SIZE)
        gain = covariance @ h.T @ np.linalg.inv(h @ covariance @ h.T + np.diag(seen.variance))
        mean = mean + gain @ (seen.values - h @ mean)
        covariance = covariance - gain @ h @ covariance
        errors.append(((mean - truth[t]) ** 2).mean())
    return np.mean(errors[11:])


def test_what_is_written_is_read_again(tmp_path):
    local = on_a_circle(40, 5.0)
    errors = np.random.default_rng(0).standard_normal((30, 40)) / np.sqrt(30)
    learnt = LearntBackground(np.linspace(0, 1, 40), LocalisedSample(errors, local))
    path = tmp_path / "errors.safetensors"
    save_background(path, learnt)
    read = load_background(path, local)
    np.testing.assert_array_equal(read.factor, learnt.factor)
    np.testing.assert_allclose(read.covariance.anomalies, errors, rtol=1e-3, atol=1e-4)
    with pytest.raises(UserError, match="of 40 components, a state of this bundle 20"):
        load_background(path, on_a_circle(20, 5.0))
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match="mlda cycle learn"):
        load_background(path, local)


def test_the_times_of_year_of_errors_are_kept(tmp_path):
    local = on_a_circle(SIZE, 5.0)
    rng = np.random.default_rng(0)
    months = np.arange(24) % 12 + 1
    times = TimesOfYear(months, MONTHLY, 1.0, 0.0)
    sample = LocalisedSample(rng.standard_normal((24, SIZE)) / np.sqrt(24), local, times)
    path = tmp_path / "errors.safetensors"
    save_background(path, LearntBackground(np.ones(SIZE), sample))
    read = load_background(path, local, MONTHLY).covariance
    july = np.datetime64("2001-07-01")
    np.testing.assert_allclose(read.at(july).variance, sample.at(july).variance, rtol=1e-2)
    # A share of climatology that has its own times of year.
    both = hybrid(sample, sample, GROUPS, 0.5)
    np.testing.assert_allclose(both.at(july).variance, sample.at(july).variance, rtol=1e-6)
    wrong = LocalisedSample(sample.anomalies, local, TimesOfYear(months + 5, MONTHLY, 1.0, 0.0))
    save_background(path, LearntBackground(np.ones(SIZE), wrong))
    with pytest.raises(UserError, match="learn them for this bundle"):
        load_background(path, local, MONTHLY)


def test_a_share_of_climatology_keeps_the_variance_of_the_errors():
    rng, local = np.random.default_rng(1), on_a_circle(SIZE, 4.0)
    errors = LocalisedSample(0.3 * rng.standard_normal((20, SIZE)) / np.sqrt(20), local)
    days = LocalisedSample(rng.standard_normal((500, SIZE)) / np.sqrt(500), local)
    for share in (0.0, 0.5, 1.0):
        made = hybrid(errors, days, GROUPS, share)
        for group in (0, 1):
            there = group == GROUPS
            assert made.variance[there].sum() == pytest.approx(errors.variance[there].sum())
    # Only climatology's: correlations of independent components are as small as its sample allows.
    assert len(made.anomalies) == 520
    correlation = np.corrcoef(hybrid(errors, days, GROUPS, 1.0).anomalies[20:].T)
    assert np.abs(correlation[~np.eye(SIZE, dtype=bool)]).max() < 0.2

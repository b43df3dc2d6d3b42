import numpy as np
import pytest
from linear_cycle import lorenz_problem

from mlda_core.climate.errors import UserError
from mlda_core.cycling.covariance import Gaussian
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.operators import LinearOperator
from mlda_core.cycling.problem import Observations, Problem
from mlda_core.forecast.koopman import LinearDynamics
from mlda_core.forecast.model_error import DiagonalCovariance


@pytest.mark.parametrize("settings", [{"members": 1}, {"inflation": 0.0}])
def test_an_ensemble_without_spread_is_refused(settings):
    with pytest.raises(UserError, match="two members"):
        Cycle(lorenz_problem(), "enkf", **settings)


def test_inflation_widens_the_analysis_and_not_its_mean():
    problem = lorenz_problem(cycles=1)
    (_, plain), (_, wide) = (
        list(Cycle(problem, "etkf", inflation=inflation).run()) for inflation in (1.0, 1.3)
    )
    assert np.allclose(wide.analysis.mean, plain.analysis.mean)
    assert np.allclose(wide.analysis.sd, 1.3 * plain.analysis.sd)


def test_each_member_has_its_own_model_error():
    still, noisy = (
        list(Cycle(lorenz_problem(cycles=1, error=e, observed=False), "enkf").run())[1]
        for e in (None, 1.0)
    )
    assert (noisy.background.sd**2).mean() - (still.background.sd**2).mean() > 0.5


def test_relaxation_draws_the_spread_back_to_the_background():
    problem = lorenz_problem(cycles=1)
    *_, step = Cycle(problem, "etkf", relaxation=1.0).run()
    assert np.allclose(step.analysis.sd, step.background.sd)
    assert not np.allclose(step.analysis.mean, step.background.mean)


def test_the_factor_of_the_covariance_is_estimated_from_departures():
    size, generator = 400, np.random.default_rng(0)
    # The truth is twice as far from the mean as the members believe.
    believed = Gaussian(np.zeros(size), DiagonalCovariance(np.full(size, 0.25)))
    truth = generator.standard_normal(size)
    everything = LinearOperator.of_components(range(size), size)
    variance = np.full(size, 0.1)
    values = truth + generator.standard_normal(size) * np.sqrt(variance)
    still = LinearDynamics(np.eye(size), np.eye(size))
    problem = Problem(still, [0], [Observations(everything, values, variance)], believed, believed)
    (step,) = Cycle(problem, "etkf", members=60, adaptive=0.5).run()
    # Half way from 1 to 4.
    assert step.diagnostics["factor"] == pytest.approx(2.5, rel=0.15)
    with pytest.raises(UserError, match="within 0 to 1"):
        Cycle(problem, "etkf", adaptive=2.0)

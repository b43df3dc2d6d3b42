"""The hybrid of 3D-Var and an ensemble."""

import numpy as np
import pytest
from linear_cycle import kalman, linear_problem, lorenz_problem

from mlda_core.climate.errors import UserError
from mlda_core.cycling.cycle import Cycle


def test_without_a_share_of_the_ensemble_it_is_3d_var():
    problem = lorenz_problem()
    for own, wanted in zip(
        Cycle(problem, "hybrid", members=5, share=0.0).run(),
        Cycle(problem, "3dvar").run(),
        strict=True,
    ):
        assert np.allclose(own.analysis.mean, wanted.analysis.mean)
        assert np.allclose(own.analysis.sd, wanted.analysis.sd)


def test_many_members_alone_are_the_kalman_filter():
    problem = linear_problem(exact=True)
    means, covariances, _ = kalman(problem)
    run = Cycle(problem, "hybrid", seed=1, members=4000, share=1.0, additive=0.0).run()
    for step in run:
        variance = np.diag(covariances[step.cycle])
        assert np.allclose(step.analysis.mean, means[step.cycle], atol=0.1)
        assert np.allclose(step.analysis.sd**2, variance, rtol=0.2, atol=0.01)


def test_additive_errors_widen_the_ensemble():
    problem = lorenz_problem()
    narrow, wide = (
        list(Cycle(problem, "hybrid", additive=a, share=1.0).run(end=1))[-1].background.sd
        for a in (0.0, 0.5)
    )
    assert (wide**2).mean() > (narrow**2).mean() + 0.3 * problem.background_at(1).variance.mean()


@pytest.mark.parametrize("wrong", [{"members": 1}, {"share": 1.5}, {"additive": -1.0}])
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(UserError, match="two members or more"):
        Cycle(lorenz_problem(), "hybrid", **wrong)

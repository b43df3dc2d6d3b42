import numpy as np
from linear_cycle import lorenz_problem

from mlda_core.cycling.cycle import Cycle


def test_each_time_is_interpolated_alone():
    problem = lorenz_problem()
    *_, last = Cycle(problem, "static").run()
    observed = problem.observations[6]
    # The climatology of 2 has variance 13 and no correlations; the errors have variance 1.
    wanted = np.full(8, 2.0)
    wanted[::2] += 13 / 14 * (observed.values - 2)
    assert np.allclose(last.analysis.mean, wanted)
    assert np.allclose(last.background.mean, 2.0)
    assert np.allclose(last.analysis.sd**2, np.where(np.arange(8) % 2, 13, 13 / 14))

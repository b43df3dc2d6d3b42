import numpy as np
import pytest
from linear_cycle import lorenz_problem

from mlda_core.climate.errors import UserError
from mlda_core.cycling.cycle import Cycle

PROBLEM = lorenz_problem(cycles=4)


def test_one_particle_is_refused():
    with pytest.raises(UserError, match="2 or more"):
        Cycle(PROBLEM, "pf_bootstrap", particles=1)


def test_resampling_happens_at_the_threshold_only():
    for threshold, resampled in ((0.0, False), (1.0, True)):
        cycle = Cycle(PROBLEM, "pf_bootstrap", particles=50, threshold=threshold)
        steps = list(cycle.run(end=2))
        parents = steps[1].diagnostics["parents"]
        assert np.array_equal(parents, np.arange(50)) is not resampled
        assert np.allclose(cycle.carried["weights"], 1 / 50) is resampled
        assert 1 <= steps[1].diagnostics["effective"] <= 50


def test_only_repeated_particles_are_moved():
    plain, moved = (
        Cycle(PROBLEM, "pf_bootstrap", particles=60, threshold=1.0, jitter=jitter)
        for jitter in (0.0, 1.0)
    )
    for cycle in (plain, moved):
        *_, last = cycle.run(end=1)
    parents = last.diagnostics["parents"]
    once = np.bincount(parents, minlength=60)[parents] == 1
    assert once.any()
    same = (plain.carried["states"] == moved.carried["states"]).all(axis=1)
    assert np.array_equal(same, once)


def test_the_estimate_is_that_before_resampling():
    kept, drawn = (
        list(Cycle(PROBLEM, "pf_bootstrap", particles=50, threshold=t).run(end=1))[1]
        for t in (0.0, 1.0)
    )
    assert np.array_equal(kept.analysis.mean, drawn.analysis.mean)

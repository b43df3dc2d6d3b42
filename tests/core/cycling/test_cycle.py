import numpy as np
import pytest
from linear_cycle import lorenz_problem

from mlda_core.climate.errors import UserError
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.latent_method import LatentMethod
from mlda_core.cycling.methods import CYCLED
from mlda_core.cycling.methods.vae_var import VaeVar
from mlda_core.forecast.dynamics import advance

# Filters of codes need a latent space, VAE-Var learnt errors; they have the same tests in
# test_latent_method.py and test_vae_var.py.
OF_STATES = [
    key for key, method in CYCLED.items() if not isinstance(method, (LatentMethod, VaeVar))
]
# Those that the defaults leave out, of some methods.
SETTINGS = {
    "etkf": {"rotate": True, "inflation": 1.1},
    "4dvar": {"window": "overlapping", "lag": 2},
    "4dvar_weak": {"lag": 2},
    "pf_bootstrap": {"jitter": 1.0},
    "pf_optimal": {"jitter": 1.0, "kernel": 0.5},
}


def cycle_of(key, problem):
    return Cycle(problem, key, seed=5, **SETTINGS.get(key, {}))


@pytest.mark.slow
@pytest.mark.parametrize("key", OF_STATES)
def test_a_resumed_run_gives_the_same_bits(key, tmp_path):
    problem = lorenz_problem(error=0.02)
    whole = list(cycle_of(key, problem).run())
    first = cycle_of(key, problem)
    steps = list(first.run(end=2))
    np.savez(tmp_path / "run.npz", **first.state())
    second = cycle_of(key, problem)
    with np.load(tmp_path / "run.npz") as saved:
        second.resume(saved)
    steps += second.run()
    assert [s.cycle for s in steps] == [s.cycle for s in whole] == list(range(7))
    for a, b in zip(steps, whole, strict=True):
        assert np.array_equal(a.background.mean, b.background.mean)
        assert np.array_equal(a.analysis.mean, b.analysis.mean)


@pytest.mark.parametrize("key", [k for k in OF_STATES if k != "static"])
def test_no_observation_gives_the_free_forecast(key):
    weak = key == "4dvar_weak"
    problem = lorenz_problem(observed=False, every=2, error=0.02 if weak else None)
    cycle = cycle_of(key, problem)
    *_, last = cycle.run()
    start = problem.initial.mean[None]
    if CYCLED[key].rank in range(30, 60) or key.startswith("pf"):
        n = len(cycle.carried["states" if key.startswith("pf") else "members"])
        start = problem.initial.sample(n, np.random.default_rng((5, 0)))
    free = advance(problem.dynamics, start, range(12)).mean(axis=0)
    assert np.allclose(last.analysis.mean, free, rtol=1e-10)
    assert np.array_equal(last.analysis.mean, last.background.mean)


@pytest.mark.parametrize("key", [k for k in OF_STATES if k != "static"])
def test_observations_bring_the_estimate_nearer_to_them(key):
    problem = lorenz_problem(error=0.02)
    *_, last = cycle_of(key, problem).run()
    observed = problem.observations[6]
    before, after = (
        np.abs(observed.operator.observe(e.mean[None])[0] - observed.values).sum()
        for e in (last.background, last.analysis)
    )
    assert after < before


def test_steps_tell_their_times_and_the_run_its_place():
    cycle = Cycle(lorenz_problem(cycles=3, every=2), "3dvar")
    assert [s.time for s in cycle.run(end=1)] == [0, 2]
    assert cycle.next == 2
    assert [s.time for s in cycle.run()] == [4, 6]


def test_a_run_of_another_method_or_seed_is_refused():
    problem = lorenz_problem()
    done = Cycle(problem, "3dvar", seed=1)
    with pytest.raises(UserError, match="Nothing was cycled"):
        done.state()
    list(done.run(end=1))
    for other in (Cycle(problem, "enkf", seed=1), Cycle(problem, "3dvar", seed=2)):
        with pytest.raises(UserError, match="use the saved run's"):
            other.resume(done.state())

import numpy as np
import pytest
from linear_cycle import LinearDynamics
from scipy import stats

from mlda_core.cycling.density import (
    DensityGrid,
    bayes,
    densities,
    fokker_planck,
    noise,
    ulam,
    wasserstein,
)
from mlda_core.cycling.operators import LinearOperator
from mlda_core.cycling.problem import Observations
from mlda_core.forecast.lorenz import Lorenz63

LINE = DensityGrid((-4.0,), (4.0,), (160,))
BOX = DensityGrid((-22.0, -28.0, 0.0), (22.0, 28.0, 50.0), (11, 14, 10))
OBSERVED = Observations(LinearOperator.of_components([0], 1), np.array([1.2]), np.array([0.5]))


def wells(x):
    return x - x**3


@pytest.mark.parametrize(
    ("grid", "transfer"),
    [
        (LINE, fokker_planck(LINE, wells, 0.1, 2.0)),
        (LINE, fokker_planck(LINE, wells, 0.0, 2.0)),
        (BOX, ulam(BOX, Lorenz63(), range(10))),
        (BOX, noise(BOX, np.array([1.0, 2.0, 30.0]))),
    ],
    ids=["fokker-planck", "advection", "ulam", "noise"],
)
def test_mass_is_kept_and_never_negative(grid, transfer):
    masses = np.random.default_rng(0).dirichlet(np.full(grid.size, 0.1))
    for _ in range(20):
        masses = transfer.carry(masses)
    assert abs(masses.sum() - 1) < 1e-12
    assert masses.min() >= 0
    for matrix in transfer.matrices:
        assert matrix.data.min() >= 0


def test_the_double_wells_stationary_density_stays():
    x, diffusion = LINE.axis(0), 0.15
    potential = x**4 / 4 - x**2 / 2
    rest = np.exp(-potential / diffusion)
    rest /= rest.sum()
    later = fokker_planck(LINE, wells, diffusion, 5.0).carry(rest)
    # Exact at the faces' drift, so to second order in the width of a cell.
    assert np.abs(later - rest).max() < 2e-3 * rest.max()


def test_an_ornstein_uhlenbeck_density_is_the_known_normal():
    start = LINE.normal(np.array([1.5]), np.array([0.2]))
    later = fokker_planck(LINE, lambda x: -x, 0.3, 0.7).carry(start)
    mean = later @ LINE.axis(0)
    variance = later @ (LINE.axis(0) - mean) ** 2
    shrunk = np.exp(-2 * 0.7)
    assert mean == pytest.approx(1.5 * np.exp(-0.7), abs=0.01)
    assert variance == pytest.approx(0.2 * shrunk + 0.3 * (1 - shrunk), rel=0.02)


def test_ulam_and_noise_carry_a_normal_as_the_linear_model_does():
    plane = DensityGrid((-6.0, -6.0), (6.0, 6.0), (120, 120))
    a = np.array([[0.8, -0.5], [0.3, 0.6]])
    start = plane.normal(np.array([1.0, -1.0]), np.array([0.5, 0.3]))
    flowed = ulam(plane, LinearDynamics(a), range(1)).carry(start)
    later = noise(plane, np.array([0.4, 0.2])).carry(flowed)
    mean = later @ plane.centres
    away = plane.centres - mean
    cov = (later[:, None] * away).T @ away
    wanted = a @ np.diag([0.5, 0.3]) @ a.T + np.diag([0.4, 0.2])
    assert np.allclose(mean, a @ [1.0, -1.0], atol=0.01)
    assert np.allclose(cov, wanted, atol=0.02)


def test_bayes_gives_the_normal_posterior_and_its_evidence():
    prior = LINE.normal(np.array([0.3]), np.array([0.5]))
    after, evidence = bayes(LINE, prior, OBSERVED)
    assert after.sum() == pytest.approx(1, abs=1e-12)
    assert after @ LINE.axis(0) == pytest.approx(0.3 + 0.5 * 0.9, abs=1e-3)
    assert evidence == pytest.approx(stats.norm(0.3, 1.0).logpdf(1.2), abs=1e-3)


def test_densities_are_cycled():
    transfer = fokker_planck(LINE, wells, 0.1, 0.5)
    start = LINE.normal(np.array([0.0]), np.array([0.3]))
    (one, two) = densities(LINE, [transfer], start, [None, OBSERVED])
    assert np.array_equal(one[0], one[1])
    assert np.allclose(two[0], transfer.carry(transfer.carry(start)))
    assert np.allclose(two[1], bayes(LINE, two[0], OBSERVED)[0])


def test_cells_and_marginals():
    states = np.array([[0.0, 0.0, 0.0], [99.0, 0.0, 0.0]])
    masses = BOX.masses(states, np.array([0.25, 0.75]))
    assert np.array_equal(np.flatnonzero(masses), np.sort(BOX.index(states)))
    assert BOX.marginal(masses, 0)[-1] == 0.75
    assert BOX.marginal(masses, 0, 2).shape == (11, 10)
    assert BOX.centres.shape == (1540, 3)


def test_the_distance_of_distributions():
    x = LINE.axis(0)
    exact = LINE.normal(np.array([0.0]), np.array([1.0]))
    drawn = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)
    weights = np.full(4000, 1 / 4000)
    assert wasserstein(x, exact, drawn, weights) < 0.01
    # A shift is its own distance.
    assert wasserstein(x, exact, drawn + 0.7, weights) == pytest.approx(0.7, abs=0.01)

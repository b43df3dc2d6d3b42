"""The density of one number where errors are not normal, against quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from kind_posteriors import prepared, rows
from scipy import stats

from mlda_core.assimilation import not_normal
from mlda_core.assimilation.mode import about_modes, modes_of
from mlda_core.assimilation.not_normal import can_be_drawn, density_of, mixture


def at_mode(linear, text):
    _, problem = prepared(linear, rows(linear, text))
    return about_modes(problem, modes_of(problem))


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("tas,40,30,much colder,0.1,report,,\n", 0.8),
        ("tas,40,30,1.5,0.1,lower_bound,,\n", 1.0),
        ("tas,40,30,2,0.4,student_t,,\n", 0.5),
    ],
)
def test_with_one_row_it_is_the_integral_over_the_state_there(linear, text, share):
    problem = at_mode(linear, text)
    gain, likelihoods = problem.gain, problem.observed.likelihoods
    v = float((gain.error_covariance + gain.latent @ gain.latent.T)[0, 0])
    mean = float(problem.observed.value[0] - problem.departures(problem.x_b)[0])
    # A number that goes along with the state there, more or less; the same unit of variance.
    covariance, variance = np.array([share * v]), v
    away, sd = mixture(problem, covariance, variance)
    f = mean + np.linspace(-8, 8, 4001) * np.sqrt(v)
    weight = np.exp(-0.5 * (f - mean) ** 2 / v - likelihoods.cost(f[:, None])[:, 0])
    weight /= weight.sum()
    left = np.sqrt(max(variance - share**2 * v, 1e-12))
    mode = share * (problem.modes[0].at[0] - mean)
    drawn = np.random.default_rng(0)
    exact = share * (drawn.choice(f, 200_000, p=weight) - mean) - mode
    exact = exact + left * drawn.standard_normal(exact.size)
    nodes = np.linspace(away.min() - 4 * sd, away.max() + 4 * sd, 2001)
    height = density_of(away, sd, nodes)
    step = nodes[1] - nodes[0]
    assert height.sum() * step == pytest.approx(1, abs=1e-3)
    first = (height * nodes).sum() * step
    second = np.sqrt((height * (nodes - first) ** 2).sum() * step)
    third = (height * (nodes - first) ** 3).sum() * step / second**3
    # Of 600 draws; the bandwidth adds a little.
    assert first == pytest.approx(exact.mean(), abs=0.12 * exact.std())
    assert second == pytest.approx(exact.std(), rel=0.12)
    assert third == pytest.approx(stats.skew(exact), abs=0.4)


def test_of_normal_errors_and_of_very_many_there_is_none(linear, monkeypatch):
    _, problem = prepared(linear, rows(linear, "tas,40,30,1,,,,\npsl,,,4,1,mean,nino34,\n"))
    assert not can_be_drawn(problem)
    with pytest.raises(ValueError, match="normal"):
        mixture(problem, np.zeros(2), 1.0)
    skewed = at_mode(linear, "tas,40,30,colder,,report,,\n")
    assert can_be_drawn(skewed)
    monkeypatch.setattr(not_normal, "MOST", 0)
    assert not can_be_drawn(skewed)

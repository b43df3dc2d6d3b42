import numpy as np
import pytest

from mlda_core.cycling.resampling import (
    ancestors,
    bandwidth,
    effective_number,
    jitter,
    repeated,
    reweight,
    systematic,
    weighted_root,
)

RNG = np.random.default_rng(0)
WEIGHTS = RNG.dirichlet(np.ones(50))
STATES = RNG.standard_normal((50, 3))


def test_weights_follow_bayes_and_tell_the_evidence():
    likelihood = RNG.random(50)
    weights, evidence = reweight(WEIGHTS, np.log(likelihood))
    assert np.allclose(weights, WEIGHTS * likelihood / (WEIGHTS @ likelihood))
    assert evidence == pytest.approx(np.log(WEIGHTS @ likelihood))


def test_likelihoods_too_small_for_a_number_still_weigh():
    weights, evidence = reweight(np.array([0.5, 0.5]), np.array([-2000.0, -2001.0]))
    assert weights[0] / weights[1] == pytest.approx(np.e)
    assert evidence == pytest.approx(-2000 + np.log(0.5 * (1 + np.exp(-1))))


def test_effective_number_of_equal_and_of_one():
    assert effective_number(np.full(8, 1 / 8)) == pytest.approx(8)
    assert effective_number(np.array([1.0, 0.0])) == 1


def test_systematic_resampling_keeps_each_within_one_of_its_share():
    counts = np.bincount(systematic(WEIGHTS, np.random.default_rng(1)), minlength=50)
    assert counts.sum() == 50
    assert np.abs(counts - 50 * WEIGHTS).max() < 1


def test_systematic_resampling_has_no_bias():
    rng = np.random.default_rng(2)
    counts = sum(np.bincount(systematic(WEIGHTS, rng), minlength=50) for _ in range(4000))
    assert np.allclose(counts / 4000, 50 * WEIGHTS, atol=0.05)


def test_the_weighted_root_is_of_the_weighted_covariance():
    root = weighted_root(STATES, WEIGHTS)
    assert np.allclose(root.T @ root, np.cov(STATES.T, aweights=WEIGHTS))
    alone = np.zeros(50)
    alone[3] = 1
    root = weighted_root(STATES, alone)
    assert np.allclose(root.T @ root, np.cov(STATES.T))


@pytest.mark.parametrize("n", [5, 50])
def test_jitter_has_the_covariance_of_its_root(n):
    root = weighted_root(STATES[:n], np.full(n, 1 / n))
    drawn = jitter(root, 40000, np.random.default_rng(0))
    assert np.allclose(np.cov(drawn.T), root.T @ root, atol=0.05)


def test_repeated_entries_are_told():
    assert repeated(np.array([0, 1, 1, 4, 5, 5, 5])).tolist() == [0, 1, 1, 0, 1, 1, 1]


def test_ancestors_are_counted_back_in_time():
    parents = [np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3]), np.array([0, 0, 1, 1])]
    # Today's come from particles 0 and 1, which came from 0 and 1, which both came from 0.
    assert ancestors(parents) == [1, 2, 2]


def test_scotts_rule():
    assert bandwidth(10000, 4) == pytest.approx(10000 ** (-1 / 8))

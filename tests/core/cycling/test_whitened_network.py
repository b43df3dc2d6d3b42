"""Observations whitened by what codes leave out."""

import numpy as np

from mlda_core.cycling.covariance import LocalisedSample, columns
from mlda_core.cycling.localisation import on_a_circle
from mlda_core.cycling.operators import LinearOperator
from mlda_core.cycling.problem import Observations
from mlda_core.cycling.whitened_network import WhitenedNetwork

RNG = np.random.default_rng(2)
REST = LocalisedSample(RNG.standard_normal((5, 8)), on_a_circle(8, 2.0))
AT = np.array([0, 3, 5])
OPERATOR = LinearOperator.of_components(AT, 8, AT[:, None].astype(float))
NETWORK = WhitenedNetwork(REST, Observations(OPERATOR, np.zeros(3), np.array([0.1, 0.2, 0.3])))


def test_whitened_errors_are_independent_and_of_unit_variance():
    _, between = columns(REST, OPERATOR, np.zeros(8))
    covariance = between + np.diag([0.1, 0.2, 0.3])
    whitened = NETWORK.whitened(NETWORK.whitened(covariance).T)
    np.testing.assert_allclose(whitened, np.eye(3), atol=1e-12)


def test_codes_are_seen_through_their_patterns():
    patterns = RNG.standard_normal((4, 8))
    operator = NETWORK.of_codes(patterns)
    z = RNG.standard_normal((1, 4))
    wanted = NETWORK.whitened(OPERATOR.observe(z @ patterns)[0])
    np.testing.assert_allclose(operator.observe(z)[0], wanted)


def test_the_rest_gets_the_kalman_update():
    cross, between = columns(REST, OPERATOR, np.zeros(8))
    gain = cross @ np.linalg.inv(between + np.diag([0.1, 0.2, 0.3]))
    departures = RNG.standard_normal(3)
    np.testing.assert_allclose(NETWORK.rest_given(departures), gain @ departures)
    left = NETWORK.variance_left(REST.variance)
    np.testing.assert_allclose(left, REST.variance - np.einsum("dp,dp->d", gain, cross))

import numpy as np
import pytest

from mlda_core.cycling.ensemble_transform import (
    centred,
    perturbed_update,
    relaxed,
    rotation,
    scaled_anomalies,
    spread_out,
    symmetric_transform,
)

RNG = np.random.default_rng(0)
MEMBERS = RNG.standard_normal((7, 5)) @ RNG.standard_normal((5, 5)) + 2
H, VALUES, SD = RNG.standard_normal((3, 5)), RNG.standard_normal(3), np.array([0.5, 1.0, 2.0])
P = np.cov(MEMBERS.T)
GAIN = P @ H.T @ np.linalg.inv(H @ P @ H.T + np.diag(SD**2))
MEAN = MEMBERS.mean(axis=0) + GAIN @ (VALUES - H @ MEMBERS.mean(axis=0))


def test_the_transform_gives_the_kalman_mean_and_covariance():
    observed = MEMBERS @ H.T
    s = scaled_anomalies(observed, SD)
    departures = (VALUES - observed.mean(axis=0)) / SD
    weights, transform = symmetric_transform(s @ s.T, s @ departures)
    mean, anomalies = centred(MEMBERS)
    after = mean + (weights + transform) @ anomalies
    assert np.allclose(after.mean(axis=0), MEAN)
    assert np.allclose(np.cov(after.T), P - GAIN @ H @ P)


def test_a_batch_of_transforms_is_each_of_them():
    s = RNG.standard_normal((4, 6, 3))
    gram, toward = s @ np.swapaxes(s, 1, 2), RNG.standard_normal((4, 6))
    weights, transforms = symmetric_transform(gram, toward)
    for i in range(4):
        w, t = symmetric_transform(gram[i], toward[i])
        assert np.allclose(weights[i], w)
        assert np.allclose(transforms[i], t)


@pytest.mark.parametrize("p", [3, 20])
def test_perturbed_observations_move_the_mean_by_the_gain(p):
    h, sd = RNG.standard_normal((p, 5)), np.full(p, 1.3)
    values = RNG.standard_normal(p)
    gain = P @ h.T @ np.linalg.inv(h @ P @ h.T + np.diag(sd**2))
    after = perturbed_update(MEMBERS, MEMBERS @ h.T, values, sd, np.random.default_rng(1))
    mean = MEMBERS.mean(axis=0)
    # The draws are centred, so the mean has no sampling error, whichever form is the smaller.
    assert np.allclose(after.mean(axis=0), mean + gain @ (values - h @ mean))


def test_perturbed_observations_leave_the_kalman_covariance_on_average():
    rng = np.random.default_rng(2)
    covs = [
        np.cov(perturbed_update(MEMBERS, MEMBERS @ H.T, VALUES, SD, rng).T) for _ in range(3000)
    ]
    wanted = P - GAIN @ H @ P
    assert np.abs(np.mean(covs, axis=0) - wanted).max() < 0.05 * np.abs(P).max()


def test_a_rotation_keeps_mean_and_covariance():
    turn = rotation(6, np.random.default_rng(0))
    assert np.allclose(turn @ turn.T, np.eye(6))
    assert np.allclose(turn @ np.ones(6), np.ones(6))
    assert not np.allclose(turn, rotation(6, np.random.default_rng(1)))


def test_members_are_inflated_about_their_mean():
    wide = spread_out(MEMBERS, 1.5, np.random.default_rng(0))
    assert np.allclose(wide.mean(axis=0), MEMBERS.mean(axis=0))
    assert np.allclose(np.cov(wide.T), 2.25 * P)
    assert np.allclose(spread_out(MEMBERS, 1.0), MEMBERS)


def test_spread_is_drawn_back_by_a_fraction():
    narrow = MEMBERS.mean(axis=0) + 0.5 * (MEMBERS - MEMBERS.mean(axis=0)) + 1
    narrow[:, 2] = 3.0
    half = relaxed(narrow, MEMBERS, 0.5)
    assert np.allclose(half.mean(axis=0), narrow.mean(axis=0))
    wanted = 0.75 * MEMBERS.std(axis=0)
    wanted[2] = 0
    assert np.allclose(half.std(axis=0), wanted)

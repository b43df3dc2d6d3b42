"""Scores of responses that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_up_runs import made_up

from mlda_core.evaluation import gcm_response as gcm_scoring


def scores_of(runs, ours):
    weights = np.full(ours.shape[1:], 1.0)
    return gcm_scoring._one(runs, runs.halves(), {"vae": ours}, weights, 0)


@pytest.mark.parametrize("members", [2, 3, 4])
def test_a_perfect_emulator_has_correlation_and_amplitude_one(members):
    response, runs = made_up(members=members)
    found = scores_of(runs, response)
    assert found["vae"] == pytest.approx({"pattern_correlation": 1, "amplitude_ratio": 1})
    assert found["gcm_half"] == pytest.approx({"pattern_correlation": 1})
    half = scores_of(runs, 0.5 * response)["vae"]
    assert half == pytest.approx({"pattern_correlation": 1, "amplitude_ratio": 0.5})
    against = scores_of(runs, -response)["vae"]
    assert against == pytest.approx({"pattern_correlation": -1, "amplitude_ratio": -1})


def test_noise_of_the_gcm_does_not_bias_the_amplitude():
    found = []
    for seed in range(20):
        response, runs = made_up(noise=1.0, seed=seed)
        found.append(scores_of(runs, response))
    ratio = np.mean([f["vae"]["amplitude_ratio"] for f in found])
    assert ratio == pytest.approx(1.0, abs=0.02)
    halves = np.mean([f["gcm_half"]["pattern_correlation"] for f in found])
    # Variances of one and two members' noise, each with four unperturbed members.
    expected = 1 / np.sqrt((1 + 1 + 1 / 4) * (1 + 1 / 2 + 1 / 4))
    assert halves == pytest.approx(expected, abs=0.02)


def test_halves_that_share_nothing_have_no_amplitude():
    _, runs = made_up(members=2, controls=2)
    opposed = replace(runs, perturbed=np.stack([runs.perturbed[0], -runs.perturbed[0]]))
    found = scores_of(opposed, runs.perturbed[0])
    assert "amplitude_ratio" not in found["vae"]
    assert found["gcm_half"]["pattern_correlation"] == pytest.approx(-1)

"""What samplers have in common."""

from __future__ import annotations

import pytest
from scipy.stats import norm

from mlda_core.assimilation.posterior.sampler import (
    EVENTS,
    LEAST_MEMBERS,
    MEMBERS,
    MOST_MEMBERS,
    Progress,
    Sampler,
)
from mlda_core.assimilation.posterior.samplers import SAMPLERS


def test_the_fifths_are_those_of_a_normal_distribution():
    assert EVENTS["above"][1] == 0
    assert norm.sf(EVENTS["upper"][1]) == pytest.approx(0.2, abs=1e-4)
    assert norm.cdf(EVENTS["lower"][1]) == pytest.approx(0.2, abs=1e-4)
    assert LEAST_MEMBERS <= MEMBERS <= MOST_MEMBERS


def test_a_sampler_must_say_how_it_samples_and_comes_to_an_end(linear, prepare):
    with pytest.raises(TypeError, match="sample"):
        Sampler("x", "X", "x", "y.md", rank=1)
    engine, problem = prepare(linear)
    draws = engine.draws.of(problem, 3, 0)
    # The other one needs a trained prior: test_guided.py.
    for sampler in (SAMPLERS[key] for key in SAMPLERS if key != "guided"):
        steps = list(sampler.sample(problem, draws))
        assert all(isinstance(step, Progress) and step.done <= step.total for step in steps)
        assert [step.sampled is not None for step in steps] == [False] * (len(steps) - 1) + [True]
        sampled = steps[-1].sampled
        assert sampled.x.shape == (3, linear.mask.size)
        assert sampled.z.shape == (3, linear.n_latent)

"""Comparison of priors: the measures on known distributions, and a small bundle's table."""

from __future__ import annotations

import json

import numpy as np
import pytest
from climate import make_config
from priors import jolted
from small import make_small

from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.writing import add_prior
from mlda_core.evaluation.priors import energy_distance, score_priors, write_priors
from mlda_core.vae.dataset import load_training_data


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A small bundle with a flow that is far from N(0, I), a diffusion model, and their scores."""
    folder = tmp_path_factory.mktemp("priors")
    bundle = make_small(folder, curved=0.0)
    data = load_training_data(make_config(folder))
    for key, size in (("flow", 0.2), ("diffusion", 0.02)):
        add_prior(load_bundle(bundle.path), key, jolted(key, bundle.n_latent, size), {"seconds": 2})
    bundle = load_bundle(bundle.path)
    stages = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mlda_core.evaluation.priors.MEMBERS", 12)
        found = score_priors(
            bundle,
            data,
            "validation",
            samples=20,
            networks=("stations_10",),
            most_draws=1,
            tick=lambda stage, done, total: stages.append((stage, done, total)),
        )
    return bundle, found, stages


def test_the_energy_distance_is_that_of_the_distributions():
    rng = np.random.default_rng(0)
    # In one dimension it is twice the integral of the squared difference of the distribution
    # functions: of two normal distributions two apart, 4 phi-bar: see the docstring's paper.
    grid = np.linspace(-12, 14, 20001)
    from scipy.stats import norm

    exact = 2 * np.trapezoid((norm.cdf(grid) - norm.cdf(grid, loc=2)) ** 2, grid)
    x, y = rng.standard_normal((2000, 1)), 2 + rng.standard_normal((2000, 1))
    assert energy_distance(x, y) == pytest.approx(exact, rel=0.06)
    same = [
        energy_distance(rng.standard_normal((60, 5)), rng.standard_normal((60, 5)))
        for _ in range(40)
    ]
    # Unbiased: of one distribution it is zero on average, and so sometimes negative.
    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(40)
    assert min(same) < 0


@pytest.mark.slow
def test_every_prior_is_scored_by_what_it_can_do(compared):
    bundle, found, stages = compared
    assert list(found["priors"]) == ["gaussian", "flow", "diffusion"]
    gaussian, flow, diffusion = found["priors"].values()
    assert gaussian["gain"] == 0.0
    # A flow that was never trained is a bad description of the codes, and its draws are far off.
    assert flow["gain"] < -2 * flow["standard_error"]
    assert flow["standard_error"] > 0
    assert flow["log_density"] == pytest.approx(gaussian["log_density"] + flow["gain"])
    assert "log_density" not in diffusion
    assert flow["energy_distance"] > gaussian["energy_distance"]
    assert diffusion["energy_distance"] == pytest.approx(gaussian["energy_distance"], abs=0.1)
    names = {v.name for v in bundle.variables}
    for scores in found["priors"].values():
        assert set(scores["variance_ratio"]) == names
        assert scores["nino34"]["n"] == 12 * 20
        table = scores["analyses"]["stations_10"]
        assert set(table) == names
        assert all(row["explained_variance"] <= 1 for row in table.values())
    assert flow["analyses"] != gaussian["analyses"]
    # The sampler guided, nearly with N(0, I), is near the analysis of the same months.
    row = diffusion["analyses"]["stations_10"]["tas"]
    assert row["explained_variance"] == pytest.approx(row["of_gaussian"], abs=0.15)
    assert found["nino34"]["months"]["n"] == found["nino34"]["codes"]["n"]
    # One year is held out: it has no halves.
    assert found["halves"] is None
    assert {stage for stage, _, _ in stages} >= {"encoding months", "stations_10"}


@pytest.mark.slow
def test_scores_are_written_beside_the_others(compared, tmp_path):
    bundle, found, _ = compared
    path = tmp_path / "scores.json"
    write_priors(found, bundle, "validation", path)
    write_priors({**found, "months": 7}, bundle, "test", path)
    written = json.loads(path.read_text())["priors"]
    assert written["validation"]["trained"]["flow"]["seconds"] == 2
    assert written["validation"]["default"] == "gaussian"
    assert written["test"]["months"] == 7

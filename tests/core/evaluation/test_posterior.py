"""Scores of ensembles: of a known calibration, and of a small bundle."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small import make_small
from typer.testing import CliRunner

from mlda_core.bundle.samples import months_of_bundle
from mlda_core.cli import main as cli
from mlda_core.climate.errors import StateError
from mlda_core.evaluation.posterior import MEMBERS, Sums, areas_of, score_posterior


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("linear"), curved=0.0)


def drawn(width, n=6000, seed=0):
    """Scores of members whose spread is ``width`` times right."""
    rng = np.random.default_rng(seed)
    mean = rng.standard_normal(n)
    truth = mean + rng.standard_normal(n)
    members = mean + width * rng.standard_normal((MEMBERS, n))
    sums = Sums(1)
    sums.add(members, truth, np.ones((1, n)))
    return sums.scores(0) | {"pit": sums.pit(0)}


def test_a_calibrated_ensemble_scores_as_one():
    right = drawn(1.0)
    assert right["spread_over_error"] == pytest.approx(1.0, abs=0.04)
    assert right["coverage_90"] == pytest.approx(0.9, abs=0.015)
    assert right["coverage_50"] == pytest.approx(0.5, abs=0.02)
    assert max(right["pit"]) < 1.3 / len(right["pit"])
    # Of a standard normal distribution: 1 / sqrt(pi) (Gneiting and Raftery 2007, equation 21).
    assert right["crps"] == pytest.approx(1 / np.sqrt(np.pi), rel=0.03)


@pytest.mark.parametrize(("width", "covered"), [(0.5, 0.59), (1.6, 0.99)])
def test_a_narrow_ensemble_misses_the_truth_and_a_wide_one_holds_it_too_often(width, covered):
    wrong = drawn(width)
    assert wrong["spread_over_error"] == pytest.approx(width, rel=0.04)
    assert wrong["coverage_90"] == pytest.approx(covered, abs=0.02)
    assert wrong["crps"] > drawn(1.0)["crps"]


def test_missing_values_and_cells_without_weight_are_left_out():
    rng = np.random.default_rng(1)
    members, truth = rng.standard_normal((MEMBERS, 50)), rng.standard_normal(50)
    weights = np.ones((2, 50))
    weights[1, :25] = 0
    one, two = Sums(2), Sums(2)
    one.add(members[:, 5:], truth[5:], weights[:, 5:])
    truth[:5] = np.nan
    two.add(members, truth, weights)
    assert one.scores(0) == two.scores(0)
    assert Sums(1).scores(0) == {}


@pytest.mark.slow
def test_every_variable_of_a_network_is_scored_by_area_and_at_withheld_stations(small):
    months = months_of_bundle(small).in_split("validation")
    found = score_posterior(small, months, networks=["stations_10", "sst_only"], most_months=2)
    assert set(found["stations_10"]) == {v.name for v in small.variables}
    scores = found["stations_10"]["tas"]
    assert set(scores["areas"]) == set(areas_of(small)) - {"globe"}
    assert scores["withheld"]["crps"] > 0
    assert sum(scores["pit"]) == pytest.approx(1, abs=1e-2)
    assert "withheld" not in found["sst_only"]["tas"]
    with pytest.raises(StateError, match="no sampler"):
        score_posterior(small, months, sampler="guess")


@pytest.mark.slow
def test_the_command_writes_scores_and_keeps_others(small, tmp_path):
    def run(*options):
        return CliRunner().invoke(
            cli.app,
            [
                "validate",
                str(small.path),
                "--posterior",
                "--out",
                str(tmp_path),
                "--networks",
                "stations_10",
                "--most-months",
                "1",
                *options,
            ],
        )

    done = run()
    assert done.exit_code == 0, done.output
    assert "90 %" in done.stdout
    path = tmp_path / "scores.json"
    scores = json.loads(path.read_text())
    assert set(scores["posterior"]["validation"]["vae"]["laplace"]) == {"stations_10"}
    scores["posterior"]["test"] = {"vae": {"laplace": {"kept": 1}}}
    path.write_text(json.dumps(scores))
    assert run("--method", "enoi").exit_code == 0
    again = json.loads(path.read_text())["posterior"]
    assert again["test"] == {"vae": {"laplace": {"kept": 1}}}
    first, second = (again["validation"][m]["laplace"]["stations_10"] for m in ("vae", "enoi"))
    assert first == scores["posterior"]["validation"]["vae"]["laplace"]["stations_10"]
    # Of other states than those of the VAE, about the same truth.
    assert second["psl"]["months"] == first["psl"]["months"]
    assert second["psl"]["crps"] != first["psl"]["crps"]
    refused = run("--method", "regression")
    assert refused.exit_code == 2
    assert "has no prior of its own" in " ".join(refused.stderr.split())

"""One observation, and what it says elsewhere."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from aloft import make_bundle

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.samples import months_of_bundle
from mlda_core.climate.vectors import geostrophic_wind
from mlda_core.evaluation import single_observation
from mlda_core.evaluation.single_observation import ExperimentError


@pytest.fixture(scope="module")
def adrift(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("adrift"), balanced=False)


def test_one_observation_turns_the_wind_where_past_months_were_in_balance(aloft, adrift):
    balance = {}
    for bundle in (aloft, adrift):
        found = single_observation.run(Assimilator(bundle), 1)
        for method in ("vae", "enoi"):
            made = found[method]
            assert made.peak < -5
            assert 0 < made.half_km < made.tenth_km
            assert 0 <= made.far_share < 1
            balance[bundle, method] = made.balance
    for method in ("vae", "enoi"):
        assert balance[aloft, method] > 0.8
        assert abs(balance[adrift, method]) < 0.5


def test_one_observation_says_something_near_and_little_far_away(aloft):
    months = months_of_bundle(aloft).in_split("test")
    found = single_observation.skill(Assimilator(aloft), months)
    for method in ("vae", "enoi"):
        near, far = found[method]["near"], found[method]["far"]
        assert near["zg500"] > 0.05
        assert near["zg500"] > far["zg500"] + 0.05
        assert all(score < 1 for part in (near, far) for score in part.values())
    # What stands for a value that a month lacks is not observed.
    present = np.ones(months.x.shape, bool)
    present[::2] = False
    lacking = (
        replace(months, present=present, x=np.where(present, months.x, np.float32(filled)))
        for filled in (0, 9)
    )
    nothing, nonsense = (single_observation.skill(Assimilator(aloft), m) for m in lacking)
    assert nothing == nonsense
    turned = replace(months, anomalies=-months.anomalies)
    wrong = single_observation.skill(Assimilator(aloft), turned)
    assert wrong["vae"]["near"]["zg500"] < 0


def test_the_observation_is_two_deviations_low(aloft):
    row = single_observation.observe(aloft, 7).iloc[0]
    assert (row["variable"], row["lat"], row["lon"]) == ("zg500", 21.0, 129.0)
    assert row["value"] == pytest.approx(-10 * row["error_sd"], abs=0.5)


def test_a_balanced_increment_measures_as_one(aloft):
    away = single_observation.distance_km(aloft, single_observation.PLACE)
    height = -30 * np.exp(-((away / 2500) ** 2))
    fields = np.stack([height, *(0.5 * w for w in geostrophic_wind(height, aloft.grid))])
    made = single_observation.describe(aloft, fields)
    assert made.balance == pytest.approx(1)
    assert made.slope == pytest.approx(0.5)
    assert made.half_km == pytest.approx(2500 * np.sqrt(np.log(2)), rel=0.25)
    assert made.tenth_km == pytest.approx(2500 * np.sqrt(np.log(10)), rel=0.25)
    turned = single_observation.describe(aloft, np.stack([height, fields[2], -fields[1]]))
    assert abs(turned.balance) < 0.2


def test_a_bundle_without_a_vector_says_so(aloft):
    plain = load_bundle(aloft.path)
    plain.config["vectors"] = []
    with pytest.raises(ExperimentError, match="has no vector; choose one such as"):
        single_observation.scalar_of(plain)


@pytest.mark.slow
def test_the_example_names_a_bundle_without_a_vector_in_one_sentence(repo_root):
    done = subprocess.run(
        [sys.executable, repo_root / "examples/single_observation.py", "assets/bundles/speedy"],
        cwd=repo_root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("single_observation.py: The bundle speedy has no vector;")
    assert "Traceback" not in done.stderr

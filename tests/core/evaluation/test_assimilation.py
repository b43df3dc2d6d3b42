"""Scores of assimilation: what is pooled, what is left out, and where it is written."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.bundle.samples import months_of_bundle
from mlda_core.evaluation import assimilation as scoring


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("scored"), curved=0.0)


@pytest.fixture(scope="module")
def months(small):
    return months_of_bundle(small).in_split("validation")


@pytest.mark.slow
def test_every_method_is_scored_on_every_month(small, months):
    found = scoring.score(
        small, months, methods=("vae", "eof", "enoi", "regression"), networks=("sst_only",)
    )["sst_only"]
    for variable in ("psl", "tos", "tas", "pr"):
        for method in ("vae", "eof", "enoi", "regression", "climatology"):
            assert found[variable][method]["months"] == len(months)
            assert np.isfinite(found[variable][method]["rmse"])
        assert found[variable]["climatology"]["explained_variance"] == 0.0
    assert found["tos"]["vae"]["explained_variance"] > 0.7  # it is observed
    assert 0.3 < found["psl"]["vae"]["spread_over_error"] < 3


def test_pooling_agrees_with_one_analysis_at_a_time(small, months):
    places, _ = scoring.network_of(small, "stations_10", 0)
    one = months.where(np.arange(len(months)) == 3)
    found = scoring.score(small, one, methods=("vae",), networks=("stations_10",))["stations_10"]
    lost = power = 0.0
    for draw in range(20):
        places, everywhere = scoring.network_of(small, "stations_10", draw)
        month = int(one.calendar[0])
        rng = np.random.default_rng([draw, month])
        values = small.operator.apply(places, one.x.astype(float))
        values = values + scoring.ERROR * rng.standard_normal(values.shape)
        variance = np.full(len(places), scoring.ERROR**2)
        x, sd = Assimilator(small).states(places, variance, values, month)
        fields = small.normaliser.restore(x, one.calendar, sd=sd)
        estimate = small.normaliser.anomalies(fields, one.calendar)
        weights = scoring._weights(small, places, everywhere)[0, 0]
        lost += np.nansum(weights * (estimate[0, 0] - one.anomalies[0, 0]) ** 2)
        power += np.nansum(weights * one.anomalies[0, 0].astype(float) ** 2)
    assert found["psl"]["vae"]["explained_variance"] == pytest.approx(1 - lost / power, abs=1e-6)


def test_cells_where_stations_stand_are_not_scored(small):
    places, everywhere = scoring.network_of(small, "stations_30", 0)
    assert everywhere == ()
    weights = scoring._weights(small, places, everywhere)[0]
    nearest = places.index[np.arange(len(places)), places.weight.argmax(axis=1)]
    assert (weights.ravel()[nearest] == 0).all()
    full = small.normaliser.weights
    assert (weights[3] == full[3]).all()  # rain is observed nowhere
    assert weights[0].sum() < full[0].sum()


def test_draws_share_the_members(months):
    members = [0, 1, 2, 3, 4, 5, 6, 7]
    few = scoring.draws_of("stations_10", members)
    assert len(few) == 20
    assert all(len(who) == 1 for _, who in few)
    many = scoring.draws_of("stations_300", members)
    assert len(many) == 5
    assert sorted(m for _, who in many for m in who) == members
    assert scoring.draws_of("sst_only", members) == [(0, members)]


def test_the_ceiling_is_what_members_share(small, months):
    shared = np.random.default_rng(0).standard_normal((1, *months.anomalies.shape[1:]))
    own = np.random.default_rng(1).standard_normal((200, *months.anomalies.shape[1:]))
    members = months.where(np.zeros(200, dtype=int))
    object.__setattr__(members, "anomalies", (shared + own).astype(np.float32))
    found = scoring.ceiling(small, members)
    assert found["psl"]["explained_variance"] == pytest.approx(0.5, abs=0.1)
    assert scoring.ceiling(small, months) == {}


def test_scores_are_written_beside_others_and_dropped_with_other_weights(small, tmp_path):
    path = tmp_path / "scores.json"
    weights = small.config["checksums"]["weights.safetensors"]
    path.write_text(json.dumps({"weights": weights, "reconstruction": {"test": 1}}))
    scoring.write_assimilation({"sst_only": {"psl": {}}}, small, "test", path)
    scoring.write_assimilation({"all_fields": {"psl": {}}}, small, "test", path)
    found = json.loads(path.read_text())
    assert found["reconstruction"] == {"test": 1}
    assert set(found["assimilation"]["test"]) == {"sst_only", "all_fields"}
    path.write_text(json.dumps({**found, "weights": "of another model"}))
    scoring.write_assimilation({"sst_only": {}}, small, "test", path)
    found = json.loads(path.read_text())
    assert "reconstruction" not in found
    assert set(found["assimilation"]["test"]) == {"sst_only"}


def test_a_variable_with_nothing_left_to_score_has_no_score(small):
    truth = np.ones((2, *small.mask.shape))
    truth[:, 0] = np.nan
    weights = np.stack([small.normaliser.weights] * len(scoring.AREAS))
    tally = scoring.Tally.empty(len(small.variables))
    tally.add(np.zeros_like(truth), truth, weights)
    first, *others = scoring._table(small, {"vae": tally}).values()
    assert first == {}
    assert all(found["vae"]["rmse"] == pytest.approx(1) for found in others)

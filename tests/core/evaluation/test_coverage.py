"""Reconstruction from the stations of a year: what is scored, and where."""

import numpy as np
import pandas as pd
import pytest
from small import make_linear

from mlda_core.climate.sphere import EARTH_RADIUS_KM
from mlda_core.evaluation.coverage import (
    CLASSES,
    DISTANCES,
    class_weights,
    distance_km,
    score_coverage,
    write_coverage,
)
from mlda_core.evaluation.scores_file import scores_of
from mlda_core.observations.networks import NetworkSpec, places


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_linear(tmp_path_factory.mktemp("coverage"))


@pytest.fixture(scope="module")
def one_place():
    return pd.DataFrame({"variable": ["tas"], "lat": [51.5], "lon": [359.9]})


def test_distance_is_along_the_great_circle(bundle, one_place):
    distance = distance_km(bundle, one_place)
    names = [v.name for v in bundle.variables]
    assert np.isinf(distance[names.index("psl")]).all()
    lat, lon = np.radians(bundle.grid.lat)[:, None], np.radians(bundle.grid.lon)[None, :]
    a, b = np.radians(51.5), np.radians(359.9)
    arc = np.arccos(
        np.clip(np.sin(lat) * np.sin(a) + np.cos(lat) * np.cos(a) * np.cos(lon - b), -1, 1)
    )
    np.testing.assert_allclose(distance[names.index("tas")], EARTH_RADIUS_KM * arc, atol=1.0)


def test_classes_share_the_area_without_the_cells_of_the_places(bundle, one_place):
    weights = class_weights(bundle, one_place)
    assert weights.shape == (len(CLASSES), *bundle.mask.shape)
    np.testing.assert_allclose(weights[1:].sum(axis=0), weights[0])
    own, tas = bundle.normaliser.weights, bundle.variables.index(
        next(v for v in bundle.variables if v.name == "tas")
    )  # fmt: skip
    left = own[tas].sum() - weights[0, tas].sum()
    assert 0 < left <= own[tas].max()
    distance = distance_km(bundle, one_place)[tas]
    for low, part in zip(DISTANCES, weights[1:, tas], strict=True):
        assert np.all(distance[part > 0] >= low)
    # What nothing observes is farthest from all observations.
    other = next(i for i, v in enumerate(bundle.variables) if v.name == "psl")
    np.testing.assert_allclose(weights[-1, other], own[other])


@pytest.mark.slow
def test_more_places_know_more_and_classes_make_up_the_whole(bundle, tmp_path, monkeypatch):
    months = [m for m in bundle.months if bundle.split(m) == "validation"]
    found = score_coverage(bundle, months, years=(1880, 1969), methods=("vae", "enoi"))
    for year in ("1880", "1969"):
        scores = found[year]["tas"]
        assert all(s["explained_variance"] == 0 for s in scores["climatology"].values())
        for method in ("vae", "enoi"):
            parts = [s for c, s in scores[method].items() if c != "all"]
            assert sum(s["share"] for s in parts) == pytest.approx(1)
            square = sum(s["share"] * s["rmse"] ** 2 for s in parts)
            assert square == pytest.approx(scores[method]["all"]["rmse"] ** 2)
            assert scores[method]["all"]["explained_variance"] > 0.1
    early, late = (found[y]["tas"]["vae"]["all"]["explained_variance"] for y in found)
    assert 0 < early < late
    count = (places(NetworkSpec("historical", year=1880), bundle)["variable"] == "tas").sum()
    assert found["1880"]["places"]["tas"] == count
    path = tmp_path / "scores.json"
    write_coverage(found, bundle, "validation", path)
    write_coverage(found, bundle, "test", path)
    assert set(scores_of(bundle, path)["coverage"]) == {"validation", "test"}
    # Scores with other errors are of another analysis.
    monkeypatch.setitem(bundle.config, "assimilation", {"half_width": 1.0})
    write_coverage(found, bundle, "test", path)
    assert set(scores_of(bundle, path)["coverage"]) == {"test"}


def test_months_without_a_variable_do_not_lower_the_count_of_its_places(bundle, monkeypatch):
    months = [m for m in bundle.months if bundle.split(m) == "validation"][:3]
    names = [v.name for v in bundle.variables]
    target = bundle.target

    def lacking(month):
        fields = target(month)
        if month != months[0]:
            fields[names.index("psl")] = np.nan
        return fields

    monkeypatch.setattr(bundle, "target", lacking)
    found = score_coverage(bundle, months, years=(1969,), methods=())["1969"]
    network = places(NetworkSpec("historical", year=1969), bundle)["variable"]
    assert found["places"]["psl"] == (network == "psl").sum() > 0
    assert found["places"]["tas"] == (network == "tas").sum()

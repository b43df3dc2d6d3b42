"""Verification: scores against sums written out, and words for what they do not say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlda_core.climate.regions import (
    REGIONS,
    Region,
    RegionError,
    drawn_box,
    inside,
    region_mask,
)
from mlda_core.evaluation.verification import (
    CLIMATOLOGY,
    Score,
    VerificationError,
    score_fields,
    score_observations,
    skill,
    verify,
)

MONTH = "1997-12"


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


@pytest.fixture(scope="module")
def truth(bundle):
    return bundle.target(MONTH)


def table(bundle, rows, **columns):
    """Observations as (variable, lat, lon, value, withheld)."""
    made = pd.DataFrame(rows, columns=["variable", "lat", "lon", "value", "withheld"])
    return made.assign(error_sd=0.1, label="", **columns)


def stations(bundle, fields, count=60, seed=3, withhold=0.5):
    """Air temperature and pressure at random places, without error."""
    rng = np.random.default_rng(seed)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    lon = rng.uniform(0, 360, count)
    names = [v.name for v in bundle.variables]
    which = np.where(np.arange(count) % 2, names.index("tas"), names.index("psl"))
    value = bundle.operator.apply(bundle.operator.locate(which, lat, lon), fields)
    rows = zip(
        [names[v] for v in which], lat, lon, value, rng.uniform(size=count) < withhold, strict=True
    )
    return table(bundle, rows)


def test_the_target_itself_has_no_error(bundle, truth):
    for score in score_fields(truth, truth, bundle.grid):
        assert score.rmse == 0
        assert score.r == pytest.approx(1)
        assert score.explained_variance == 1


@pytest.mark.parametrize("name", ["globe", "tropics", "nino34", "north_atlantic"])
def test_scores_are_the_weighted_sums_of_the_design(bundle, truth, name):
    region = REGIONS[name]
    estimate = bundle.decode_anomalies(bundle.code(MONTH), 12)
    area = region_mask(bundle.grid, region) * bundle.grid.weights
    for v, score in enumerate(score_fields(truth, estimate, bundle.grid, region)):
        there = bundle.mask[v] & (area > 0)
        w, t, m = area[there], truth[v][there].astype(float), estimate[v][there].astype(float)
        error = (w * (m - t) ** 2).sum()
        assert score.n == there.sum()
        assert score.rmse == pytest.approx(np.sqrt(error / w.sum()))
        assert score.explained_variance == pytest.approx(1 - error / (w * t**2).sum())
        centred = np.cov(t, m, aweights=w)
        assert score.r == pytest.approx(centred[0, 1] / np.sqrt(centred[0, 0] * centred[1, 1]))


def test_a_half_covered_cell_counts_half(bundle):
    grid = bundle.grid
    target = np.ones((1, *grid.shape))
    estimate = target.copy()
    row = 20
    estimate[0, row, 10] = 3.0
    # The box ends in the middle of the cell that is wrong.
    region = Region("box", grid.lat_edges[row], grid.lat_edges[row + 1], grid.lon[5], grid.lon[10])
    (score,) = score_fields(target, estimate, grid, region)
    assert score.rmse == pytest.approx(np.sqrt(4 * 0.5 / 5))


def test_shapes_that_do_not_fit_are_refused(bundle, truth):
    with pytest.raises(VerificationError, match="grid"):
        score_fields(truth, truth[:, :-1], bundle.grid)
    with pytest.raises(VerificationError, match="'odd'"):
        verify({"odd": truth[:2]}, bundle, target=truth)


def test_a_region_without_cells_of_a_variable_has_no_score(bundle, truth):
    inland = drawn_box(45, 55, 80, 100)
    names = [v.name for v in bundle.variables]
    scores = dict(zip(names, score_fields(truth, truth, bundle.grid, inland), strict=True))
    assert scores["tos"].n == 0
    assert np.isnan(scores["tos"].rmse)
    assert scores["tas"].n > 0
    assert any(
        "Sea surface temperature does not exist" in words
        for words in verify({}, bundle, target=truth, region=inland).words
    )


def test_observations_without_error_score_the_truth_as_perfect(bundle, truth):
    observations = stations(bundle, truth)
    names = [v.name for v in bundle.variables]
    scores = score_observations(observations, truth, bundle.operator, bundle.variables)
    for name, score in zip(names, scores, strict=True):
        count = (observations["variable"] == name).sum()
        assert score.n == count
        if count:
            assert score.rmse == pytest.approx(0, abs=1e-6)


def test_each_observation_counts_alike(bundle, truth):
    rows = [("tas", 80.0, 10.0, 1.0, True), ("tas", 0.0, 10.0, 3.0, True)]
    flat = np.zeros_like(truth)
    scores = score_observations(table(bundle, rows), flat, bundle.operator, bundle.variables)
    score = scores[[v.name for v in bundle.variables].index("tas")]
    assert score.rmse == pytest.approx(np.sqrt((1 + 9) / 2))
    assert score.explained_variance == 0
    assert np.isnan(score.r)


def test_only_withheld_rows_are_scored_and_only_in_the_region(bundle, truth):
    observations = stations(bundle, truth, count=300)
    estimate = 0.5 * truth
    found = verify({"half": estimate}, bundle, observations=observations, region=REGIONS["tropics"])
    chosen = observations[
        observations["withheld"]
        & (observations["lat"].abs() <= 30)
        & (observations["variable"] == "psl")
    ]
    score = found.score("half", "psl", "withheld")
    assert score.n == len(chosen)
    assert score.rmse == pytest.approx(np.sqrt((0.25 * chosen["value"] ** 2).mean()), rel=1e-5)
    # What is not withheld may be anything.
    others = observations.assign(value=observations["value"].where(observations["withheld"], 1e6))
    again = verify({"half": estimate}, bundle, observations=others, region=REGIONS["tropics"])
    assert again.score("half", "psl", "withheld") == score


def test_the_table_has_climatology_and_its_skill_is_zero(bundle, truth):
    estimates = {"half": 0.5 * truth, "good": 0.9 * truth}
    found = verify(estimates, bundle, target=truth, month=MONTH)
    assert found.methods == ("half", "good", CLIMATOLOGY)
    values = found.table()
    assert list(values.columns) == [v.name for v in bundle.variables]
    np.testing.assert_allclose(values.loc[CLIMATOLOGY], 0)
    np.testing.assert_allclose(values.loc["half"], 0.75, rtol=1e-5)
    np.testing.assert_allclose(values.loc["good"], 0.99, rtol=1e-5)
    for name in found.variables:
        assert found.best(name) == "good"
        against = skill(found.score("good", name), found.score(CLIMATOLOGY, name))
        assert against == pytest.approx(found.score("good", name).explained_variance)
    assert found.words == ()


def test_methods_are_compared_over_the_same_cells(bundle, truth):
    partial = truth.copy()
    partial[:, :10] = np.nan
    found = verify(
        {"all": 0.5 * truth, "north": 0.5 * truth * (partial * 0 + 1)}, bundle, target=truth
    )
    for name in found.variables:
        assert found.score("all", name) == found.score("north", name)
        assert found.score(CLIMATOLOGY, name).n == found.score("all", name).n


def test_without_a_target_it_says_what_cannot_be_scored(bundle, truth):
    bare = verify({"a": truth}, bundle, observations=stations(bundle, truth, withhold=0.0))
    assert bare.target == {}
    assert bare.withheld == {}
    assert bare.table().isna().all(axis=None)
    assert bare.best("psl") is None
    assert "withhold some" in bare.words[0]
    held = verify({"a": truth}, bundle, observations=stations(bundle, truth))
    assert "only withheld observations can" in held.words[0]
    assert held.score("a", "psl", "withheld").n > 10


def test_a_training_month_is_fit_and_not_skill(bundle):
    words = verify({}, bundle, target=bundle.target("1995-03"), month="1995-03").words
    assert words == ("These scores are fit, not skill: the model was trained on 1995-03.",)


def test_copied_variables_and_few_withheld_ones_are_named(bundle, truth):
    lat, lon = np.meshgrid(bundle.grid.lat, bundle.grid.lon, indexing="ij")
    sea = bundle.mask[[v.name for v in bundle.variables].index("tos")]
    rows = [("tos", y, x, 0.0, False) for y, x in zip(lat[sea], lon[sea], strict=True)]
    rows += [("tas", 10.0, 20.0, 1.0, True), ("psl", 0.0, 0.0, 1.0, False)]
    words = " ".join(verify({}, bundle, target=truth, observations=table(bundle, rows)).words)
    assert "Sea surface temperature is observed in most cells" in words
    assert "pressure" not in words
    assert "only 1 of 2 m air temperature" in words


@pytest.mark.parametrize(
    ("box", "place", "within"),
    [
        ((-10, 10, 350, 20), (0, 5), True),
        ((-10, 10, -10, 20), (0, 355), True),
        ((-10, 10, 20, 350), (0, 5), False),
        ((-10, 10, 170, -170), (0, 180), True),
        ((-10, 10, 0, 360), (0, 200), True),
        ((-100, 10, 0, 360), (-90, 0), True),
        ((-10, 10, 0, 360), (25, 200), False),
    ],
)
def test_a_drawn_box_holds_what_it_surrounds(bundle, box, place, within):
    region = drawn_box(*box)
    lat, lon = (np.array([p], float) for p in place)
    assert inside(region, lat, lon)[0] == within
    # And its cells are those that its area weights say.
    grid = bundle.grid
    mask = region_mask(grid, region)
    row = np.clip(np.searchsorted(grid.lat_edges, place[0], "right") - 1, 0, grid.lat.size - 1)
    column = int(((place[1] - grid.lon_edges[0]) % 360) // 3.75)
    assert (mask[row, column] > 0) == within


@pytest.mark.parametrize(
    "box",
    [(10, 10, 0, 20), (20, 10, 0, 20), (0, 10, 20, 20), (0, float("nan"), 0, 20), (91, 95, 0, 9)],
)
def test_a_box_without_area_is_refused(box):
    with pytest.raises(RegionError, match="draw"):
        drawn_box(*box)


def test_the_label_of_a_box_reads_as_people_write():
    assert drawn_box(-10, 20, 350, 20).label == "Box 10°S–20°N, 10°W–20°E"
    assert drawn_box(0, 20, 0, 360).label == "Box 0°–20°N"


def test_skill_against_a_perfect_reference_is_nothing():
    perfect, poor = Score(1, 0, 1, 9), Score(0, 2, 0, 9)
    assert np.isnan(skill(poor, perfect))
    assert skill(Score(1, 1, 1, 9), poor) == 0.75

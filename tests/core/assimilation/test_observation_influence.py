"""What one observation tells an analysis, against assimilating without it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from exact import at_cells
from kind_posteriors import REPORTS, rows
from small import make_linear

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.minimisation import minimum
from mlda_core.assimilation.observation_influence import (
    ObservationInfluence,
    observation_influence,
)
from mlda_core.assimilation.physical_units import at_place
from mlda_core.climate.errors import StateError
from mlda_core.climate.interpolation import ObservationError
from mlda_core.observations.standardised import standardise

MONTH = "1982-07"


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    return make_linear(tmp_path_factory.mktemp("linear"))


@pytest.fixture(scope="module")
def engine(linear):
    return Assimilator(linear)


@pytest.fixture(scope="module")
def observed(linear):
    """At cell centres: elsewhere a map that is interpolated differs from what is known there."""
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(0, 8, 12), rng.integers(0, 16, 12)
    psl = at_cells(linear, rows[:8], columns[:8], "psl").assign(error_sd=0.6)
    return pd.concat([psl, at_cells(linear, rows[8:], columns[8:], "tas")], ignore_index=True)


@pytest.mark.parametrize("row", [0, 5, 11])
@pytest.mark.parametrize("method", ["vae", "eof", "enoi"])
def test_it_is_the_difference_to_the_analysis_without_it(engine, linear, observed, row, method):
    """By the assimilation itself: the observation withheld, and its variance at the place."""
    found = observation_influence(engine, observed, MONTH, row, method=method)
    without = observed.copy()
    without.loc[row, "withheld"] = True
    # The prior of as many places: the hybrid changes a little with their number.
    problem, _ = engine.prepared(observed, 7, method=method)
    kept = np.setdiff1d(problem.used, [row])
    other = engine.preparation.problem(problem.every, kept, 7, problem.setting)
    other = replace(
        other,
        gain=type(other.gain)(
            problem.gain.prior,
            other.observed.places,
            other.observed.variance,
            problem.gain.prior.error.columns(other.observed.places),
        ),
    )
    place = problem.every.places.where(np.array([row]))
    x, x_without = (minimum(p)[1].reshape(linear.mask.shape) for p in (problem, other))
    here, here_without = (
        float(at_place(linear, place, linear.operator.apply(place, field), 7)[0])
        for field in (x, x_without)
    )
    assert found.others == pytest.approx(here_without, abs=2e-3 * found.background_sd)
    assert found.analysis == pytest.approx(here, abs=2e-3 * found.background_sd)
    assert found.moved == pytest.approx(here - here_without, abs=2e-3 * found.background_sd)
    zero = np.zeros(1)
    ratio = np.sqrt(
        other.gain.expected_variance(place, zero)[0]
        / problem.gain.expected_variance(place, zero)[0]
    )
    assert found.others_sd / found.analysis_sd == pytest.approx(ratio, rel=1e-3)
    # Pressure and air temperature are not transformed: their change is the same everywhere.
    for v in (0, 2):
        change = (x - x_without)[v] * linear.normaliser.spread[6, v]
        limit = 2e-3 * np.abs(change).max() + 2e-3 * linear.normaliser.spread[6, v].mean()
        assert found.change[v] == pytest.approx(change, abs=limit)
    which = 0 if row < 8 else 2
    assert found.most == pytest.approx(
        found.change[which].flat[np.abs(found.change[which]).argmax()]
    )


def test_influences_add_up_to_the_degrees_of_freedom(engine, observed):
    found = [observation_influence(engine, observed, MONTH, i) for i in range(len(observed))]
    problem, _ = engine.prepared(observed, MONTH)
    assert sum(one.influence for one in found) == pytest.approx(
        problem.gain.degrees_of_freedom, rel=1e-6
    )
    analysis = engine.run(observed, MONTH)
    misfits = analysis.observations["misfit_sd"].to_numpy()
    assert [one.misfit for one in found] == pytest.approx(misfits, rel=1e-3, abs=1e-3)
    for one in found:
        assert one.analysis_sd < one.others_sd <= one.background_sd * (1 + 1e-6)
        assert one.influence <= one.alone + 1e-9


def test_alone_nothing_was_told_before(engine, observed):
    one = observed.iloc[[2]].reset_index(drop=True)
    found = observation_influence(engine, one, MONTH, 0)
    assert found.told == pytest.approx(0, abs=1e-5)
    assert found.influence == pytest.approx(found.alone, rel=1e-5)
    assert found.others == pytest.approx(found.background, abs=1e-5)
    increment = engine.influence(one, MONTH, 0)
    assert found.change[0] == pytest.approx(increment[0], rel=1e-3, abs=1e-3)


def test_a_second_one_at_its_place_has_told_most(engine, observed):
    twice = observed.iloc[[2, 2, 5]].reset_index(drop=True)
    first = observation_influence(engine, twice, MONTH, 0)
    alone = observation_influence(engine, twice.iloc[[0, 2]].reset_index(drop=True), MONTH, 0)
    assert first.told > 0.8
    assert abs(first.moved) < 0.6 * abs(alone.moved)
    assert first.influence == pytest.approx(0.5, abs=0.1)


def test_a_withheld_one_would_move_what_it_moves_when_it_is_used(engine, observed):
    held = observed.copy()
    held.loc[3, "withheld"] = True
    would = observation_influence(engine, held, MONTH, 3)
    does = observation_influence(engine, observed, MONTH, 3)
    assert would.use == "withheld"
    assert "withheld" in would.sentence()
    # One place fewer: the hybrid's prior is a little different.
    for name in ("others", "others_sd", "background_sd", "influence", "moved"):
        assert getattr(would, name) == pytest.approx(
            getattr(does, name), rel=0.05, abs=0.05 * does.background_sd
        )
    assert would.change[0] == pytest.approx(does.change[0], abs=0.1 * abs(does.most))


def test_what_is_thinned_says_so(engine, observed, monkeypatch):
    monkeypatch.setattr(
        "mlda_core.assimilation.preparation.thin_observed", lambda rows: np.arange(1, len(rows))
    )
    found = observation_influence(engine, observed, MONTH, 0)
    assert found.use == found.reason == "thinned"


def test_a_gross_error_is_far_or_down_weighted(engine, observed):
    wrong = observed.copy()
    wrong.loc[4, "value"] += 60.0
    far = observation_influence(engine, wrong, MONTH, 4)
    assert far.reason == "far"
    robust = observation_influence(engine, wrong, MONTH, 4, robust=True)
    assert robust.reason == "down-weighted"
    assert abs(robust.moved) < 0.3 * abs(far.moved)
    assert robust.weight < 1


def test_an_observation_standardised_and_back_is_what_it_was(linear, observed):
    rain = at_cells(linear, np.array([0, 2, 6, 7]), np.array([1, 9, 4, 13]), "pr")
    every = standardise(rain, linear, 7)
    for i in range(len(rain)):
        back = at_place(linear, every.places.where(np.array([i])), [every.value[i]], 7)
        full = linear.climatology(7)[3, [0, 2, 6, 7][i], [1, 9, 4, 13][i]]
        # There is no less rain than none.
        assert back[0] == pytest.approx(max(rain["value"].iloc[i], -full), rel=1e-4)


@pytest.mark.parametrize("row", [-1, 99])
def test_a_row_that_is_not_there_is_refused(engine, observed, row):
    with pytest.raises(ObservationError, match="no observation"):
        observation_influence(engine, observed, MONTH, row)


def test_a_method_without_a_posterior_is_refused(engine, observed):
    with pytest.raises(StateError, match="no prior"):
        observation_influence(engine, observed, MONTH, 0, method="climatology")


PLAIN = ObservationInfluence(
    row=0, variable="tas", label="", units="K", lat=10.0, lon=200.0, use="used", value=1.0,
    error_sd=0.3, background=0.0, background_sd=1.0, others=0.2, others_sd=0.8, analysis=0.9,
    analysis_sd=0.28, moved=0.7, most=1.1, most_at=(12.0, 204.0),
    change=np.zeros((1, 2, 2), np.float32), influence=0.88, alone=0.92, misfit=0.94,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({}, "moved", "moves the analysis by +0.70 K there, +1.10 K at most at 12.0°N 156.0°W."),
        ({"most": 0.72}, "moved", "by +0.70 K there."),
        ({"others": 1.05, "moved": -0.04, "misfit": -0.06}, "expected",
         "led to expect (+1.05 ± 0.80 K), so it moves the analysis by only −0.04 K there."),
        ({"others_sd": 0.2, "influence": 0.3, "moved": 0.2, "misfit": 2.2, "most": 0.2}, "told",
         "the others had told 96 % of what was unknown there (+0.20 ± 0.20 K)"),
        ({"error_sd": 2.0, "influence": 0.14, "moved": 0.1, "misfit": 0.37}, "vague",
         "its error is large beside what was known without it"),
        ({"value": 9.0, "misfit": 9.7, "moved": 7.7, "most": 8.0}, "far",
         "10 σ from what the others say (+0.20 ± 0.80 K), and moves the analysis by +7.70 K"),
        ({"value": 9.0, "misfit": 9.7, "weight": 0.02, "moved": 0.1}, "down-weighted",
         "so it was down-weighted and moves the analysis by +0.10 K there."),
        ({"use": "withheld"}, "withheld", "is withheld, so it changes nothing; used, it would"),
        ({"use": "thinned"}, "thinned", "left out by thinning"),
    ],
)  # fmt: skip
def test_the_sentence_follows_from_the_numbers(changes, reason, words):
    found = replace(PLAIN, **changes)
    assert found.reason == reason
    assert words in found.sentence()
    assert found.sentence().startswith("It says ")
    assert found.sentence().count(". ") == 0


def test_the_influence_of_a_report_is_refused_and_that_of_values_beside_it_told(linear):
    observations = rows(linear, REPORTS)
    engine = Assimilator(linear)
    with pytest.raises(StateError, match="Observation 1 is a report"):
        observation_influence(engine, observations, 7, 0)
    found = observation_influence(engine, observations, 7, 5)
    assert found.use == "used"
    assert 0 < found.influence < 1

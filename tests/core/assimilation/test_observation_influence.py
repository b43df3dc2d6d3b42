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
from mlda_core.assimilation.mode import about_modes, modes_of
from mlda_core.assimilation.observation_influence import (
    Chances,
    ObservationInfluence,
    observation_influence,
)
from mlda_core.assimilation.physical_units import anomalies, at_place
from mlda_core.assimilation.validation import setting_of
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
    misfits = analysis.observations["standardised_departure"].to_numpy()
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
    row=0, variable="tas", label="", units="K", kind="value", words="+1.00 ± 0.30 K",
    where="at 10.0°N 160.0°W", lat=10.0, lon=200.0, use="used", value=1.0, error_sd=0.3,
    low=np.nan, high=np.nan, background=0.0, background_sd=1.0, others=0.2, others_sd=0.8,
    analysis=0.9, analysis_sd=0.28, moved=0.7, most=1.1, most_at=(12.0, 204.0),
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


REPORT = replace(
    PLAIN, kind="report", words="much colder than usual", chances=Chances(0.1, 0.04, 0.42)
)
BEFORE = (
    "It says much colder than usual, which had a probability of 10 % before any observation and "
    "4 % by what the others say"
)


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({}, "moved", f"{BEFORE}, so it moves the analysis by +0.70 K there, +1.10 K at most"),
        ({"most": 0.7}, "moved", "moves the analysis by +0.70 K there (with it 42 %)."),
        ({"misfit": 0.0, "moved": 0.01}, "expected", "so it moves the analysis by only +0.01 K"),
        ({"others_sd": 0.2, "influence": 0.3}, "told", "the others had told 96 % of what was"),
        ({"error_sd": 2.0}, "vague", "its error is large beside what was known without it, so"),
        ({"misfit": 5.2}, "far", "5 σ away, and moves the analysis by +0.70 K"),
        ({"use": "withheld"}, "withheld", f"{BEFORE}, but is withheld, so it changes nothing"),
        ({"use": "thinned"}, "thinned", "left out by thinning"),
    ],
)  # fmt: skip
def test_the_sentence_of_a_report_says_how_probable_it_was_and_is(changes, reason, words):
    found = replace(REPORT, **changes)
    assert found.reason == reason
    assert words in found.sentence()
    assert found.sentence().count(". ") == 0


def test_a_heavy_tailed_value_is_doubted_below_half_the_weight_of_a_normal_one():
    heavy = replace(PLAIN, kind="student_t", words="+1.00 ± 0.30 K with heavy tails")
    assert replace(heavy, weight=0.6).reason == "moved"
    assert replace(heavy, weight=0.4).reason == "down-weighted"


# -- other kinds than values at places -------------------------------------------------------------

# At cell centres, as above.
KINDS = (
    "psl,,,1.5,0.4,mean,-30 20 40 140,\ntas,33.75,22.5,2,0.5,difference,minus -11.25 247.5,\n"
    "psl,10,100,1,1,,,\ntas,-30,10,-1,0.6,,,\ntas,20,200,1.5,0.6,,,\n"
)


def shown_there(problem, row, fields):
    """What a row is of, by fields in display units."""
    return float(problem.bundle.operator.apply(problem.every.likelihoods.shown, fields)[row])


def minima(engine, problem, row):
    """Anomalies of the analysis with a row and without it, by the assimilation itself."""
    kept = np.setdiff1d(problem.used, [row])
    other = engine.preparation.problem(problem.every, kept, 7, problem.setting)
    prior = problem.gain.prior
    at = other.observed.places
    gain = type(other.gain)(prior, at, other.observed.variance, prior.error.columns(at))
    other = replace(other, gain=gain)
    if not other.is_gaussian:
        other = about_modes(other, modes_of(other))
    mode = problem
    if problem.stated is None and not problem.is_gaussian:
        mode = about_modes(problem, modes_of(problem))
    x, without = (minimum(p)[1] for p in (mode, other))
    return anomalies(problem.bundle, x, 7, None), anomalies(problem.bundle, without, 7, None), other


@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("method", ["vae", "enoi"])
def test_a_mean_and_a_difference_move_what_the_analysis_without_them_lacks(linear, row, method):
    observations = rows(linear, KINDS)
    engine = Assimilator(linear)
    found = observation_influence(engine, observations, 7, row, method=method)
    problem, _ = engine.prepared(observations, 7, method=method)
    with_it, without, other = minima(engine, problem, row)
    assert found.kind == ("mean", "difference")[row]
    assert found.density is found.chances is None
    limit = 3e-3 * found.background_sd
    assert found.analysis == pytest.approx(shown_there(problem, row, with_it), abs=limit)
    assert found.others == pytest.approx(shown_there(problem, row, without), abs=limit)
    place = problem.every.places.where(np.array([row]))
    zero = np.zeros(1)
    ratio = (
        other.gain.expected_variance(place, zero) / problem.gain.expected_variance(place, zero)
    )[0]
    assert (found.others_sd / found.analysis_sd) ** 2 == pytest.approx(ratio, rel=2e-3)
    which = 2 * row
    change = (with_it - without)[which]
    assert found.change[which] == pytest.approx(change, abs=5e-3 * float(np.abs(change).max()))
    # What it says and how far that is, as its row of the table has it.
    table = engine.run(observations, 7, method=method).observations
    assert found.misfit == pytest.approx(table["standardised_departure"][row], abs=1e-3)
    assert found.words.startswith(("+1.50 ± 0.40", "+2.00 ± 0.50")[row])
    assert found.where == ("over 30°S–20°N, 40°E–140°E",
                           "of 33.8°N 22.5°E minus 11.2°S 112.5°W")[row]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "tas,33.75,22.5,much colder,,report,,\n",
        "pr,33.75,22.5,dry,,report,,\n",
        "psl,33.75,22.5,2,1,lower_bound,,\n",
        "psl,33.75,22.5,-2,0.3,upper_bound,,\n",
        "tas,33.75,22.5,much warmer,,report,-30 20 40 140,\n",
        "tas,33.75,22.5,4,0.4,student_t,,\n",
        "tas,33.75,22.5,0.4,0.4,student_t,,\n",
    ],
)
def test_among_values_every_kind_agrees_with_leaving_it_out_and_with_quadrature(linear, line):
    observations = rows(linear, line + "tas,40,30,-0.5,0.7,,,\npsl,30,20,1,1,,,\n")
    engine = Assimilator(linear)
    found = observation_influence(engine, observations, 7, 0)
    observed = standardise(observations, linear, 7)
    problem = engine.preparation.problem(observed, np.arange(3), 7, setting_of({}))
    with_it, without, other = minima(engine, problem, 0)
    which = [v.name for v in linear.variables].index(found.variable)
    change = (with_it - without)[which]
    # Rain is transformed: its maps are curved.
    near = 0.15 if found.variable == "pr" else 0.01
    assert found.change[which] == pytest.approx(
        change, abs=near * float(np.abs(change).max()) + 1e-3
    )
    limit = 5e-3 * found.background_sd
    for value, fields in ((found.analysis, with_it), (found.others, without)):
        assert value == pytest.approx(shown_there(problem, 0, fields), abs=limit)
    # The others are normal, so all at the row is a product of a normal density and its likelihood.
    place = observed.places.where(np.array([0]))
    mean = float(linear.operator.apply(place, minimum(other)[1].reshape(linear.mask.shape))[0])
    sd = float(np.sqrt(other.gain.expected_variance(place, np.zeros(1))[0]))
    f = mean + np.linspace(-9, 9, 20001) * sd
    prior = np.exp(-0.5 * ((f - mean) / sd) ** 2)
    prior /= prior.sum()
    likelihood = np.exp(-observed.likelihoods.where(np.array([0])).cost(f[:, None])[:, 0])
    posterior = prior * likelihood / (prior @ likelihood)
    if found.chances is not None:
        assert found.chances.others == pytest.approx(prior @ likelihood, abs=1e-4)
        assert found.chances.after == pytest.approx(posterior @ likelihood, abs=1e-3)
        assert found.chances.others < found.chances.after
    x, y = found.density
    width = np.gradient(x)
    assert (y * width).sum() == pytest.approx(1, abs=0.01)
    # Its moments are the quadrature's: those of rain as they are transformed.
    if found.variable != "pr":
        scale = found.others_sd / sd
        offset = found.others - scale * mean
        expected = offset + scale * (posterior @ f)
        assert (x * y * width).sum() == pytest.approx(expected, abs=0.02 * found.others_sd)
    assert 0 < found.influence <= found.alone < 1
    table = engine.run(observations, 7).observations
    assert found.misfit == pytest.approx(table["standardised_departure"][0], abs=0.01)


def test_among_reports_it_is_near_to_leaving_one_out(linear):
    """Given the pseudo-observations of the others, which another analysis would move a little."""
    observations = rows(linear, REPORTS)
    # At cell centres, as above; no two in one.
    observations["lat"] = [56.25, 33.75, 33.75, 56.25, 56.25, 33.75]
    observations["lon"] = [0.0, 0.0, 22.5, 22.5, 45.0, 45.0]
    engine = Assimilator(linear)
    problem, _ = engine.prepared(observations, 7)
    for row in range(len(observations)):
        found = observation_influence(engine, observations, 7, row)
        with_it, without, _ = minima(engine, problem.stated, row)
        sd = found.background_sd
        assert found.analysis == pytest.approx(shown_there(problem, row, with_it), abs=0.005 * sd)
        assert found.others == pytest.approx(shown_there(problem, row, without), abs=0.25 * sd)
        assert np.isfinite(found.change).any()
        assert found.sentence().startswith("It says ")


@pytest.mark.parametrize(
    "line",
    [
        "tas,33.75,22.5,much colder,,report,,",
        "psl,33.75,22.5,2,1,lower_bound,,",
        "tas,33.75,22.5,6,0.4,student_t,,",
        "psl,,,3,0.4,mean,-30 20 40 140,",
    ],
)
def test_withheld_every_kind_would_move_what_it_moves_when_it_is_used(linear, line):
    beside = "tas,40,30,-0.5,0.7,,,\npsl,30,20,1,1,,,\n"
    engine = Assimilator(linear)
    does = observation_influence(engine, rows(linear, f"{line}\n{beside}"), 7, 0)
    would = observation_influence(engine, rows(linear, f"{line}true\n{beside}"), 7, 0)
    assert would.use == would.reason == "withheld"
    # One place fewer: the hybrid's prior is a little different.
    for name in ("others", "others_sd", "influence", "moved", "analysis_sd", "weight"):
        assert getattr(would, name) == pytest.approx(
            getattr(does, name), rel=0.05, abs=0.05 * does.background_sd
        )
    if does.chances is not None:
        assert would.chances.after == pytest.approx(does.chances.after, abs=0.03)


def test_a_gross_mistake_with_heavy_tails_is_hardly_believed(linear):
    observations = rows(linear, "tas,33.75,22.5,30,0.4,student_t,,\ntas,40,30,-0.5,0.7,,,\n")
    found = observation_influence(Assimilator(linear), observations, 7, 0)
    assert found.weight < 0.1
    assert found.reason == "down-weighted"
    assert abs(found.moved) < 0.5 * found.background_sd


def test_a_report_says_what_its_class_lies_between(linear):
    observations = rows(linear, "tas,33.75,22.5,colder,,report,,\n")
    found = observation_influence(Assimilator(linear), observations, 7, 0)
    assert found.low < found.high < 0
    assert found.words == "colder than usual"
    # By the prior of this bundle, which is another one than its few past months.
    engine = Assimilator(linear)
    problem, _ = engine.prepared(observations, 7)
    likelihood = problem.every.likelihoods
    prior = problem.gain.error_covariance + problem.gain.latent @ problem.gain.latent.T
    mean = linear.operator.apply(problem.every.places, problem.x_b.reshape(linear.mask.shape))
    draws = np.random.default_rng(0).normal(float(mean[0]), np.sqrt(prior[0, 0]), 200_000)
    share = np.exp(-likelihood.cost(draws[:, None])).mean()
    assert found.chances.before == pytest.approx(share, abs=0.005)

"""The last step of an assimilation."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table
from kind_posteriors import REPORTS, rows

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.last_step import Minimum, last_step
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.problem import cost_of_linear, interpolate
from mlda_core.assimilation.solver import Point


def finished(bundle, observations, **settings):
    """A step of the solution in closed form, with words of its own."""
    prepared = Assimilator(bundle).preparation.of_table(observations, 7, Setting(**settings))
    problem = prepared.problem
    departures = problem.departures(problem.x_b)
    latent, left, zeta = interpolate(problem.gain, problem.x_b, departures)
    cost = cost_of_linear(problem.gain, zeta, left)
    point = Point(zeta, cost.total, np.full_like(zeta, 2.0), 3, True, "made up")
    found = Minimum(point, cost, [9.0, cost.total], latent, left, problem.latent(zeta))
    return problem, last_step(problem, prepared, found)


def test_it_holds_the_analysis_and_counts_what_was_used(linear):
    observations = table(linear, 10)
    observations.loc[:1, "withheld"] = True
    problem, step = finished(linear, observations)
    analysis = step.analysis
    assert (step.index, step.words) == (4, "made up")
    assert step.gradient_norm == pytest.approx(2.0 * np.sqrt(linear.n_latent))
    np.testing.assert_array_equal(step.fields, analysis.anomalies)
    fit = analysis.statistics
    assert (fit.n_used, fit.n_withheld, fit.n_thinned) == (len(observations) - 2, 2, 0)
    departures = problem.departures(problem.x_b)
    assert fit.chi_squared == pytest.approx(problem.gain.chi_squared(departures))
    assert analysis.path == (9.0, analysis.cost.total)
    assert analysis.observations["used"].sum() == fit.n_used
    assert not np.array_equal(analysis.latent_only, analysis.anomalies)


def test_without_a_residual_analysis_the_decoded_part_is_all(linear):
    _, step = finished(linear, table(linear, 10), method="vae_latent_only")
    assert step.analysis.latent_only is step.analysis.anomalies


def test_the_outcome_names_what_is_inconsistent_or_that_nothing_is_observed(linear):
    observations = table(linear, 12)
    _, step = finished(linear, observations.iloc[:0])
    assert step.words == "nothing is observed: this is the background"
    observations.loc[3, "value"] += 60.0
    _, step = finished(linear, observations)
    assert step.words.startswith("made up; observation 4 ")


def test_chi_squared_is_of_normal_errors_only(linear):
    mixed = rows(linear, REPORTS)
    reports = mixed[mixed["kind"] != "value"].reset_index(drop=True)
    values = mixed[mixed["kind"] == "value"].reset_index(drop=True)
    engine = Assimilator(linear)
    assert np.isnan(engine.run(reports, 7).statistics.chi_squared)
    # One observation in the other: its departure over its own variance.
    alone = engine.run(values, 7).statistics.chi_squared
    assert engine.run(mixed, 7).statistics.chi_squared == pytest.approx(alone, rel=0.2)

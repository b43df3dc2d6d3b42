"""Analyses of methods without a posterior covariance."""

from __future__ import annotations

import time

import numpy as np
import pytest
from exact import table

from mlda_core.assimilation.unmodelled import Estimate, step_of
from mlda_core.observations.standardised import standardise


def step(bundle, given, **about):
    every = standardise(given, bundle, 7)
    shape = bundle.mask.shape
    zero = np.where(bundle.mask, 0.0, np.nan).astype(np.float32)
    estimate = Estimate(
        "adam", time.perf_counter(), np.zeros(bundle.mask.size, np.float32),
        np.full(shape, 2.0, np.float32), "done", about.pop("used"), **about,
    )  # fmt: skip
    return step_of(estimate, bundle, given, every, 7, zero), every


def test_a_misfit_is_in_units_of_residual_and_error_together(linear):
    given = table(linear, 6)
    found, every = step(linear, given, used=np.ones(len(given), bool))
    rows = found.analysis.observations
    expected = every.value / np.sqrt(4.0 + every.variance)
    np.testing.assert_allclose(rows["standardised_departure"], expected, rtol=1e-5)
    np.testing.assert_allclose(rows["analysis_departure"], given["value"])
    assert np.isnan(found.analysis.statistics.chi_squared)
    tas = [v.name for v in linear.variables].index("tas")
    there = linear.mask[tas]
    np.testing.assert_allclose(
        found.analysis.spread[tas][there], 2 * linear.normaliser.spread[6, tas][there], rtol=1e-3
    )


def test_rows_that_are_neither_used_nor_withheld_were_thinned_where_it_thins(linear):
    given = table(linear, 6)
    given.loc[0, "withheld"] = True
    used = np.arange(len(given)) > 2
    for thins, count in ((True, 2), (False, 0)):
        fit = step(linear, given, used=used, thins=thins)[0].analysis.statistics
        assert (fit.n_withheld, fit.n_used, fit.n_thinned) == (1, len(given) - 3, count)


def test_the_last_cost_is_that_of_the_path(linear):
    given = table(linear, 6)
    used = np.ones(len(given), bool)
    found = step(linear, given, used=used, path=(9.0, 4.0), converged=False)[0]
    assert (found.index, found.cost.total) == (3, pytest.approx(4.0))
    assert not found.analysis.converged
    assert step(linear, given, used=used)[0].cost.total == 0

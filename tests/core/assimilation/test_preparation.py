"""Preparation: backgrounds, thinning and robust weights."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table

from mlda_core.assimilation.assimilator import Assimilator, Background
from mlda_core.assimilation.options import Setting
from mlda_core.climate.errors import StateError


def test_a_background_is_returned_to_without_observations(bundled):
    engine = Assimilator(bundled)
    none = table(bundled, 1, month="1984-01").iloc[:0]
    target = bundled.target("1984-01")
    analysis = engine.run(none, "1984-01", background="1984-01")
    np.testing.assert_allclose(analysis.anomalies[bundled.mask], target[bundled.mask], atol=0.02)
    chained = engine.run(none, "1984-01", background=analysis)
    np.testing.assert_allclose(
        chained.anomalies[:3][bundled.mask[:3]], target[:3][bundled.mask[:3]], atol=0.05
    )
    mean = engine.run(none, "1984-01", background="climatology")
    np.testing.assert_allclose(mean.background[bundled.mask], 0.0, atol=1e-3)
    with pytest.raises(StateError, match="not a state of this bundle"):
        engine.run(none, "1984-01", background=Background(np.zeros(3), target))


def test_background_weight_holds_z(bundled):
    engine = Assimilator(bundled)
    observations = table(bundled, 30, month="1984-01")
    free, held = (engine.run(observations, "1984-01", background_weight=w).z for w in (1.0, 50.0))
    assert np.linalg.norm(held) < 0.5 * np.linalg.norm(free)


def test_withheld_and_thinned_observations_are_no_part_of_the_problem(linear):
    observations = table(linear, 8)
    observations.loc[[1, 4], "withheld"] = True
    prepared = Assimilator(linear).preparation.of_table(observations, 7, Setting())
    assert prepared.table is observations
    assert prepared.n_thinned == 0
    assert len(prepared.problem.every) == len(observations)
    np.testing.assert_array_equal(
        prepared.problem.used, np.setdiff1d(np.arange(len(observations)), [1, 4])
    )


def test_a_gross_error_is_given_a_small_weight_and_a_large_variance(linear):
    observations = table(linear, 12)
    observations.loc[3, "value"] += 60.0
    preparation = Assimilator(linear).preparation
    plain, robust = (
        preparation.of_table(observations, 7, Setting(robust=robust)).problem
        for robust in (False, True)
    )
    assert plain.weight is None
    assert robust.weight[3] < 1e-3
    np.testing.assert_allclose(robust.gain.variance * robust.weight, plain.gain.variance)


def test_prior_means_are_decoded_once(curved):
    preparation = Assimilator(curved).preparation
    expected = curved.decode_standardised(np.zeros((1, curved.n_latent)), 3).ravel()
    np.testing.assert_array_equal(preparation.origin(3), expected)
    assert preparation.origin(3) is preparation.origin(3)
    assert preparation.origin(4) is not preparation.origin(3)

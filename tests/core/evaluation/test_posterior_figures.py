"""Pictures of the calibration: what they hold is what the scores say."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.climate.variables import DEFAULTS
from mlda_core.evaluation.posterior_figures import (
    FARTHEST,
    REACH,
    chance_of,
    draw_coverage,
    draw_histograms,
)

VARIABLES = [DEFAULTS["psl"], DEFAULTS["tas"]]
NETWORKS = {"sst_only": "sea", "stations_30": "30 stations", "all_fields": "everything"}
PIT = [0.3, 0.25, 0.2, 0.25]


def score(pit=PIT, spread=1.2, **more):
    areas = {"-90..-60": {"spread_over_error": 0.8}, "land": {"spread_over_error": 2.0}}
    return {
        "pit": list(pit),
        "spread_over_error": spread,
        "coverage_50": 0.55,
        "coverage_90": 0.84,
        "months": 60,
        "draws": 5,
        "areas": areas,
        **more,
    }


def scores(**more):
    return {name: {"psl": score(**more), "tas": score()} for name in ("sst_only", "stations_30")}


def drawn(ax):
    return [patch.get_data() for patch in ax.patches]


def test_bars_are_frequencies_and_the_band_is_nineteen_of_twenty():
    sd = [0.01, 0.02, 0.02, 0.01]
    figure = draw_histograms(scores(pit_sd=sd), VARIABLES, NETWORKS)
    axes = np.reshape(figure.axes, (2, 2))
    bars, band = drawn(axes[1, 0])
    np.testing.assert_allclose(bars.values, 4 * np.array(PIT))
    np.testing.assert_allclose(band.values, 1 + REACH * 4 * np.array(sd))
    np.testing.assert_allclose(band.baseline, 1 - REACH * 4 * np.array(sd))
    # Where chance is not known there is no band, and no row for what was not scored.
    assert len(drawn(axes[0, 1])) == 1
    assert [ax.get_ylabel() for ax in axes[:, 0]] == ["sea", "30 stations"]
    assert [ax.get_title() for ax in axes[0]] == [v.label for v in VARIABLES]


def test_chance_is_that_of_the_score_or_of_other_months_scaled():
    other = {"pit_sd": [0.02, 0.04], "truths": 3}
    assert chance_of(score(pit_sd=[0.5]), other, "pit_sd") == pytest.approx([0.5])
    # Twelve months stray half as far as three.
    assert chance_of(score(), other, "pit_sd") == pytest.approx([0.01, 0.02])
    assert chance_of(score(truths=27), other, "pit_sd") == pytest.approx([0.02 / 3, 0.04 / 3])
    assert chance_of(score(), None, "pit_sd") is None


def test_coverage_and_spread_are_where_they_belong():
    found = scores(coverage_90_sd=0.02)
    found["stations_30"]["tas"]["spread_over_error"] = 0.91
    figure = draw_coverage(found, VARIABLES, NETWORKS)
    above, below = np.reshape(figure.axes[:4], (2, 2))
    points = {tuple(np.ravel(line.get_data()).round(6).tolist()) for line in above[0].lines}
    assert {(55.0, 0.0), (84.0, 1.0)} <= points
    (width,) = {round(bar.get_width(), 6) for bar in above[0].patches}
    assert width == pytest.approx(200 * REACH * 0.02)
    assert not above[1].patches
    colours = below[1].images[0].get_array()
    np.testing.assert_allclose(colours[:, 0], np.log([1.2, 0.91]))
    np.testing.assert_allclose(colours[:, 2], np.log([2.0, 2.0]))
    assert below[1].images[0].get_clim() == pytest.approx((-np.log(FARTHEST), np.log(FARTHEST)))
    assert [t.get_text() for t in below[1].texts] == ["1.20", ".80", "2.00", ".91", ".80", "2.00"]
    labels = [label.get_text() for label in below[0].get_xticklabels()]
    assert labels == ["globe", "90S–60S", "land"]

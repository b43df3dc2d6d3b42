"""Training of impact heads: they find a law where there is one, and claim nothing of noise."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from impact_series import QUICK, series_of

from mlda_core.impact.fitting import Training
from mlda_core.impact.head import ImpactError
from mlda_core.impact.training import train_impact


def test_a_law_is_found_and_scored_on_years_never_seen(head):
    scores = head.scores["test"]
    assert scores["months"] == 12
    assert scores["head"]["crps_skill"] > 0.4
    assert scores["head"]["crps_skill_interval"][0] > 0.3
    assert scores["head"]["correlation"] > 0.8
    assert scores["head"]["explained_variance"] > 0.5
    assert scores["ridge"]["crps_skill"] > 0.4
    assert scores["climatology"]["crps_skill"] == 0
    assert 0.55 <= scores["head"]["coverage"] <= 1


def test_the_spread_is_the_law_s(head, bundle):
    spread = head.predict(np.zeros(6), "1982-01").spread * head.scale.spread[0]
    # The transform of a log-normal series is near the logarithm, whose rest has the spread 0.3.
    assert head.scale.transform.power <= 0.2
    scale = 20 ** (head.scale.transform.power)
    assert 0.2 < float(spread[0]) / scale < 0.5


def test_noise_gets_no_skill(bundle, codes):
    _, calendar = codes
    rng = np.random.default_rng(5)
    noise = np.exp(np.cos(2 * np.pi * calendar / 12) + rng.standard_normal(len(calendar)))
    made = train_impact(
        bundle, series_of(bundle, noise), name="noise", training=QUICK, score_test=True
    )
    scores = made.scores["test"]["head"]
    assert scores["crps_skill"] < 0.1
    assert scores["crps_skill_interval"][0] < 0.05
    # What it says of any latent vector is near the climatology.
    far = made.predict(np.array([[3.0] * 6, [-3.0] * 6]), 1).centre
    assert np.abs(far).max() < 2


def test_a_memory_finds_what_the_months_before_did(bundle, codes):
    z, _ = codes
    past = np.array([z[max(i - 2, 0) : i, 0].sum() if i else 0.0 for i in range(len(z))])
    rest = np.random.default_rng(7).standard_normal(len(z))
    river = series_of(bundle, np.exp(3 + 0.7 * past + 0.2 * rest))
    without = train_impact(bundle, river, name="river", training=QUICK, score_test=True)
    remembers = train_impact(
        bundle, river, name="river", training=replace(QUICK, memory=2), score_test=True
    )
    assert remembers.scores["test"]["head"]["crps_skill"] > 0.4
    assert without.scores["test"]["head"]["crps_skill"] < 0.2
    # The months before are looked up; those of no year are the prior's mean.
    rows = [i for i, m in enumerate(bundle.months) if m.endswith("-05")]
    centres = [float(remembers.predict(np.zeros(6), bundle.months[i]).centre[0]) for i in rows]
    assert np.corrcoef(centres, past[rows])[0, 1] > 0.8
    assert min(centres) < float(remembers.predict(np.zeros(6), 5).centre[0]) < max(centres)
    assert not remembers.record.seen[:2].any()
    assert remembers.record.seen[2:].all()


def test_no_held_out_month_is_seen_as_one_before(bundle, river):
    few = replace(QUICK, steps=5)
    counts = [
        train_impact(bundle, river, name="r", training=replace(few, memory=m)).about["months"]
        for m in (1, 3)
    ]
    # A gap month stands behind each held-out block; a memory of three reaches over it twice more.
    blocks = sum(
        bundle.split(a) not in ("train", "gap") and bundle.split(b) == "gap"
        for a, b in itertools.pairwise(bundle.months)
    )
    assert counts[0]["train"] - counts[1]["train"] >= 2 * blocks > 0


def test_the_test_years_are_scored_only_when_asked(bundle, river):
    made = train_impact(bundle, river, name="river", training=replace(QUICK, steps=5))
    assert set(made.scores) == {"train", "validation"}


def test_latents_are_chosen_by_the_months_that_tell_when_to_stop(bundle, river):
    made = train_impact(bundle, river, name="river", training=Training(members=1, steps=40))
    tried = {t["n_latent"]: t["crps_of_months_left_out"] for t in made.about["tried"]}
    assert set(tried) == {6}
    assert made.n_used == min(tried, key=tried.get)


def test_the_same_seed_makes_the_same_head(bundle, river):
    one, two = (
        train_impact(bundle, river, name="r", training=replace(QUICK, steps=20, seed=s))
        for s in (4, 4)
    )
    np.testing.assert_array_equal(one.weights.into, two.weights.into)
    other = train_impact(bundle, river, name="r", training=replace(QUICK, steps=20, seed=5))
    assert not np.array_equal(one.weights.into, other.weights.into)


@pytest.mark.parametrize(
    ("months", "words"),
    [
        (slice(0, 30), "shares .* training months .* needs 48"),
        (slice(72, 120), "shares .* months .* needs"),
    ],
)
def test_a_series_that_is_too_short(bundle, river, months, words):
    short = replace(river, months=river.months[months], values=river.values[months])
    with pytest.raises(ImpactError, match=words):
        train_impact(bundle, short, name="river", training=QUICK)


def test_a_series_that_does_not_vary(bundle, river):
    flat = replace(river, values=np.ones(len(river.values)))
    with pytest.raises(ImpactError, match="nothing varies"):
        train_impact(bundle, flat, name="river", training=QUICK)

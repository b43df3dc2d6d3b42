"""Impact heads: they find a law where there is one, claim nothing of noise, and keep in files."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import norm
from small import make_bare

from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.files import impact_names
from mlda_core.impact.files import fingerprint, load_impact, save_impact
from mlda_core.impact.head import (
    LEVELS,
    ImpactError,
    Prediction,
    Scale,
    Transform,
    before,
    seen_months,
)
from mlda_core.impact.series import MonthlySeries
from mlda_core.impact.training import Training, _crps_of, codes_of, train_impact

QUICK = Training(n_latent=6, members=2, steps=300)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_bare(tmp_path_factory.mktemp("impact"), curved=0.03)


@pytest.fixture(scope="module")
def codes(bundle):
    z, _, calendar = codes_of(bundle)
    return z / z.std(axis=0), calendar


def series_of(bundle, values, units="m3/s"):
    return MonthlySeries("A river", units, bundle.months, values, "made up")


@pytest.fixture(scope="module")
def river(bundle, codes):
    """A positive, skewed, seasonal series that the first latent rules, with a known rest."""
    z, calendar = codes
    rest = np.random.default_rng(3).standard_normal(len(z))
    log = 3 + np.cos(2 * np.pi * calendar / 12) + 0.8 * z[:, 0] + 0.3 * rest
    return series_of(bundle, np.exp(log))


@pytest.fixture(scope="module")
def head(bundle, river):
    return train_impact(bundle, river, name="river", training=QUICK, score_test=True)


def test_codes_are_the_bundle_s(bundle):
    z, sd, calendar = codes_of(bundle)
    np.testing.assert_allclose(z[30], bundle.code(bundle.months[30]), atol=1e-5)
    assert calendar[30] == int(bundle.months[30][5:])
    assert (sd > 0).all()


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


def test_months_before():
    assert before("1998-02", 3) == ("1998-01", "1997-12", "1997-11")
    assert before("1998-02", 0) == ()


def test_months_that_lack_a_variable_are_not_seen():
    full = np.zeros((2, 4, 8))
    half = full.copy()
    half[1, :, :5] = np.nan
    months = ("2000-01", "2000-02", "2000-03", "2000-05")
    fields = dict(zip(months, (full, half, full, full), strict=True))
    made = SimpleNamespace(
        months=months,
        mask=np.ones((2, 4, 8), bool),
        grid=SimpleNamespace(weights=np.full((4, 8), 1 / 32)),
        target_standardised=fields.__getitem__,
    )
    assert seen_months(made).tolist() == [True, False, True, True]
    assert seen_months(made, min_cover=0.3).tolist() == [True] * 4
    # The month before counts too: there is no 2000-04, and 1999-12.
    assert seen_months(made, 1, min_cover=0.3).tolist() == [False, True, True, False]


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


# Distributions


@pytest.mark.parametrize("power", [0.0, 0.3, 1.0])
def test_transforms_invert(power):
    transform = Transform(power, 0.5, bounded=True)
    values = np.array([0.0, 0.1, 1.0, 250.0])
    np.testing.assert_allclose(transform.inverse(transform.forward(values)), values, atol=1e-9)
    assert (transform.inverse([-1e6, -3.0]) >= 0).all()
    assert np.isfinite(transform.inverse([1e3])).all()


def test_transforms_suit_their_series():
    rng = np.random.default_rng(0)
    assert Transform.fitted(np.exp(rng.normal(size=4000))).power == pytest.approx(0, abs=0.1)
    assert Transform.fitted(rng.normal(size=4000) + 20).power > 0.4
    assert not Transform.fitted(rng.normal(size=100)).bounded
    dry = Transform.fitted(np.r_[np.zeros(20), rng.gamma(2, size=200)])
    assert dry.bounded
    assert dry.shift > 0
    assert dry.inverse(dry.forward(0.0)) == pytest.approx(0)


def test_a_prediction_is_its_distribution():
    scale = Scale(Transform(0.0, 0.0, bounded=True), np.full(12, 2.0), np.full(12, 0.5))
    one = Prediction(np.array([1.0]), np.array([0.8]), np.array([3]), scale, "m3/s")
    # The logarithm is normal, mean 2 + 0.5, standard deviation 0.4.
    assert one.median[0] == pytest.approx(math.exp(2.5))
    assert one.mean[0] == pytest.approx(math.exp(2.5 + 0.08), rel=2e-3)
    assert one.quantile(0.9)[0] == pytest.approx(math.exp(2.5 + 0.4 * norm.ppf(0.9)))
    assert one.quantile([0.1, 0.9]).shape == (1, 2)
    assert one.probability_below(math.exp(2.5))[0] == pytest.approx(0.5)


def test_crps_is_that_of_a_normal_distribution():
    w = np.array([-1.0, 0.0, 2.5])
    closed = w * (2 * norm.cdf(w) - 1) + 2 * norm.pdf(w) - 1 / math.sqrt(math.pi)
    quantiles = np.tile(norm.ppf(LEVELS), (3, 1))
    np.testing.assert_allclose(_crps_of(quantiles, w), closed, atol=2e-3)


def test_what_is_no_month_or_no_latent_vector(head):
    for month in (0, 13, "1997-13", "1997", 1.5, True):
        with pytest.raises(ImpactError, match="is not a month"):
            head.predict(np.zeros(6), month)
    with pytest.raises(ImpactError, match="has 6 numbers, not 5"):
        head.predict(np.zeros(5), 1)
    with pytest.raises(ImpactError, match="not finite"):
        head.predict(np.full(6, np.nan), 1)
    with pytest.raises(ImpactError, match="3 vectors but 2 months"):
        head.predict(np.zeros((3, 6)), [1, 2])


# Files


def test_a_head_comes_back_from_its_folder(head, bundle, tmp_path):
    save_impact(head, bundle, tmp_path / "river")
    back = load_impact(tmp_path / "river", bundle)
    assert (back.name, back.title, back.units) == ("river", "A river", "m3/s")
    assert back.scores == head.scores
    i = back.record.row["1982-07"]
    assert back.record.splits[i] == "test"
    assert back.record.observed[i] == pytest.approx(head.record.observed[i], rel=1e-3)
    z = bundle.code("1982-07")
    made = back.predict(z, "1982-07")
    assert made.median == pytest.approx(head.predict(z, "1982-07").median, rel=1e-5)
    # What stands in the series is what the head says of the month's code.
    assert back.record.median[i] == pytest.approx(made.median[0], rel=1e-3)
    assert back.record.high[i] == pytest.approx(made.quantile(0.9)[0], rel=1e-3)


def test_a_bundle_knows_its_own_heads(head, bundle, tmp_path):
    assert impact_names(bundle.path) == ()
    save_impact(head, bundle, bundle.path / "impacts" / "river")
    try:
        assert bundle.impacts == ("river",)
        assert load_impact("river", bundle).title == "A river"
    finally:
        for file in (bundle.path / "impacts" / "river").iterdir():
            file.unlink()
        (bundle.path / "impacts" / "river").rmdir()
        (bundle.path / "impacts").rmdir()


def test_a_head_of_another_bundle_is_refused(head, bundle, tmp_path):
    save_impact(head, bundle, tmp_path / "river")
    other = load_bundle(bundle.path)
    other.config["checksums"]["weights.safetensors"] = "0" * 64
    assert fingerprint(other) != fingerprint(bundle)
    with pytest.raises(ImpactError, match=r"another bundle \(A small climate\)"):
        load_impact(tmp_path / "river", other)


def damage(folder, **changes):
    file = folder / "head.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_damaged_heads_get_one_sentence(head, bundle, tmp_path):
    cases = {
        "is damaged": lambda f: (f / "series.csv").write_text("month\n"),
        "lacks head.safetensors": lambda f: (f / "head.safetensors").unlink(),
        "does not describe an impact head": lambda f: (f / "head.json").write_text("{"),
        "has schema 9": lambda f: damage(f, schema_version=9),
        "does not fit together": lambda f: damage(f, n_used=3),
        "does not fit": lambda f: damage(f, centre=[1.0]),
        "has no head.json": lambda f: (f / "head.json").unlink(),
    }
    for i, (words, harm) in enumerate(cases.items()):
        folder = tmp_path / f"river{i}"
        save_impact(head, bundle, folder)
        harm(folder)
        with pytest.raises(ImpactError, match=words) as told:
            load_impact(folder, bundle)
        assert str(told.value).count("\n") == 0

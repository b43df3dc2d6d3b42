"""How far ranks stray by chance, against ensembles whose truth is drawn again and again."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.evaluation.rank_chance import RankChance

PARTS = [(0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.0), (0.05, 0.95)]
MEMBERS, CELLS = 59, 300


def fields(rng, n, waves=6):
    """Correlated fields: a few waves, each with a normal amplitude."""
    at = np.arange(CELLS) * 2 * np.pi / CELLS
    basis = np.concatenate([[np.cos(k * at), np.sin(k * at)] for k in range(1, waves)])
    return rng.standard_normal((n, len(basis))) @ basis


def shares(members, truth):
    """How often the truth is in each part of the members, over all cells."""
    level = ((members < truth).sum(axis=0) + 0.5) / (MEMBERS + 1)
    return [((level >= low) & (level < high)).mean() for low, high in PARTS]


def test_it_is_that_of_truths_drawn_as_the_members_are():
    rng = np.random.default_rng(0)
    seen, said = [], []
    for _ in range(300):
        drawn = fields(rng, MEMBERS + 1)
        seen.append(shares(drawn[1:], drawn[0]))
        chance = RankChance(PARTS, 1)
        chance.add(drawn[1:], np.ones((1, CELLS)), "1997-12")
        said.append(chance.of(0))
    strayed = np.std(seen, axis=0)
    # 300 truths know their standard deviation to 4 %.
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(said), axis=0)), strayed, rtol=0.12)
    # As many independent cells would stray by less than half of it.
    independent = [np.sqrt((b - a) * (1 - b + a) / CELLS) for a, b in PARTS]
    assert (strayed > 2 * np.array(independent)).all()


def test_months_average_out_and_draws_of_one_month_do_not():
    rng = np.random.default_rng(1)
    members = fields(rng, MEMBERS)
    many, one, twice = (RankChance(PARTS, 1) for _ in range(3))
    one.add(members, np.ones((1, CELLS)), "1997-12")
    for i in range(4):
        many.add(members, np.ones((1, CELLS)), f"1997-{i + 1:02d}")
        twice.add(members, np.ones((1, CELLS)), "1997-12")
    np.testing.assert_allclose(many.of(0), one.of(0) / 2)
    np.testing.assert_allclose(twice.of(0), one.of(0))


def test_each_area_has_its_own_cells():
    rng = np.random.default_rng(2)
    members = fields(rng, MEMBERS)
    weights = np.zeros((2, CELLS))
    weights[0, :100], weights[1] = 2.0, 1.0
    both, part = RankChance(PARTS, 2), RankChance(PARTS, 1)
    both.add(members, weights, "1997-12")
    part.add(members[:, :100], np.ones((1, 100)), "1997-12")
    np.testing.assert_allclose(both.of(0), part.of(0))
    assert (both.of(1) < both.of(0)).all()


def test_members_that_tie_share_their_ranks():
    chance = RankChance(PARTS, 1)
    chance.add(np.zeros((MEMBERS, CELLS)), np.ones((1, CELLS)), "1997-12")
    assert chance.of(0) == pytest.approx(np.zeros(len(PARTS)), abs=1e-12)

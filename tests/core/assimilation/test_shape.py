"""What is said of a posterior that is not normal."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.assimilation.shape import SKEWED, Shape


def shape(skewness, modes, n_minima=1):
    none = np.full(len(modes), np.nan)
    return Shape(np.array(skewness, float), np.array(modes, np.int64), n_minima, none, none)


def said(skewness, modes, n_minima=1, rows=None):
    return shape(skewness, modes, n_minima).words(
        np.arange(len(modes)) if rows is None else np.array(rows)
    )


def test_nothing_is_said_of_a_posterior_that_is_nearly_normal():
    assert not said([0.0, 0.9 * SKEWED, -0.9 * SKEWED], [1, 1, 1])
    assert not said([], [])


def test_the_most_skewed_observation_is_named_by_its_row_of_the_table():
    words = said([SKEWED, -1.26, 0.9], [1, 1, 1], rows=[0, 4, 6])
    assert "skewed, most at observation 5 (skewness -1.3)" in words


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([2], "observation 3"),
        ([0, 2], "observations 1, 3"),
        (range(5), "observations 1, 2, 3 and 2 more"),
    ],
)
def test_observations_with_two_modes_are_named_and_many_counted(rows, named):
    modes = [2 if i in rows else 1 for i in range(5)]
    assert said([0.0] * 5, modes, 2).endswith(f"two modes at {named}")


def test_minima_are_said_where_no_observation_shows_two():
    assert "the cost has 3 minima, the lowest is shown" in said([0.0], [1], 3)
    assert "minima" not in said([0.0], [2], 3)


def test_modes_and_skewness_are_said_together():
    words = said([2.0, 0.0], [1, 2])
    assert [part.split(",")[0] for part in words.split("; ")] == [
        "the posterior has two modes at observation 2",
        "the posterior is skewed",
    ]


def test_whether_it_is_skewed_or_split_is_what_the_words_say():
    assert not shape([], []).is_skewed
    assert not shape([0.9 * SKEWED], [1]).is_skewed
    assert shape([0.0, -SKEWED], [1, 1]).is_skewed
    assert not shape([2.0], [1]).is_split
    assert shape([0.0], [2]).is_split
    assert shape([0.0], [1], n_minima=2).is_split

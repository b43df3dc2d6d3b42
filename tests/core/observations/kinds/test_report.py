"""Reports in words: classes, their words and their probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from kind_rows import HEAD, why_refused

from mlda_core.climate.variables import DEFAULTS
from mlda_core.observations.kind import KindError
from mlda_core.observations.kinds import kind_of
from mlda_core.observations.kinds.report import KIND, THRESHOLDS, sense_of, words_of
from mlda_core.observations.table import read


@pytest.mark.parametrize(
    ("word", "variable", "value", "classes"),
    [
        ("much colder", "tas", -2, 5),
        ("Warmer", "tas", 1, 5),
        ("usual", "tas", 0, 5),
        ("cold", "tas", -1, 2),
        ("wet", "pr", 1, 2),
        ("Much wetter", "pr", 2, 5),
        ("above", "psl", 1, 5),
        ("-2", "psl", -2, 5),
    ],
)
def test_words_are_classes(linear, word, variable, value, classes):
    reading = read(f"{HEAD}{variable},50,10,{word},,report,\n", linear, month=7)
    assert not reading.rejected
    row = reading.table.iloc[0]
    assert row["value"] == value
    assert kind_of(row["kind"])[1] == classes


BAD = {
    "a word of rain": ("wetter,,report,", "no class of a report of tas"),
    "beyond its classes": ("3,,report,", "whole number from -2 to 2"),
    "absolute": ("cold,,absolute report,", "no absolute value"),
    "four classes": ("1,,report(4),", "a report is of 2, 3, 5, 7 classes, and not of 4"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_what_is_no_class_is_refused(linear, case):
    cells, words = BAD[case]
    assert words in why_refused(linear, f"tas,50,10,{cells}")


@pytest.mark.parametrize("name", ["tas", "pr", "psl"])
@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_words_of_classes_are_read_as_these_classes(name, classes):
    variable = DEFAULTS[name]
    words = words_of(variable, classes)
    found = [KIND.class_of(word, variable, classes) for word in words]
    half = classes // 2
    expected = [-1, 1] if classes == 2 else range(-half, half + 1)
    assert found == [(float(number), float(classes)) for number in expected]


def test_temperature_and_rain_have_words_of_their_own():
    senses = {name: sense_of(DEFAULTS[name]) for name in ("tas", "tos", "pr", "psl")}
    assert senses == {"tas": "temperature", "tos": "temperature", "pr": "rain", "psl": "other"}


@pytest.mark.parametrize(
    ("word", "classes"),
    [("usual", 2), ("0", 2), ("much colder", 3), ("0.5", 5), ("nan", 5), ("", 5), ("4", 7)],
)
def test_classes_that_are_not_are_no_class(word, classes):
    with pytest.raises(KindError, match="is no class of a report of tas; use one of"):
        KIND.class_of(word, DEFAULTS["tas"], classes)


@pytest.mark.parametrize("classes", list(THRESHOLDS))
def test_classes_divide_the_climate_without_gap_and_alike_on_both_sides(classes):
    half = classes // 2
    numbers = np.array([-1, 1] if classes == 2 else range(-half, half + 1), float)
    low, high = KIND.probabilities(numbers, np.full(classes, float(classes)))
    np.testing.assert_array_equal(high[:-1], low[1:])
    assert (low[0], high[-1]) == (0.0, 1.0)
    assert (high > low).all()
    np.testing.assert_allclose(low + high[::-1], 1.0)


def test_an_error_that_is_not_stated_is_larger_than_that_of_a_value():
    assert KIND.default_error > kind_of("")[0].default_error

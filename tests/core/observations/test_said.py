"""What observations say, in words of their kinds."""

from __future__ import annotations

import pytest

from mlda_core.climate.variables import DEFAULTS
from mlda_core.observations.said import class_words, said, where


@pytest.mark.parametrize(
    ("name", "row", "words"),
    [
        ("tas", {"value": 0.5, "error_sd": 0.21}, "+0.50 ± 0.21 K"),
        ("tas", {"kind": "report", "value": -2, "error_sd": 1}, "much colder than usual"),
        ("pr", {"kind": "report", "value": 1, "error_sd": 1}, "wetter than usual"),
        ("tas", {"kind": "report", "value": 0, "error_sd": 1}, "as usual"),
        ("tas", {"kind": "report(2)", "value": 1, "error_sd": 1}, "warm"),
        ("tas", {"kind": "report(7)", "value": -3, "error_sd": 1}, "class −3 of −3 to 3"),
        ("psl", {"kind": "lower_bound", "value": 2, "error_sd": 1}, "at least +2.00 ± 1.00 hPa"),
        ("tas", {"kind": "upper_bound", "value": -3, "error_sd": 1}, "at most −3.00 ± 1.00 K"),
        ("tas", {"kind": "student_t(8)", "value": 4, "error_sd": 0.5},
         "+4.00 ± 0.50 K with heavy tails"),
    ],
)  # fmt: skip
def test_each_kind_says_it_in_its_own_words(name, row, words):
    assert said(row, DEFAULTS[name]) == words


def test_the_decimals_are_those_asked_for():
    assert said({"value": 0.5, "error_sd": 0.2}, DEFAULTS["tas"], 1) == "+0.5 ± 0.2 K"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"lat": 50, "lon": 350}, "at 50.0°N 10.0°W"),
        ({"kind": "mean", "area": "nino34", "lat": 0, "lon": 215}, "over Niño 3.4"),
        ({"kind": "report", "area": "40 60 -10 20", "lat": 50, "lon": 5},
         "over 40°N–60°N, 10°W–20°E"),
        ({"kind": "difference", "area": "minus nino34", "lat": 50, "lon": 5},
         "of 50.0°N 5.0°E minus Niño 3.4"),
        ({"kind": "difference", "area": "10 20 minus -10 250", "lat": 10, "lon": 20},
         "of 10.0°N 20.0°E minus 10.0°S 110.0°W"),
    ],
)  # fmt: skip
def test_what_a_row_is_of(row, words):
    assert where(row) == words


def test_classes_have_the_words_of_their_variable():
    assert class_words(DEFAULTS["pr"], -1, 2) == "dry"
    assert class_words(DEFAULTS["psl"], 2, 5) == "much higher"
    assert class_words(DEFAULTS["tas"], 2, 7) == "class 2"

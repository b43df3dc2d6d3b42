"""The line and the letters of the bar's months."""

import re

import numpy as np
import pytest

from app import timeline
from app.text import SPLIT_LETTERS
from app.timeline import LEAST, SPLIT_WORDS, curve, curve_paths, nino_series, split_words, splits
from mlda_core.climate.seasons import DAILY, MONTHLY

EARLY, LATE = "1947-02", "1963-02"


def test_above_the_years_a_bundle_without_a_sea_temperature_has_the_mean_of_its_first_variable(
    world,
):
    values, words = curve(world)
    assert values == nino_series(world)
    assert words == "Niño 3.4, K"
    psl = [v.name for v in world.variables].index("psl")

    class Aloft:
        variables, grid, months = (world.variables[psl],), world.grid, world.months
        seasons = world.seasons

        def target(self, month):
            return world.target(month)[psl : psl + 1]

    values, words = curve(Aloft())
    assert len(values) == len(world.months)
    field, weights = world.target(LATE)[psl], world.grid.weights
    mean = (field * weights).sum() / (weights * np.ones_like(field)).sum()
    assert values[world.months.index(LATE)] == pytest.approx(mean, abs=1e-3)
    assert values[world.months.index(EARLY)] is None
    assert words == f"Global mean of {world.variables[psl].label} (anomaly), hPa"


def test_a_year_has_twelve_letters_and_a_dash_where_there_is_no_month(tiny):
    assert splits(tiny) == {"1997": "T" * 12, "1998": "t" * 12}

    class Part:
        months, seasons = ("1997-02", "1997-12", "1999-01"), MONTHLY

        def split(self, month):
            return {"1997-02": "gap", "1997-12": "calibration"}.get(month, "validation")

    assert splits(Part()) == {"1997": "-g" + "-" * 9 + "c", "1999": "v" + "-" * 11}


def test_the_line_of_days_is_of_means_over_thirty(monkeypatch):
    class Days:
        seasons = DAILY

    values = (*[0.5] * 30, *[1.0] * 15, *[None] * 15, *[None] * 30, 2.0)
    monkeypatch.setattr(timeline, "nino_series", lambda _: values)
    assert curve(Days())[0] == (0.5, 1.0, None, 2.0)


def test_a_year_of_days_has_a_letter_for_each_date():
    class Days:
        months, seasons = ("1999-03-01", "2000-02-29", "2000-12-31"), DAILY

        def split(self, day):
            return "test" if day == "2000-02-29" else "validation"

    found = splits(Days())
    assert {year: len(letters) for year, letters in found.items()} == {"1999": 366, "2000": 366}
    at = {date: i for i, date in enumerate(DAILY.dates)}
    assert [found["1999"][at[date]] for date in ("02-29", "03-01")] == ["-", "v"]
    assert [found["2000"][at[date]] for date in ("02-29", "03-01", "12-31")] == ["T", "-", "v"]


def test_every_split_is_explained():
    assert set(SPLIT_WORDS) == set(SPLIT_LETTERS)
    assert split_words(DAILY.step)["test"] == "test day: the model has never seen it"


@pytest.mark.parametrize("size", [2.0, LEAST / 10])
def test_the_line_above_the_years_is_red_above_zero_and_blue_below_it(monkeypatch, size):
    values = (size, -size / 2, None, 0.0)
    monkeypatch.setattr(timeline, "curve", lambda _: (values, "made up"))
    above, below = curve_paths.__wrapped__(None)

    def points(path):
        assert path.startswith("M0,16L")
        assert path.endswith("L100,16Z")
        return [tuple(map(float, xy.split(","))) for xy in re.findall(r"L([^LZ]+)", path)[:-1]]

    # What is small stays flat, else the largest value is 14 of the 16 above the middle.
    height = 14 * min(1.0, size / LEAST)
    assert points(above) == [(12.5, 16 - height), (37.5, 16), (62.5, 16), (87.5, 16)]
    assert points(below) == [(12.5, 16), (37.5, 16 + height / 2), (62.5, 16), (87.5, 16)]

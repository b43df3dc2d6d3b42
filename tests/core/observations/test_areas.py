"""The column area, as it is read for each kind."""

from __future__ import annotations

import pytest

from mlda_core.climate.regions import REGIONS
from mlda_core.observations.areas import Area, Spot, area_of
from mlda_core.observations.kind import KindError
from mlda_core.observations.kinds import KINDS

VALUE, MEAN, DIFFERENCE = KINDS["value"], KINDS["mean"], KINDS["difference"]


def limits(region):
    return region.south, region.north, region.west, region.east


def test_nothing_is_the_row_s_own_place():
    assert area_of("", VALUE) is None
    assert area_of("  ", KINDS["report"]) is None


@pytest.mark.parametrize("text", ["nino34", " NINO34 ", "Southern Ocean"])
def test_regions_are_named_in_any_case(text):
    key = text.strip().lower().replace(" ", "_")
    assert area_of(text, MEAN) == Area(REGIONS[key])


@pytest.mark.parametrize("text", ["40 60 -20 30", "40, 60, 340, 30", "40;60;-20.0;+30"])
def test_a_box_is_four_numbers_with_any_separator(text):
    found = area_of(text, MEAN)
    assert limits(found.first) == (40.0, 60.0, 340.0, 30.0)
    assert found.centre == (50.0, 5.0)


@pytest.mark.parametrize(
    ("text", "first", "minus"),
    [
        ("north minus south", REGIONS["north"], REGIONS["south"]),
        ("minus 40 -10", None, Spot(40.0, 350.0)),
        ("60 10 minus -40 370", Spot(60.0, 10.0), Spot(-40.0, 10.0)),
        ("nino34 minus 0 100", REGIONS["nino34"], Spot(0.0, 100.0)),
    ],
)
def test_a_difference_is_of_regions_or_places(text, first, minus):
    assert area_of(text, DIFFERENCE) == Area(first, minus)


def test_where_an_area_is_shown():
    assert Area(None, Spot(1.0, 2.0)).centre is None
    assert Area(Spot(1.0, 2.0)).centre == (1.0, 2.0)
    # Around the whole globe, and across Greenwich.
    assert Area(REGIONS["tropics"]).centre == (0.0, 180.0)
    assert area_of("0 10 350 20", MEAN).centre == (5.0, 5.0)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("", MEAN, "kind mean needs an area: name a region, give a box"),
        ("minus north", MEAN, "kind mean needs an area"),
        ("north", DIFFERENCE, "needs an area 'FIRST minus SECOND', or 'minus SECOND'"),
        ("north minus", DIFFERENCE, "'FIRST minus SECOND'"),
        ("north minus south", VALUE, "its kind value; make that difference"),
        ("40 10", VALUE, "area '40 10' is a place; give it as lat and lon"),
        ("atlantis", MEAN, "area 'atlantis' is none: .*regions are globe, tropics"),
        ("1 2 3", MEAN, "area '1 2 3' is none"),
        ("1e1 20 0 20", MEAN, "is none"),
        ("nan 20 0 20", MEAN, "is none"),
        ("minus 95 10", DIFFERENCE, "area '95 10' is no place: give latitude, then longitude"),
        ("minus 5 1000", DIFFERENCE, "is no place"),
        ("10 10 0 20", MEAN, "area '10 10 0 20': The box .* has no area; draw a larger one$"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_can(text, kind, words):
    with pytest.raises(KindError, match=words):
        area_of(text, kind)

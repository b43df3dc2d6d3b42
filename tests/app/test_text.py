"""Numbers and variables as people read them."""

from dataclasses import replace

import pandas as pd
import pytest

from app.maps import thumbnails
from app.text import number, short_labels
from app.tools.observation_table import ObservationTable
from mlda_core.climate.variables import DEFAULTS

USUAL = tuple(DEFAULTS.values())


def test_a_word_by_the_standard_name_else_the_label():
    odd = replace(USUAL[0], name="hurs", standard_name="relative_humidity", label="Humidity")
    assert short_labels((*USUAL, odd)) == {
        "psl": "pressure",
        "tos": "sea (SST)",
        "tas": "air",
        "pr": "rain",
        "hurs": "Humidity",
    }


def test_variables_of_one_kind_are_told_apart_by_their_labels():
    height = {"standard_name": "geopotential_height"}
    two = tuple(
        replace(USUAL[0], name=f"zg{level}", label=f"{level} hPa height", **height)
        for level in (500, 850)
    )
    assert short_labels(two) == {"zg500": "500 hPa height", "zg850": "850 hPa height"}
    assert short_labels(two[:1]) == {"zg500": "height"}


def test_the_table_shows_words_and_a_slider_whose_label_is_long_too(tiny):
    table = ObservationTable(short_labels(USUAL), [v.label for v in USUAL])
    row = {"variable": "psl", "lat": 1.0, "lon": 2.0, "value": 3.0, "error_sd": 0.5}
    table.show(pd.DataFrame([row | {"withheld": False}]), None, [])
    assert table.widget.value["variable"].tolist() == ["pressure"]
    # As the texts say 143.1 W, not 216.9 E.
    table.show(pd.DataFrame([row | {"withheld": False, "lon": 216.9}]), None, [])
    assert table.widget.value["lon"].tolist() == [-143.1]

    class Long:
        variables = tuple(replace(v, label=f"Large-scale {v.label.lower()}") for v in USUAL)
        direction_share = tiny.direction_share

    i = thumbnails.strongest(Long, 0)
    known = {*short_labels(Long.variables).values(), Long.variables[i].label}
    assert thumbnails.plain(Long, 0).label.lower() in {label.lower() for label in known}
    assert thumbnails.plain(Long, 0).label != Long.variables[i].name


def test_a_wind_is_named_by_its_component_not_by_where_it_seems_to_come_from():
    wind = [
        replace(USUAL[0], name=name, standard_name=name, label=name)
        for name in ("eastward_wind", "northward_wind")
    ]
    assert list(short_labels(tuple(wind)).values()) == ["zonal wind", "meridional wind"]


@pytest.mark.parametrize(
    ("value", "text"), [(1.234, "1.23"), (-0.5, "−0.50"), (float("nan"), "–"), (-0.001, "0.00")]
)
def test_numbers_are_written_for_people(value, text):
    assert number(value) == text

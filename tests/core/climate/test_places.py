"""Numbers and places as people write them."""

import pytest

from mlda_core.climate import places


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (1.25, 1, "+1.2"),
        (-2, 1, "−2.0"),
        (-0.04, 1, "0.0"),
        (0.04, 1, "0.0"),
        (float("nan"), 1, "–"),
    ],
)
def test_what_rounds_to_nothing_has_no_sign(value, decimals, text):
    assert places.signed(value, decimals) == text


@pytest.mark.parametrize(
    ("lat", "lon", "text"),
    [
        (-12.46, 130.84, "12.5°S 130.8°E"),
        (0.0, 200.0, "0.0° 160.0°W"),
        (0.04, 359.99, "0.0° 0.0°"),
        (89.0, -180.0, "89.0°N 180.0°"),
        (10.0, 540.0, "10.0°N 180.0°"),
    ],
)
def test_places_have_letters_where_there_is_a_side(lat, lon, text):
    assert places.place(lat, lon) == text


def test_a_box_round_the_globe_is_its_latitudes():
    assert places.box(-70, -45, 0, 360) == "70°S–45°S"
    assert places.box(0, 20, 350, 20) == "0°–20°N, 10°W–20°E"

"""Means and differences that are placed by two clicks."""

from __future__ import annotations

import numpy as np
import pytest
from visiting import SOME

from app.maps.projections import to_map
from app.tools.two_places import First, box_between, hint
from mlda_core.page_state.tables import resolve

ALONE = SOME.replace("stations&stations=20", "none")
NAMES = {"tas": "air", "psl": "pressure", "tos": "sea (SST)"}


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


def click(v, variable, lat, lon, kind):
    x, y = to_map("robinson", np.array([float(lon)]), np.array([float(lat)]))
    v.send(type="obs-place", variable=variable, x=float(x[0]), y=float(y[0]), **{"as": kind})


def corner(lat, lon):
    x, y = to_map("robinson", np.array([float(lon)]), np.array([float(lat)]))
    return float(x[0]), float(y[0])


def test_the_second_click_makes_a_difference_of_the_target_there(visit, speedy):
    v = visit(ALONE)
    v.send(type="obs-as", value="difference")
    assert "first place" in v.panel.hint
    click(v, "psl", 64, 338, "difference")
    assert v.observer.begun is not None
    assert v.observer.gestures.begun
    assert "the place that is subtracted. Escape" in v.panel.hint
    assert len(v.rows) == 0
    click(v, "psl", 38, 334, "difference")
    (row,) = v.rows.to_dict("records")
    assert row["kind"] == "difference"
    assert row["area"].startswith("minus 38")
    month = v.session.state.month
    lat, lon = np.array([row["lat"], 38.0]), np.array([row["lon"], 334.0])
    places = speedy.operator.locate([0, 0], lat, lon)
    there = speedy.operator.apply(places, speedy.target(month))
    # With noise of a fifth of its own spread.
    assert row["value"] == pytest.approx(there[0] - there[1], abs=4 * row["error_sd"])
    assert v.observer.begun is None
    assert v.panel.hint.startswith("Next click: the first place")
    v.settle()
    assert v.work.answered
    assert "64.0°N 22.0°W minus 38.0°N 26.0°W" in v.status
    v.send(type="undo")
    assert len(v.rows) == 0


def test_a_box_that_is_dragged_is_a_mean_and_so_are_two_corners(visit, speedy):
    v = visit(f"{ALONE}&live=0")
    x0, y0 = corner(60, 20)
    x1, y1 = corner(35, 60)
    box = {"type": "rect", "x0": x0, "x1": x1, "y0": y0, "y1": y1}
    v.send(type="obs-drawn", mode="mean", variable="tas", geometry=box)
    click(v, "tas", 60, 200, "mean")
    assert "opposite corner" in v.status
    v.send(type="obs-put", variable="tas", lat="40", lon="230", **{"as": "mean"})
    first, second = v.rows.to_dict("records")
    assert first["kind"] == second["kind"] == "mean"
    south, north, west, east = map(float, second["area"].split())
    assert (south, north, west, east) == pytest.approx((40, 60, 200, 230), abs=0.05)
    assert (second["lat"], second["lon"]) == pytest.approx((50, 215), abs=0.05)
    # Another noise, but the same values, where the observation error is another one.
    quiet = v.session.state.observations.adjust({"error": 0.02})
    table = resolve(quiet, speedy, v.session.state.month).rows
    assert (table["error_sd"] / v.rows["error_sd"]).to_numpy() == pytest.approx(0.1)
    assert table["value"].to_numpy() != pytest.approx(v.rows["value"].to_numpy())


def test_what_was_begun_is_given_up_by_escape_and_by_another_choice(visit):
    v = visit(f"{ALONE}&live=0")
    for message in (
        {"type": "obs-give-up"},
        {"type": "obs-as", "value": "mean"},
        {"type": "obs-mode", "value": "ask"},
        {"type": "tool", "value": "explore"},
    ):
        v.send(type="tool", value="observe")
        v.send(type="obs-mode", value="place")
        v.send(type="obs-as", value="difference")
        click(v, "tas", 50, 10, "difference")
        assert v.observer.begun is not None
        v.send(**message)
        assert v.observer.begun is None
    v.send(type="tool", value="observe")
    assert len(v.rows) == 0


@pytest.mark.parametrize(
    ("kind", "first", "second", "words"),
    [
        ("difference", ("tas", 50, 10), ("psl", 40, 10), "The first place is of air"),
        ("difference", ("tos", 40, 200), ("tos", 50, 90), "no sea surface temperature at"),
        ("mean", ("tos", 55, 80), ("tos", 45, 95), "no sea surface temperature over"),
        ("mean", ("tas", 55, 80), ("tas", 55, 80), "no area"),
    ],
)
def test_what_cannot_be_is_refused_and_the_first_place_stays(visit, kind, first, second, words):
    v = visit(f"{ALONE}&live=0")
    click(v, *first, kind)
    begun = v.observer.begun
    click(v, *second, kind)
    assert v.session.bar.failed
    assert words in v.status
    assert v.observer.begun is begun
    assert len(v.rows) == 0


@pytest.mark.slow
def test_the_marker_of_a_mean_is_not_moved_nor_typed_elsewhere(visit):
    v = visit(f"{ALONE}&live=0")
    click(v, "tas", 60, 200, "mean")
    click(v, "tas", 40, 230, "mean")
    before = v.rows
    x, y = corner(10, 100)
    v.send(type="obs-move", variable="tas", row=0, x=x, y=y, done=True)
    assert v.session.bar.failed
    assert "its marker only shows it" in v.status
    v.observer.listing._edited(0, "lat", 12.0)
    assert "its marker only shows it" in v.status
    assert v.rows.equals(before)


def test_what_the_next_click_does_is_said():
    assert hint("report", None, NAMES) == hint("", None, NAMES) == ""
    assert "box" in hint("mean", None, NAMES)
    begun = First("mean", "tas", 10.0, 20.0)
    said = hint("mean", begun, NAMES)
    assert said == "Begun: air at 10.0°N 20.0°E. Next click: the opposite corner. Escape gives up."


@pytest.mark.parametrize(
    ("first", "second", "box"),
    [
        ((40.0, 350.0), (60.0, 20.0), (40.0, 60.0, 350.0, 20.0)),
        ((60.0, 20.0), (40.0, 350.0), (40.0, 60.0, 350.0, 20.0)),
        ((-10.0, 170.0), (10.0, 190.0), (-10.0, 10.0, 170.0, 190.0)),
    ],
)
def test_two_corners_are_the_box_the_shorter_way_round(first, second, box):
    assert box_between(First("mean", "tas", *first), *second) == box

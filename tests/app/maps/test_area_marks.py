"""What observations are of, on the maps."""

from __future__ import annotations

import numpy as np
import pytest
from bokeh.plotting import figure

from app.maps.area_marks import AreaMarks
from app.maps.markers import CHOSEN, INK
from app.maps.projections import to_map
from mlda_core.observations.areas import area_of
from mlda_core.observations.kinds import KINDS


@pytest.fixture
def figures():
    return {(name, kind): figure() for name in ("psl", "tas") for kind in ("target", "scatter")}


def test_a_page_without_areas_has_no_glyphs_of_them(figures):
    AreaMarks(figures).write([], "robinson")
    assert all(not fig.renderers for fig in figures.values())


def test_a_mean_is_outlined_on_its_variable_s_maps_alone(figures):
    marks = AreaMarks(figures)
    area = area_of("nino34", KINDS["mean"])
    marks.write([("psl", 0.0, 215.0, area, True)], "platecarree")
    lines = marks.lines["psl"].data
    x, _ = to_map("platecarree", np.array([190.0, 240.0]), np.array([0.0, 0.0]))
    drawn = np.concatenate(lines["xs"])
    assert (drawn.min(), drawn.max()) == pytest.approx(tuple(sorted(x)))
    assert lines["line"] == [CHOSEN]
    assert marks.lines["tas"].data["xs"] == []
    assert marks.ends["psl"].data["x"] == []
    assert figures["psl", "target"].renderers
    assert not figures["psl", "scatter"].renderers
    marks.write([], "platecarree")
    assert marks.lines["psl"].data["xs"] == []


def test_a_difference_has_a_line_to_the_place_that_is_subtracted(figures):
    marks = AreaMarks(figures)
    area = area_of("minus 38 334", KINDS["difference"])
    marks.write([("tas", 64.0, 338.0, area, False)], "robinson")
    ends, lines = marks.ends["tas"].data, marks.lines["tas"].data
    x, y = to_map("robinson", np.array([338.0, 334.0]), np.array([64.0, 38.0]))
    assert (ends["x"], ends["y"], ends["line"]) == ([x[1]], [y[1]], [INK])
    (xs,), (ys,) = lines["xs"], lines["ys"]
    assert (xs[0], ys[0]) == pytest.approx((x[0], y[0]))
    assert (xs[-1], ys[-1]) == pytest.approx((x[1], y[1]))


def test_across_the_map_s_cut_it_goes_the_shorter_way(figures):
    marks = AreaMarks(figures)
    area = area_of("minus 10 5", KINDS["difference"])
    marks.write([("tas", 10.0, 355.0, area, False)], "platecarree")
    length = sum(np.ptp(xs) for xs in marks.lines["tas"].data["xs"])
    assert length < 0.2


def test_a_place_that_was_begun_is_marked(figures):
    marks = AreaMarks(figures)
    marks.write([("tas", 10.0, 100.0, None, False)], "robinson")
    assert len(marks.ends["tas"].data["x"]) == 1
    assert marks.lines["tas"].data["xs"] == []

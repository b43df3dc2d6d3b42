"""Boxes and lassos as the browser sends them."""

import numpy as np
import pytest

from app.maps.drawings import inside, lasso_polygon, read_drawing
from mlda_core.page_state.settings import InvalidStateError

BOX = {"type": "rect", "x0": 1.0, "x1": -1, "y0": 0.5, "y1": -0.5}
LASSO = {"type": "poly", "x": [-1, 1, 1, -1], "y": [-0.5, -0.5, 0.5, 0.5]}
X, Y = np.array([0.0, 0.9, 1.1, np.nan]), np.array([0.0, -0.4, 0.0, np.nan])


@pytest.mark.parametrize(("tool", "given"), [("box", BOX), ("lasso", LASSO)])
def test_a_drawing_holds_what_lies_in_it_whichever_way_it_was_drawn(tool, given):
    assert inside(read_drawing(given, tool), X, Y).tolist() == [True, True, False, False]


def test_a_lasso_that_crosses_itself_holds_both_its_loops_and_a_line_holds_nothing():
    bow = {"type": "poly", "x": [-1, 1, 1, -1], "y": [-1, 1, -1, 1]}
    assert lasso_polygon(read_drawing(bow, "lasso")).area == pytest.approx(2.0)
    line = read_drawing({"type": "poly", "x": [0, 1], "y": [0, 0]}, "lasso")
    assert lasso_polygon(line) is None
    assert not inside(line, X, Y).any()


@pytest.mark.parametrize(
    ("tool", "given", "words"),
    [
        ("box", None, "no box"),
        ("box", LASSO, "no box"),
        ("lasso", BOX, "no lasso"),
        ("lasso", {**LASSO, "x": [0, 1]}, "no lasso"),
        ("lasso", {**LASSO, "x": "abcd"}, "no lasso"),
        ("box", {**BOX, "x0": None}, "place"),
        ("box", {**BOX, "y1": float("nan")}, "place"),
        ("box", {**BOX, "y1": 1e9}, "place"),
        ("lasso", {**LASSO, "y": [0, 1, [], 2]}, "place"),
    ],
)
def test_what_is_no_drawing_is_refused_in_words(tool, given, words):
    with pytest.raises(InvalidStateError, match=words):
        read_drawing(given, tool)

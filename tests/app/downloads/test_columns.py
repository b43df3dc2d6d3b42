"""What stands in both columns, as arrays: the same values, limits and marks as on the screen."""

import numpy as np
import pytest

from app.downloads.columns import shown_columns, words_of
from app.maps import frames
from app.maps.color_scales import column_limits, limits, response_look, sensitivity_look

MONTH = "1997-12"


def drawn(tiny, **how):
    settings = {"month": MONTH, "z": tiny.code(MONTH), "projection": "robinson", "full": False}
    return frames.draw(tiny, frames.Request(**{**settings, **how}))


def cells(frame, name, kind):
    return frame.panes[name, kind].cells


@pytest.mark.parametrize("full", [False, True])
def test_target_and_model_are_those_of_the_maps(tiny, full):
    frame = drawn(tiny, full=full)
    for column, kind in zip(shown_columns(tiny, frame), ("target", "model"), strict=True):
        assert column.plain
        for i, variable in enumerate(tiny.variables):
            shown = column.fields[i].astype(np.float32).ravel()
            np.testing.assert_array_equal(shown, cells(frame, variable.name, kind))
            assert column.looks[i].limits == limits(variable, full=full)
    assert [c.title for c in shown_columns(tiny, frame)] == ["Target", "Model"]


def test_a_difference_is_of_the_two_columns(tiny):
    frame = drawn(tiny, column=frames.Column("difference"))
    left, right = shown_columns(tiny, frame)
    np.testing.assert_array_equal(right.fields.ravel(), np.ravel(frame.model - left.fields))
    assert not right.plain
    assert right.title == "Model − target"


def test_a_wide_spread_is_marked_where_it_is_hatched(tiny):
    spread = np.abs(tiny.target(MONTH))
    column = frames.Column("spread", spread, np.full_like(spread, 2.0), hatch=0.5)
    _, right = shown_columns(tiny, drawn(tiny, column=column))
    np.testing.assert_array_equal(right.marked, spread > 1.0)
    assert right.looks[0].limits == column_limits(tiny.variables[0], "spread")
    assert right.looks[0].cmap == "YlOrRd"


def test_a_smaller_range_of_colours_is_that_of_the_page(tiny):
    column = frames.Column("increment", tiny.target(MONTH))
    left, right = shown_columns(tiny, drawn(tiny, column=column, scale=5))
    usual = tiny.variables[0].anomaly_limit
    assert left.looks[0].limits == (-usual, usual)
    assert right.looks[0].limits == (-usual / 5, usual / 5)


def test_a_response_is_marked_where_it_is_faded(tiny):
    state = tiny.target(MONTH)
    look = response_look(tiny.variables, per_kelvin=False, faded=True)
    column = frames.Column("response", state, np.full_like(state, 1.0), look=look)
    scene = frames.ColumnContent(state, state, ("analysis", "response"), right=column)
    frame = drawn(tiny, analysis=state, column=column, scene=scene)
    _, right = shown_columns(tiny, frame)
    np.testing.assert_array_equal(right.marked, np.abs(state) < 1.0)
    assert right.looks[0].limits == (-look.limits[0], look.limits[0])
    assert words_of(frame.request) == ("analysis", "response")


def test_a_row_of_another_kind_says_what_it_shows(tiny):
    state = tiny.target(MONTH)
    fields = np.full_like(state, np.nan)
    fields[1] = 0.1
    look = sensitivity_look(tiny.variables, fields[1], "hPa")
    column = frames.Column("sensitivity", fields, look=look)
    scene = frames.ColumnContent(state, state, ("all fields", "held"), right=column)
    _, right = shown_columns(tiny, drawn(tiny, analysis=state, column=column, scene=scene))
    assert [x.title.split(":")[0] for x in right.looks] == ["Held", "Sensitivity"]
    np.testing.assert_array_equal(right.fields[0], state[0])
    np.testing.assert_array_equal(right.fields[1], fields[1])
    assert right.looks[1].units == "hPa per K"

"""Sizes of pictures, alone and in rows."""

import holoviews as hv
import pytest

from mlda_core.plotting.backends import check_backend
from mlda_core.plotting.layout import HEIGHT_INCHES, HEIGHT_PIXELS, arrange, legend, panel


def test_a_picture_keeps_its_shape_whatever_its_height():
    for tall in (1.0, 1.6):
        bokeh = panel(2.0, "Title", "bokeh", tall=tall)
        assert bokeh["frame_height"] == pytest.approx(tall * HEIGHT_PIXELS, abs=1)
        assert bokeh["frame_width"] == pytest.approx(2 * bokeh["frame_height"], abs=1)
        paper = panel(2.0, "Title", "matplotlib", tall=tall)
        assert paper["aspect"] == 2.0
        width, height = paper["fig_inches"]
        assert width > 2 * tall * HEIGHT_INCHES
        assert height > tall * HEIGHT_INCHES
        assert bokeh["title"] == paper["title"] == "Title"
    assert legend("bokeh")["legend_position"] == legend("matplotlib")["legend_position"] == "right"


def size_of(count, ratios, **more):
    check_backend("matplotlib")
    made = arrange([hv.Curve([0, 1]) for _ in range(count)], ratios, "matplotlib", **more)
    return made, hv.Store.lookup_options("matplotlib", made, "plot").kwargs["fig_inches"]


def test_a_figure_grows_with_its_rows_and_the_width_of_its_columns():
    made, (width, height) = size_of(4, [2.0, 1.0])
    assert made.shape == (2, 2)
    _, (wider, as_high) = size_of(4, [3.0, 1.0])
    assert wider - width == pytest.approx(HEIGHT_INCHES)
    assert as_high == height
    _, (_, higher) = size_of(5, [2.0, 1.0])
    assert higher == pytest.approx(1.5 * height)
    _, (_, with_axes) = size_of(4, [2.0, 1.0], below=0.25)
    assert with_axes - height == pytest.approx(2 * 0.25)


def test_fewer_pictures_than_columns_make_one_row_without_room_for_others():
    _, (one, _) = size_of(1, [2.0, 1.0])
    _, (two, _) = size_of(2, [2.0, 1.0])
    assert one < two

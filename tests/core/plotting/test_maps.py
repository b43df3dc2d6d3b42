"""Maps of one field: data, limits, units, and what lies over them, in both backends."""

import holoviews as hv
import numpy as np
import pytest

from mlda_core.climate.variables import DEFAULTS
from mlda_core.plotting import PROJECTIONS, Cells, field_map, look_of
from mlda_core.plotting.look import PlotError

LOOK = look_of(DEFAULTS["tas"])
BACKENDS = ("bokeh", "matplotlib")


def option(element, backend, name, group="plot"):
    return hv.Store.lookup_options(backend, element, group).kwargs.get(name)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_map_is_of_the_field_with_its_units_and_limits(grid, field, backend):
    overlay = field_map(field, grid, LOOK, title="Air", backend=backend)
    (cells,) = overlay.traverse(lambda x: x, [Cells])
    assert np.array_equal(cells.dimension_values("value", flat=False), field, equal_nan=True)
    assert cells.vdims[0].pprint_label == "2 m air temperature, anomaly (K)"
    assert option(cells, backend, "clim") == (-5.0, 5.0)
    assert option(cells, backend, "clabel") == "K"
    assert option(cells, backend, "cmap", "style") == "RdBu_r"
    assert option(overlay, backend, "title") == "Air"
    assert option(overlay, backend, "projection").proj4_params["proj"] == "robin"


@pytest.mark.slow
@pytest.mark.parametrize("name", [p for p in PROJECTIONS if p != "region"])
def test_every_projection_is_drawn_by_bokeh(grid, field, name):
    figure = hv.render(field_map(field, grid, LOOK, projection=name), backend="bokeh")
    source = figure.renderers[0].data_source.data
    # Where a cell lies, not where it is on the map.
    assert np.abs(source["lat"]).max() <= 90
    assert np.isnan(source["value"]).sum() == (0 if name == "north" else 3)
    glyph = figure.renderers[0].glyph
    # An edge of the cell's own colour: no hairs of the paper between cells.
    assert glyph.line_color.transform is glyph.fill_color.transform
    assert glyph.fill_color.transform.nan_color.startswith("#d9d9d9")
    assert (glyph.fill_color.transform.low, glyph.fill_color.transform.high) == (-5.0, 5.0)


@pytest.mark.parametrize("name", [p for p in PROJECTIONS if p != "region"])
def test_every_projection_is_drawn_by_matplotlib(grid, field, name):
    overlay = field_map(field, grid, LOOK, projection=name, backend="matplotlib")
    figure = hv.render(overlay, backend="matplotlib")
    axes = figure.axes[0]
    (drawn,) = [c for c in axes.collections if c.get_array() is not None]
    assert drawn.get_clim() == (-5.0, 5.0)
    assert np.ma.count_masked(drawn.get_array()) == (0 if name == "north" else 3)
    assert drawn.get_rasterized()
    x0, x1 = axes.get_xlim()
    corners = np.concatenate([path.vertices for path in drawn.get_paths()])
    assert x0 <= corners[:, 0].min() < corners[:, 0].max() <= x1
    assert figure.axes[0].child_axes[0].get_title("left") == "K"


@pytest.mark.parametrize(
    ("low", "high", "ends"),
    [(-5, 5, "neither"), (-6, 5, "min"), (-5, 6, "max"), (-6, 6, "both")],
)
def test_a_colour_bar_is_pointed_where_values_lie_beyond_it(grid, field, low, high, ends):
    field[0, 0], field[-1, -1] = low, high
    overlay = field_map(field, grid, LOOK, backend="matplotlib")
    axes = hv.render(overlay, backend="matplotlib").axes[0]
    (drawn,) = [c for c in axes.collections if c.get_array() is not None]
    assert drawn.colorbar.extend == ends


def test_the_legend_is_drawn_by_both(grid, field, table):
    figure = hv.render(field_map(field, grid, LOOK, observations=table), backend="bokeh")
    assert len(figure.legend[0].items) == 4
    overlay = field_map(field, grid, LOOK, observations=table, backend="matplotlib")
    axes = hv.render(overlay, backend="matplotlib").axes[0]
    assert len(axes.get_legend().get_texts()) == 4


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"backend": "plotly"}, "no backend 'plotly'; use bokeh or matplotlib"),
        ({"projection": "mollweide"}, "no projection 'mollweide'; use one of robinson"),
        ({"projection": "region"}, "too large for a map of a region"),
        ({"stippled": np.ones((2, 2), bool)}, r"stippling has the shape \(2, 2\)"),
        ({"vectors": (np.ones((2, 2)),) * 2}, r"vector has the shape \(2, 2\)"),
    ],
)
def test_what_is_not_understood_is_refused(grid, field, given, sentence):
    with pytest.raises(PlotError, match=sentence):
        field_map(field, grid, LOOK, **given)


def test_a_field_of_another_grid_is_refused(grid):
    with pytest.raises(PlotError, match=r"field has the shape \(3, 3\) and the grid \(8, 16\)"):
        field_map(np.ones((3, 3)), grid, LOOK)

"""Stippling, arrows and observations over a map."""

import holoviews as hv
import numpy as np
import pytest

from mlda_core.climate.variables import DEFAULTS
from mlda_core.plotting import field_map, look_of
from mlda_core.plotting.look import PlotError
from mlda_core.plotting.overlays import OUTCOMES

LOOK = look_of(DEFAULTS["tas"])


BACKENDS = ("bokeh", "matplotlib")


def option(element, backend, name, group="plot"):
    return hv.Store.lookup_options(backend, element, group).kwargs.get(name)


def layers(overlay, kind):
    return [layer for layer in overlay if type(layer).__name__ == kind]


@pytest.mark.parametrize("backend", BACKENDS)
def test_observations_are_told_by_variable_and_outcome(grid, field, table, backend):
    overlay = field_map(field, grid, LOOK, observations=table, backend=backend)
    points = {layer.label: layer for layer in layers(overlay, "Points")}
    assert set(points) == {
        "psl, used (1)",
        "psl, withheld (1)",
        "psl, not used (1)",
        "tas, used (2)",
    }
    fill = "fill_color" if backend == "bokeh" else "color"
    for label, layer in points.items():
        outcome = label.split(", ")[1].split(" (")[0]
        assert option(layer, backend, fill, "style") == OUTCOMES[outcome]
    marks = {option(p, backend, "marker", "style") for p in points.values()}
    assert len(marks) == 2
    assert points["tas, used (2)"].dimension_values("lon").tolist() == [359.0, 181.0]


def test_observations_of_one_variable_are_told_by_outcome_alone(grid, field, table):
    overlay = field_map(field, grid, LOOK, observations=table[table["variable"] == "tas"])
    assert [layer.label for layer in layers(overlay, "Points")] == ["used (2)"]


def test_polar_maps_leave_out_what_lies_beyond_them(grid, field, table):
    overlay = field_map(
        field,
        grid,
        LOOK,
        projection="north",
        observations=table,
        stippled=np.ones(grid.shape, bool),
        vectors=(field, field),
    )
    for layer in [*layers(overlay, "Points"), *layers(overlay, "VectorField")]:
        assert layer.dimension_values("lat").min() >= 20


@pytest.mark.parametrize("backend", BACKENDS)
def test_stipples_lie_in_the_cells_and_in_no_others(grid, field, backend):
    where = np.zeros(grid.shape, bool)
    where[2:5] = True
    overlay = field_map(field, grid, LOOK, stippled=where, backend=backend)
    (dots,) = layers(overlay, "Points")
    assert len(dots) >= 8
    assert set(dots.dimension_values("lat")) <= set(grid.lat[2:5])
    assert hv.render(overlay, backend=backend) is not None


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrows_point_where_the_vector_does(grid, field, backend):
    east, north = np.full(grid.shape, 3.0), np.full(grid.shape, 4.0)
    east[3, 2:5] = np.nan
    overlay = field_map(
        field, grid, LOOK, vectors=(east, north), vector_units="m/s", title="Wind", backend=backend
    )
    (arrows,) = layers(overlay, "VectorField")
    assert arrows.dimension_values("magnitude") == pytest.approx(5.0)
    assert arrows.dimension_values("angle") == pytest.approx(np.arctan2(4, 3))
    assert option(overlay, backend, "title") == "Wind (longest arrow 5 m/s)"
    assert hv.render(overlay, backend=backend) is not None


def test_observations_without_places_are_refused(grid, field, table):
    with pytest.raises(PlotError, match="no column 'lon'"):
        field_map(field, grid, LOOK, observations=table.drop(columns="lon"))

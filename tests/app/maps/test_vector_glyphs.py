"""Arrows in the figures."""

import bokeh.models
import bokeh.plotting
import numpy as np
import pytest

from app.maps.projections import pixel_map
from app.maps.vector_glyphs import ArrowGlyphs
from app.maps.vectors import POINTS, draw_arrows, lattice
from mlda_core.climate.variables import DEFAULTS

KEY = "robinson"


@pytest.fixture
def windy(tiny):
    """The tiny bundle as one of pressure and wind."""
    made = type(tiny)()
    wind = [
        DEFAULTS["tas"].from_dict(
            {**DEFAULTS["tas"].to_dict(), "name": name, "label": label, "anomaly_units": "m/s"}
        )
        for name, label in (("ua", "850 hPa eastward wind"), ("va", "850 hPa northward wind"))
    ]
    made.variables, made.vectors = (DEFAULTS["psl"], *wind), (("ua", "va"),)
    return made


@pytest.fixture
def glyphs(windy):
    x, y = bokeh.models.Range1d(-2, 2), bokeh.models.Range1d(-1, 1)
    made = ArrowGlyphs(windy, x, y, KEY)
    made.figure = bokeh.plotting.figure(x_range=x, y_range=y)
    made.add("psl", "target", made.figure)
    return made


def arrows_of(bundle, speed=3.0):
    places = lattice(KEY, bundle.grid, pixel_map(KEY, bundle.grid))
    east = np.full(bundle.grid.shape, speed, np.float32)
    return draw_arrows(east, 0 * east, places, 7.0)


def test_without_a_vector_nothing_is_drawn(tiny):
    made = ArrowGlyphs(tiny, bokeh.models.Range1d(), bokeh.models.Range1d(), KEY)
    fig = bokeh.plotting.figure()
    made.add("psl", "target", fig)
    assert not made.on
    assert not fig.renderers
    made.reproject("north")


def test_a_wind_lies_on_other_variables_and_not_on_itself(glyphs):
    assert glyphs.shows("psl")
    assert not glyphs.shows("ua")
    fig = bokeh.plotting.figure()
    glyphs.add("ua", "target", fig)
    assert not fig.renderers
    # Arrows and the key's arrow with a rim each, and the key's words.
    assert len(glyphs.figure.renderers) == 5
    assert not any(r.visible for r in glyphs.figure.renderers)


def test_arrows_are_packed_into_the_room_that_they_have(glyphs, windy):
    made = arrows_of(windy)
    assert glyphs.packed({"target": None}) == []
    ((kind, data),) = glyphs.packed({"target": made})
    assert kind == "target"
    assert data == made.x.tobytes() + made.y.tobytes()
    np.testing.assert_array_equal(glyphs.sources["target"].data["x"], made.x)
    glyphs.reproject("north")
    room = len(lattice("north", windy.grid, pixel_map("north", windy.grid)).x)
    source = glyphs.sources["target"].data
    assert len(source["x"]) == POINTS * room
    assert np.isnan(source["x"]).all()
    if len(made.x) != POINTS * room:
        assert glyphs.packed({"target": made}) == [], "they are of the projection before"


def test_the_key_says_size_and_units_and_stays_while_its_arrows_do(glyphs, windy):
    made = arrows_of(windy)
    glyphs.show({"target": made}, on=True)
    (words,) = glyphs._keys["target"].data["text"]
    assert words.endswith(f"{made.key:g} m/s")
    assert all(r.visible for r in glyphs.figure.renderers)
    glyphs.show({}, on=True)
    assert all(r.visible for r in glyphs.figure.renderers)
    glyphs.show({}, on=False)
    assert not any(r.visible for r in glyphs.figure.renderers)
    glyphs.show({"target": None}, on=True)
    assert not any(r.visible for r in glyphs.figure.renderers)

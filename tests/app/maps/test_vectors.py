"""Arrows: where they stand, where they point, how long they are, and when a frame has any."""

import time

import cartopy.crs as ccrs
import numpy as np
import pytest
import shapely

from app.maps import frames
from app.maps.projections import crs_of, globe_on_map, pixel_map, to_lonlat
from app.maps.vectors import (
    KEY_LENGTH,
    LONGEST,
    POINTS,
    SPACING,
    draw_arrows,
    key_arrow,
    key_value,
    lattice,
    stretched,
)
from mlda_core.climate.projections import KEYS
from mlda_core.climate.variables import DEFAULTS


def wind(name):
    return DEFAULTS["tas"].from_dict(
        {**DEFAULTS["tas"].to_dict(), "name": name, "anomaly_units": "m/s", "anomaly_limit": 7.0}
    )


@pytest.fixture(scope="module")
def windy(tiny):
    """The tiny bundle with a wind beside its pressure."""
    made = type(tiny)()
    made.vectors = (("ua", "va"),)
    made.variables = (DEFAULTS["psl"], wind("ua"), wind("va"))
    made.patterns = np.concatenate([made.patterns, made.patterns[:, :1]], axis=1)
    made.mask = np.ones((3, *made.grid.shape), dtype=bool)
    made.climatology = lambda month: np.full((3, *made.grid.shape), 1.0 + month, np.float32)
    return made


def made(places, u, v, grid, limit=7.0):
    east, north = (np.full(grid.shape, part, dtype=np.float32) for part in (u, v))
    return draw_arrows(east, north, places, limit)


def ends(arrows):
    """Return tails and tips, shape (n, 2) each."""
    points = np.stack([arrows.x, arrows.y], axis=1).reshape(-1, POINTS, 2)
    assert np.isnan(points[:, -1]).all()
    return points[:, 0], points[:, 1]


@pytest.mark.parametrize("key", KEYS)
def test_arrows_point_where_cartopy_says(windy, key):
    places = lattice(key, windy.grid, pixel_map(key, windy.grid))
    lon, lat = to_lonlat(key, places.x, places.y)
    for u, v in ((1.0, 0.0), (0.0, 1.0), (-2.0, 1.5)):
        tail, tip = ends(made(places, u, v, windy.grid))
        # Cartopy takes components for degrees: eastward ones are longer away from the equator.
        x, y = crs_of(key).transform_vectors(
            ccrs.PlateCarree(), lon, lat, u / np.cos(np.radians(lat)), np.full(lat.shape, v)
        )
        turned = np.angle(((tip - tail) @ [1, 1j]) / (x + 1j * y))
        assert np.abs(np.degrees(turned)).max() < 0.1


@pytest.mark.parametrize("key", KEYS)
def test_arrows_fill_the_globe_evenly(windy, key):
    places = lattice(key, windy.grid, pixel_map(key, windy.grid))
    globe = globe_on_map(key)
    cell = SPACING * SPACING * np.sqrt(3) / 2
    assert len(places.x) == pytest.approx(globe.area / cell, rel=0.2)
    assert shapely.contains_xy(globe, places.x, places.y).all()
    gaps = np.hypot(*(c[:, None] - c[None] for c in (places.x, places.y)))
    np.fill_diagonal(gaps, 9.0)
    assert gaps.min() > 0.9 * SPACING


def test_an_arrow_is_as_long_as_its_wind_and_the_key_says_by_which_scale(windy):
    places = lattice("robinson", windy.grid, pixel_map("robinson", windy.grid))
    for speed in (2.5, 5.0, 10.0):
        arrows = made(places, 0.6 * speed, 0.8 * speed, windy.grid)
        tail, tip = ends(arrows)
        assert arrows.key == 5.0
        np.testing.assert_allclose(np.hypot(*(tip - tail).T), KEY_LENGTH * speed / 5.0, rtol=1e-3)
        middle = (tip + tail) / 2
        np.testing.assert_allclose(middle, np.stack([places.x, places.y], axis=1), atol=1e-5)
    tail, tip = ends(made(places, 100.0, 0.0, windy.grid))
    np.testing.assert_allclose(np.hypot(*(tip - tail).T), LONGEST, rtol=1e-3)
    x, _ = key_arrow(-1.0, 0.5)
    assert (x[0], x[1]) == pytest.approx((-1.0, -1.0 + KEY_LENGTH))


def test_calm_and_missing_places_have_no_arrow(windy):
    places = lattice("robinson", windy.grid, pixel_map("robinson", windy.grid))
    assert np.isnan(made(places, 0.1, 0.1, windy.grid).x).all()
    assert np.isnan(made(places, 0.0, 0.0, windy.grid).x).all()
    half = np.full(windy.grid.shape, 5.0, dtype=np.float32)
    half[windy.grid.lat > 0] = np.nan
    tail, _ = ends(draw_arrows(half, half, places, 7.0))
    drawn = np.isfinite(tail[:, 0])
    assert 0.3 < drawn.mean() < 0.6
    assert places.y[drawn].max() < 0.01


@pytest.mark.parametrize(
    ("limit", "key"), [(7.0, 5.0), (3.5, 2.0), (1.4, 1.0), (0.7, 0.5), (20.0, 10.0), (0.0, 1.0)]
)
def test_the_key_is_a_round_number_below_the_colours_end(limit, key):
    assert key_value(limit) == key


def test_stretched_colours_end_sooner_and_nothing_else_changes():
    (psl,) = stretched((DEFAULTS["psl"],), 5)
    assert psl.anomaly_limit == pytest.approx(12.0 / 5)
    assert psl.field_limits == DEFAULTS["psl"].field_limits
    assert stretched((DEFAULTS["psl"],), 1) == (DEFAULTS["psl"],)


# In a frame


def request(bundle, month="1997-12", *, arrows=True, **how):
    z = np.asarray(bundle.code(month), dtype=np.float32)
    return frames.Request(month, z, "robinson", full=False, arrows=arrows, **how)


def test_a_frame_has_arrows_of_both_columns_where_they_are_asked_for(windy):
    frame = frames.draw(windy, request(windy))
    assert set(frame.arrows) == {"target", "model"}
    assert frame.arrows["model"].key == 5.0
    assert np.isfinite(frame.arrows["model"].x).any()
    assert frames.draw(windy, request(windy, arrows=False)).arrows == {}


def test_a_slider_changes_the_models_arrows_alone(windy):
    first = frames.draw(windy, request(windy))
    other = request(windy)
    moved = frames.Request(other.month, other.z + 1, "robinson", full=False, arrows=True)
    frame = frames.draw(windy, moved, first)
    assert set(frame.arrows) == {"model"}
    assert not np.array_equal(frame.arrows["model"].x, first.arrows["model"].x, equal_nan=True)


def test_arrows_come_back_when_they_are_switched_on(windy):
    asked = request(windy, arrows=False)
    first = frames.draw(windy, asked)
    on = frames.Request(asked.month, asked.z, "robinson", full=False, arrows=True)
    assert set(frames.draw(windy, on, first).arrows) == {"target", "model"}


def test_a_spread_has_no_direction(windy):
    spread = frames.Column("spread", np.ones((3, *windy.grid.shape), np.float32))
    frame = frames.draw(windy, request(windy, column=spread))
    assert frame.arrows["model"] is None
    assert frame.arrows["target"] is not None


def test_arrows_are_of_what_the_column_shows(windy):
    fields = np.zeros((3, *windy.grid.shape), np.float32)
    fields[1] = 2.0
    frame = frames.draw(windy, request(windy, column=frames.Column("influence", fields)))
    assert frame.arrows["model"].key == 2.0  # its colours end at half
    tail, tip = ends(frame.arrows["model"])
    np.testing.assert_allclose(np.hypot(*(tip - tail).T), KEY_LENGTH, rtol=1e-3)


def test_stretched_five_times_the_same_wind_has_arrows_five_times_as_long(windy):
    fields = np.zeros((3, *windy.grid.shape), np.float32)
    fields[1] = 0.5
    column = frames.Column("increment", fields)
    usual, five = (frames.draw(windy, request(windy, column=column, scale=n)) for n in (1, 5))
    assert (usual.arrows["model"].key, five.arrows["model"].key) == (5.0, 1.0)
    long, short = (np.subtract(*ends(f.arrows["model"])[::-1])[:, 0] for f in (five, usual))
    assert np.isnan(short).all()  # a tenth of the key: a dot
    assert np.nanmax(np.abs(long)) == pytest.approx(KEY_LENGTH / 2, rel=1e-3)
    # The target keeps its colours, by which months compare.
    images = [f.panes["psl", "target"].image for f in (usual, five)]
    assert np.array_equal(*images)
    before = frames.draw(windy, request(windy, column=column))
    after = frames.draw(windy, request(windy, column=column, scale=5), before)
    assert {kind for _, kind in after.panes} == {"model"}


def test_arrows_cost_little_of_a_frame(windy):
    places = lattice("robinson", windy.grid, pixel_map("robinson", windy.grid))
    fields = np.random.default_rng(0).normal(size=(2, *windy.grid.shape)).astype(np.float32)
    spent = []
    for _ in range(20):
        # Of this thread alone: a busy machine does not count.
        begin = time.thread_time()
        draw_arrows(fields[0], fields[1], places, 7.0)
        spent.append(time.thread_time() - begin)
    # 0.1 ms when this was measured, of a frame's 30.
    assert min(spent) < 2e-3

"""The shipped coastlines, and the cutting that made them."""

import importlib.util

import numpy as np
import pytest

COASTLINES = ("coastline_110m", "coastline_50m")


@pytest.fixture(scope="module")
def tool(repo_root):
    spec = importlib.util.spec_from_file_location(
        "make_coastlines", repo_root / "tools" / "make_coastlines.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def load(repo_root):
    def _load(name):
        with np.load(
            repo_root / "mlda_core" / "assets" / "coastlines" / f"{name}.npz", allow_pickle=False
        ) as file:
            return {key: file[key] for key in file.files}

    return _load


def pieces_of(data):
    points = np.column_stack([data["lon"], data["lat"]])
    gaps = np.flatnonzero(np.isnan(points[:, 0]))
    return [p[~np.isnan(p[:, 0])] for p in np.split(points, gaps)]


@pytest.mark.parametrize("name", [*COASTLINES, "land_110m"])
def test_arrays_are_float32_degrees_with_shared_gaps(load, name):
    data = load(name)
    lon, lat = data["lon"], data["lat"]
    assert lon.dtype == lat.dtype == np.float32
    assert np.array_equal(np.isnan(lon), np.isnan(lat))
    assert np.nanmin(lon) >= -180
    assert np.nanmax(lon) <= 180
    assert np.nanmin(lat) >= -90
    assert 83 < np.nanmax(lat) < 84, "Greenland's northern cape"
    assert all(len(piece) > 1 for piece in pieces_of(data))


@pytest.mark.parametrize("name", COASTLINES)
def test_each_piece_of_coast_keeps_to_one_hemisphere(load, name):
    for piece in pieces_of(load(name)):
        assert piece[:, 0].min() >= 0 or piece[:, 0].max() <= 0


@pytest.mark.parametrize("name", COASTLINES)
@pytest.mark.parametrize("centre", [0, 180])
def test_no_stroke_crosses_the_map(load, name, centre):
    for piece in pieces_of(load(name)):
        lon = piece[:, 0].astype(float)
        if centre == 180 and lon.mean() < 0:
            lon += 360
        assert np.abs(np.diff(lon)).max() < 10
        assert lon.min() >= centre - 180
        assert lon.max() <= centre + 180


@pytest.mark.parametrize("name", COASTLINES)
def test_coasts_pass_through_known_places(load, name):
    data = load(name)
    places = {"Cape Agulhas": (20.0, -34.8), "Ushant": (-4.8, 48.4), "Cape Reinga": (172.7, -34.4)}
    for place, (lon, lat) in places.items():
        distance = np.hypot((data["lon"] - lon) * np.cos(np.radians(lat)), data["lat"] - lat)
        assert np.nanmin(distance) < 1.0, place


def test_coastline_is_not_drawn_down_the_dateline(load):
    for name in COASTLINES:
        for piece in pieces_of(load(name)):
            on_the_line = np.abs(piece[:, 0]) == 180
            assert not np.any(on_the_line[1:] & on_the_line[:-1] & (np.diff(piece[:, 1]) != 0))


def test_land_covers_the_share_of_the_earth_that_land_covers(load):
    # Area of each ring on the sphere by Green's theorem, holes taken off: 29.2 % of the Earth.
    data = load("land_110m")
    pieces = pieces_of(data)
    assert len(pieces) == data["hole"].size
    assert data["hole"].sum() == 1, "the Caspian Sea"
    share = 0.0
    for piece, hole in zip(pieces, data["hole"], strict=True):
        lon, lat = np.radians(piece.astype(float)).T
        middle = 0.5 * (np.sin(lat[1:]) + np.sin(lat[:-1]))
        area = abs(np.sum(np.diff(lon) * middle)) / (4 * np.pi)
        share += -area if hole else area
    assert share == pytest.approx(0.292, abs=0.005)


def test_cut_at_the_dateline_interpolates_the_latitude(tool):
    east, west = tool.cut(np.array([[170.0, 0.0], [178.0, 10.0], [-176.0, 40.0]]))
    np.testing.assert_allclose(east, [[170, 0], [178, 10], [180, 20]])
    np.testing.assert_allclose(west, [[-180, 20], [-176, 40]])


def test_cut_at_greenwich_interpolates_the_latitude(tool):
    west, east = tool.cut(np.array([[-1.0, 0.0], [3.0, 8.0]]))
    np.testing.assert_allclose(west, [[-1, 0], [0, 2]])
    np.testing.assert_allclose(east, [[0, 2], [3, 8]])


def test_cut_at_a_point_on_greenwich_itself(tool):
    west, east = tool.cut(np.array([[-1.0, 0.0], [0.0, 5.0], [1.0, 6.0]]))
    np.testing.assert_allclose(west, [[-1, 0], [0, 5]])
    np.testing.assert_allclose(east, [[0, 5], [1, 6]])


def test_cut_drops_a_stroke_along_the_dateline(tool):
    above, below = tool.cut(np.array([[179.0, 1.0], [180.0, 2.0], [180.0, 60.0], [179.0, 61.0]]))
    np.testing.assert_allclose(above, [[179, 1], [180, 2]])
    np.testing.assert_allclose(below, [[180, 60], [179, 61]])


def test_cut_leaves_a_line_of_one_hemisphere_whole(tool):
    line = np.array([[10.0, 0.0], [20.0, 5.0], [30.0, -5.0]])
    (piece,) = tool.cut(line)
    np.testing.assert_array_equal(piece, line)

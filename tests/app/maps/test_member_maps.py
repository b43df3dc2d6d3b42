"""All members in one picture."""

import numpy as np
import pytest

from app.maps.color_scales import MISSING, OUTSIDE, quantise
from app.maps.member_maps import coasts, contours, member_at, stamps
from app.maps.projections import projection, to_map


@pytest.fixture(scope="module")
def members(tiny):
    rng = np.random.default_rng(0)
    fields = rng.normal(size=(23, *tiny.grid.shape)).astype(np.float32)
    fields[:, 3, 4] = np.nan
    return fields


def test_each_stamp_is_its_member(tiny, members):
    flat = np.ones((23, *tiny.grid.shape), np.float32) * np.linspace(-1, 1, 23)[:, None, None]
    image = stamps(flat, tiny.grid, "platecarree", 2.0, 10)
    height, width = image.shape[0] // 3, image.shape[1] // 10
    for i in range(30):
        y, x = (2 - i // 10) * height, (i % 10) * width
        part = image[y : y + height, x : x + width]
        seen = set(np.unique(part)) - {OUTSIDE}
        if i >= 23:
            assert seen == set()
            continue
        assert seen == {int(quantise(flat[i, :1, :1].copy(), -2.0, 2.0)[0, 0])}
    gaps = stamps(members, tiny.grid, "robinson", 1.0, 10)
    assert (gaps == MISSING).any()


def test_a_click_finds_the_stamp():
    assert member_at(0.5, 0.5, 23, 10) == 0
    assert member_at(2.9, 2.1, 23, 10) == 22
    assert member_at(3.1, 2.1, 23, 10) is None
    assert member_at(-0.1, 0.5, 23, 10) is None
    assert member_at(10.1, 0.5, 23, 10) is None


def test_the_contour_of_a_latitude_is_its_parallel(tiny):
    field = np.repeat(tiny.grid.lat[:, None], tiny.grid.lon.size, axis=1)
    lines = contours(field, tiny.grid, 30.0, "platecarree")
    _, y = to_map("platecarree", np.array([10.0]), np.array([30.0]))
    xs = np.concatenate([x for x, _ in lines])
    ys = np.concatenate([y for _, y in lines])
    assert ys == pytest.approx(np.full(ys.size, y[0]), abs=1e-6)
    # All round, the seam included.
    assert np.ptp(xs) > 3.7
    assert contours(field, tiny.grid, 200.0, "robinson") == []


def test_a_contour_ends_where_values_are_missing(tiny, members):
    field = members[0].copy()
    field[:, 10:] = np.nan
    lines = contours(field, tiny.grid, 0.0, "platecarree")
    assert lines
    x, _ = to_map("platecarree", tiny.grid.lon[[0, 9]], np.zeros(2))
    assert max(max(line[0]) for line in lines) <= max(x) + 1e-6 or min(x) > max(x)


def test_coasts_of_all_stamps_lie_within_them():
    x, y = coasts("robinson", 23, 10)
    assert (x.dtype, y.dtype) == (np.float32, np.float32)
    parts = np.split(np.arange(x.size), np.arange(1, 23) * (x.size // 23))
    for i, part in enumerate(parts):
        left, up = i % 10, 2 - i // 10
        assert np.nanmin(x[part]) >= left
        assert np.nanmax(x[part]) <= left + 1
        assert np.nanmin(y[part]) >= up
        assert np.nanmax(y[part]) <= up + 1
        # One coast, again and again.
        np.testing.assert_allclose(x[part] - left, x[parts[0]], atol=1e-5)
    # Fewer points than the large map has, and no line from one part to another.
    assert x.size / 23 < 0.5 * len(projection("robinson").coast[0])
    steps = np.hypot(np.diff(x), np.diff(y))
    assert np.nanmax(steps) < 0.15

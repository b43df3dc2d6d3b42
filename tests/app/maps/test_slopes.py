"""Slopes of the model's maps: what the browser draws with while a slider is dragged."""

from dataclasses import replace

import numpy as np
import pytest

from app.maps.color_scales import LEVELS
from app.maps.frames import Column, ColumnContent, Request, draw
from app.maps.slopes import REACH, picture_of, slope_of


@pytest.fixture
def request_of(tiny):
    def make(**changes):
        z = np.full(tiny.n_latent, 0.2, np.float32)
        return Request(
            **({"month": "1997-12", "z": z, "projection": "robinson", "full": False} | changes)
        )

    return make


@pytest.mark.parametrize(
    "changes",
    [{}, {"full": True}, {"scale": 2}, {"projection": "north"}, {"column": Column("difference")}],
)
def test_a_frame_and_its_slope_make_the_next_frame(tiny, request_of, changes):
    now = request_of(**changes)
    slope = slope_of(tiny, now, 1)
    z = now.z.copy()
    z[1] += 0.75
    first = draw(tiny, now)
    later = draw(tiny, replace(now, z=z), first)
    moved = 0
    for i, variable in enumerate(tiny.variables):
        before, after = (
            f.panes[variable.name, "model"].image.astype(float) for f in (first, later)
        )
        # What is missing, off the globe or off the scale stays as it is.
        free = (before > 1) & (before < LEVELS) & (after > 1) & (after < LEVELS)
        drawn = np.rint(before + 0.75 * slope.scales[i] * slope.rates[i])
        # The model of this test is linear: what is off is what two roundings make.
        assert np.abs(drawn - after)[free].max() <= 2
        moved = max(moved, np.abs(after - before)[free].max())
        assert not slope.rates[i][before == 0].any()
    assert moved > 2


def test_a_slope_holds_near_and_for_its_own_latent_alone(tiny, request_of):
    slope = slope_of(tiny, request_of(), 2)
    z = slope.z.copy()
    z[2] += REACH / 2
    assert slope.near(z)
    z[2] += REACH
    assert not slope.near(z)
    other = slope.z.copy()
    other[0] += 0.1
    assert not slope.near(other)


def test_what_a_slider_does_not_move_has_no_slope(tiny, request_of):
    fields = tiny.target("1997-12")
    assert picture_of(request_of()) is not None
    assert picture_of(request_of(column=Column("difference"))) is not None
    for changes in (
        {"analysis": fields},
        {"column": Column("spread", fields)},
        {"scene": ColumnContent(fields, fields, ("a", "b"))},
    ):
        assert picture_of(request_of(**changes)) is None

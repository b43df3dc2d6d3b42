"""How responses look: scales, fading, outlines on maps."""

import numpy as np

from app.maps import frames
from app.maps.color_scales import (
    HALF,
    LEVELS,
    MISSING,
    OUTSIDE,
    Look,
    atlas_look,
    colours,
    halves,
    response_look,
    round_end,
    sensitivity_look,
)
from app.maps.frames import Column, ColumnContent, Request, draw
from app.maps.projections import pixel_map
from mlda_core.climate.variables import DEFAULTS

VARIABLES = tuple(DEFAULTS[name] for name in ("psl", "tos", "tas", "pr"))


def test_a_response_has_round_ends_and_half_of_them_per_kelvin():
    whole = response_look(VARIABLES, per_kelvin=False, faded=True)
    each = response_look(VARIABLES, per_kelvin=True, faded=True)
    assert whole.limits == (3.0, 2.0, 2.0, 6.0)
    assert each.limits == (1.5, 1.0, 1.0, 3.0)
    assert whole.units == ("hPa", "K", "K", "mm/day")
    assert each.units[0] == "hPa per K"


def test_small_values_are_faded_and_zero_is_in_the_middle(tiny):
    pixels = pixel_map("platecarree", tiny.grid)
    field = np.zeros(tiny.grid.shape)
    field[7, 15], field[7, 20], field[0] = 0.5, -3.0, np.nan
    look = Look((1.0,), ("K",), "response", faded=True)
    image = look.draw(0, field, np.full(field.shape, 0.4), pixels)
    assert image.dtype == np.uint8
    index = pixels.index
    strong = image[index == 7 * 30 + 20]
    assert strong.min() == 1
    # Zero, and small: the middle of the faded half.
    assert set(image[index == 3 * 30 + 3].tolist()) == {HALF + HALF // 2 + 1}
    assert set(image[index == 3].tolist()) == {MISSING}
    plain = look.draw(0, field, None, pixels)
    assert plain[(plain != OUTSIDE)].max() <= HALF
    assert 2 * HALF == LEVELS


def test_faded_colours_are_nearer_to_that_of_zero():
    colours = tuple(f"#{2 * i:02x}0000" for i in range(HALF))
    both = halves(colours)
    assert both[:HALF] == colours
    reds = [int(c[1:3], 16) for c in both]
    middle = reds[HALF // 2]
    assert reds[HALF + HALF // 2] == middle
    assert abs(reds[HALF] - middle) < 0.4 * abs(reds[0] - middle)
    assert abs(reds[-1] - middle) < 0.4 * abs(reds[HALF - 1] - middle)


def test_a_sensitivity_is_on_the_row_of_the_sea_alone():
    field = np.array([[0.0, 0.02], [-0.018, np.nan]])
    look = sensitivity_look(VARIABLES, field, "hPa")
    assert look.limits == (None, 0.02, None, None)
    assert look.units[1] == "hPa per K"
    column = Column("sensitivity", None, look=look)
    assert [column.plain(i) for i in range(4)] == [True, False, True, True]


def test_an_atlas_ends_where_most_of_its_area_does():
    """A value of a small cell, or of one in a hundred, stretches no scale."""
    areas = np.ones((10, 20))
    areas[0] = 1e-3
    fields = np.full((4, 10, 20), 0.9)
    fields[0, 0] = 70.0
    fields[1, 5, 3] = -70.0
    fields[2, :, :3] = -7.0
    fields[3] = np.nan
    look = atlas_look(VARIABLES, fields, areas)
    assert look.limits == (round_end(0.9), round_end(0.9), round_end(7.0), 1.0)
    assert round_end(0.9) < round_end(7.0) < round_end(70.0)
    assert look.units[0] == "hPa per K"


def test_a_scene_stands_in_both_columns_and_only_what_changed_is_drawn(tiny):
    first, change = tiny.target("1997-12"), tiny.target("1998-01")
    z = np.zeros(tiny.n_latent, dtype=np.float32)
    look = response_look(tiny.variables, per_kelvin=False, faded=False)
    right = Column("response", change, look=look)

    def request(scene):
        return Request(
            "1997-12", z, "robinson", False,
            analysis=scene.second, column=scene.right, scene=scene,
        )  # fmt: skip

    plain = draw(tiny, Request("1997-12", z, "robinson", False))
    readings = ((("globe", "1", "hPa"),), (("globe", "1", "K"),))
    scene = ColumnContent(first, first + change, ("a", "b"), readings=readings)
    one = draw(tiny, request(scene), plain)
    assert len(one.panes) == 6
    assert one.panes["psl", "scatter"].readings == readings[0]
    target = one.panes["psl", "target"].cells.reshape(tiny.grid.shape)
    assert np.array_equal(target, first[0])
    # Another amount: the first column stays.
    more = ColumnContent(first, first + 2 * change, ("a", "b"), readings=readings)
    two = draw(tiny, request(more), one)
    assert {kind for _, kind in two.panes} == {"model", "scatter"}
    # The response alone: only how the second column is drawn.
    alone = ColumnContent(first, more.second, ("a", "b"), readings=readings, right=right)
    three = draw(tiny, request(alone), two)
    assert {kind for _, kind in three.panes} == {"model"}
    shown = three.panes["psl", "model"].cells.reshape(tiny.grid.shape)
    assert np.array_equal(shown, change[0])
    # And back, as it was.
    back = draw(tiny, Request("1997-12", z, "robinson", False), three)
    assert set(back.panes) == set(plain.panes)
    for pane, drawn in back.panes.items():
        assert np.array_equal(drawn.image, plain.panes[pane].image)


def test_a_scatter_of_responses_has_their_own_limits(tiny):
    change = tiny.target("1998-01") / 10
    look = response_look(tiny.variables, per_kelvin=False, faded=False)
    shown = Column("response", change, look=look)
    scene = ColumnContent(
        change, change, ("GCM", "ours"), left=shown, right=shown, spans=(3.0, 2.0)
    )
    z = np.zeros(tiny.n_latent, dtype=np.float32)
    request = Request(
        "1997-12", z, "robinson", False, analysis=scene.second, column=scene.right, scene=scene
    )
    image = draw(tiny, request).panes["psl", "scatter"].image
    rows, columns = np.nonzero(image)
    assert np.array_equal(rows, columns)
    assert np.ptp(rows) > frames.SCATTER / 5


def test_diverging_colours_are_neutral_in_the_middle():
    for variable in DEFAULTS.values():
        middle = colours(variable.anomaly_cmap)[127]
        rgb = [int(middle[i : i + 2], 16) for i in (1, 3, 5)]
        assert min(rgb) > 235

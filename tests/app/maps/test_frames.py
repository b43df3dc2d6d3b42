"""Frames: what is drawn, and that only what changed is."""

import numpy as np
import pytest

from app.maps import color_scales, frames
from app.maps.color_scales import MISSING, OUTSIDE
from app.maps.frames import Request, draw


def request(bundle, **changes):
    made = {
        "month": "1997-12",
        "z": bundle.code("1997-12").astype(np.float32),
        "projection": "platecarree",
        "full": False,
    }
    return Request(**(made | changes))


def kinds(frame):
    return {kind for _, kind in frame.changed}


def test_the_first_frame_has_every_pane(tiny):
    frame = draw(tiny, request(tiny))
    assert len(frame.panes) == 6
    assert set(frame.panes) == frame.changed


def test_a_moved_slider_changes_models_and_scatters_only(tiny):
    first = draw(tiny, request(tiny))
    z = first.request.z.copy()
    z[0] += 1
    frame = draw(tiny, request(tiny, z=z), first)
    assert kinds(frame) == {"model", "scatter"}
    assert len(frame.panes) == 4
    assert any((frame.panes[pane].image != first.panes[pane].image).any() for pane in frame.panes)


def test_nothing_changed_draws_and_decodes_nothing(tiny):
    first = draw(tiny, request(tiny))
    before = tiny.decoded
    frame = draw(tiny, request(tiny), first)
    assert not frame.panes
    assert tiny.decoded == before


def test_another_projection_does_not_decode(tiny):
    first = draw(tiny, request(tiny))
    before = tiny.decoded
    frame = draw(tiny, request(tiny, projection="north"), first)
    assert kinds(frame) == {"target", "model"}
    assert tiny.decoded == before


def test_another_year_of_the_same_season_keeps_the_model(tiny):
    first = draw(tiny, request(tiny))
    frame = draw(tiny, request(tiny, month="1998-12"), first)
    assert kinds(frame) == {"target", "scatter"}


def test_another_season_changes_everything(tiny):
    first = draw(tiny, request(tiny))
    frame = draw(tiny, request(tiny, month="1997-06"), first)
    assert kinds(frame) == {"target", "model", "scatter"}


def test_full_fields_are_climatology_plus_anomaly(tiny):
    frame = draw(tiny, request(tiny, full=True))
    cells = frame.panes["psl", "model"].cells
    expected = frame.model[0] + tiny.climatology(12)[0]
    assert np.allclose(cells, expected.ravel(), equal_nan=True)


def test_scores_are_of_anomalies_in_both_views(tiny):
    scores = [
        draw(tiny, request(tiny, full=full)).panes["psl", "scatter"].scores
        for full in (True, False)
    ]
    assert scores[0] == scores[1]


def test_land_is_missing_in_the_sea_and_only_there(tiny):
    frame = draw(tiny, request(tiny))
    sea = frame.panes["tos", "model"]
    assert (sea.image == MISSING).mean() == pytest.approx(4 / 30, abs=0.01)
    assert np.isnan(sea.cells).sum() == (~tiny.mask[1]).sum()
    assert not (frame.panes["psl", "model"].image == MISSING).any()


def test_what_is_off_the_globe_is_marked(tiny):
    image = draw(tiny, request(tiny, projection="robinson")).panes["psl", "model"].image
    assert image[0, 0] == OUTSIDE
    assert image[100, 200] != OUTSIDE


def test_nino_is_the_mean_sea_anomaly_of_the_region(tiny):
    frame = draw(tiny, request(tiny))
    target, model = frame.nino
    assert np.isfinite([target, model]).all()
    zero = draw(tiny, request(tiny, z=np.zeros(6, dtype=np.float32)))
    assert zero.nino == pytest.approx((target, 0.0))


def test_a_bundle_without_a_sea_has_no_nino(tiny):
    class Dry:
        grid = tiny.grid
        variables = tiny.variables[:1]

    assert frames.nino34(Dry(), np.zeros((1, *tiny.grid.shape))) is None


def test_colours_are_symmetric_and_clipped():
    levels = color_scales.quantise(np.array([-9.0, -1.0, 0.0, 1.0, 9.0, np.nan], dtype="f4"), -1, 1)
    assert levels[0] == levels[1] == 1
    assert levels[3] == levels[4] == color_scales.LEVELS
    assert levels[2] == 128
    assert levels[5] == MISSING


def test_the_scatter_is_weighted_by_area_and_ignores_the_missing():
    x = np.array([[0.5, np.nan], [-0.5, 0.1]])
    y = np.array([[0.5, 0.2], [-0.5, np.nan]])
    weights = np.array([[0.004, 0.3], [0.001, 0.2]])
    image = frames.draw_scatter(x, y, weights, -1, 1)
    filled = np.argwhere(image)
    assert len(filled) == 2
    small, large = (image[tuple(place)] for place in filled)
    assert large > small


def test_the_perfect_model_lies_on_the_diagonal(tiny):
    field = tiny.target("1997-12")[0]
    image = frames.draw_scatter(field, field, tiny.grid.weights, -20, 20)
    assert (np.argwhere(image)[:, 0] == np.argwhere(image)[:, 1]).all()


def test_cells_beyond_the_scatters_edge_are_drawn_at_it():
    inside = frames.draw_scatter(np.array([0.5]), np.array([0.999]), np.array([1.0]), -1.0, 1.0)
    beyond = frames.draw_scatter(np.array([0.5]), np.array([7.0]), np.array([1.0]), -1.0, 1.0)
    assert beyond.max() > 0
    assert np.array_equal(inside, beyond)
    missing = frames.draw_scatter(np.array([0.5]), np.array([np.nan]), np.array([1.0]), -1.0, 1.0)
    assert missing.max() == 0


def test_an_analysis_is_shown_in_place_of_what_z_decodes_to(tiny):
    first = draw(tiny, request(tiny))
    decoded = tiny.decoded
    analysis = tiny.target("1997-12")
    frame = draw(tiny, request(tiny, analysis=analysis), first)
    assert kinds(frame) == {"model", "scatter"}
    assert tiny.decoded == decoded
    assert frame.panes["psl", "scatter"].scores.explained_variance == pytest.approx(1.0)
    again = draw(tiny, request(tiny, analysis=analysis), frame)
    assert not again.panes
    back = draw(tiny, request(tiny), again)
    assert np.array_equal(back.model, first.model, equal_nan=True)


def test_the_model_column_shows_the_difference_and_the_scatter_stays(tiny):
    first = draw(tiny, request(tiny))
    frame = draw(tiny, request(tiny, column=frames.Column("difference")), first)
    assert kinds(frame) == {"model"}
    expected = first.model[0] - tiny.target("1997-12")[0]
    assert np.allclose(frame.panes["psl", "model"].cells, expected.ravel())


def test_another_year_changes_a_difference(tiny):
    shown = frames.Column("difference")
    first = draw(tiny, request(tiny, column=shown))
    frame = draw(tiny, request(tiny, month="1998-12", column=shown), first)
    assert kinds(frame) == {"target", "model", "scatter"}


def test_a_column_without_fields_is_empty_and_the_globe_is_still_there(tiny):
    pane = draw(tiny, request(tiny, column=frames.Column("influence"))).panes["psl", "model"]
    assert set(np.unique(pane.image)) <= {MISSING, OUTSIDE}
    assert np.isnan(pane.cells).all()


def test_full_fields_leave_an_increment_an_increment(tiny):
    fields = np.full_like(tiny.target("1997-12"), 0.5)
    frame = draw(tiny, request(tiny, full=True, column=frames.Column("increment", fields)))
    assert (frame.panes["psl", "model"].cells == 0.5).all()
    assert (frame.panes["psl", "target"].cells != 0.5).all()


def test_spread_is_hatched_only_where_it_exceeds_its_share(tiny):
    reference = np.ones_like(tiny.target("1997-12"))
    spread = np.where(tiny.grid.lat[:, None] > 0, 0.9, 0.1) * reference
    shown = frames.Column("spread", spread, reference=reference, hatch=0.5)
    image = draw(tiny, request(tiny, column=shown)).panes["psl", "model"].image
    half = len(image) // 2
    assert (image[half + 12 :] == color_scales.HATCH).mean() > 0.1
    assert not (image[: half - 12] == color_scales.HATCH).any()
    none = frames.Column("spread", spread, reference=reference, hatch=0.95)
    assert not (draw(tiny, request(tiny, column=none)).panes["psl", "model"].image == 254).any()

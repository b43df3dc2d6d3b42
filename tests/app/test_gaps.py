"""A bundle without a sea, whose months lack cells and whole variables."""

import numpy as np
import pytest
from visiting import Visit

from app.maps import frames
from app.maps.color_scales import MISSING
from app.maps.legends import gap_words, score_html
from app.maps.projections import (
    REGION,
    choices_of,
    on_map,
    pixel_map,
    projection,
    to_lonlat,
    to_map,
)
from app.results.panel import regions_of
from app.timeline import nino_series
from app.tools.methods import methods_of
from mlda_core.climate.grid import Grid

EARLY, LATE = "1947-02", "1963-02"


@pytest.fixture
def visit(world):
    made = []

    def start(query):
        made.append(Visit(world, query))
        made[-1].settle()
        return made[-1]

    yield start
    for one in made:
        one.session.close()


def test_the_page_shows_what_there_is(visit, world):
    v = visit(f"?month={EARLY}&stations=40")
    assert not v.session.bar.failed, v.status
    assert v.work.analysis.converged
    assert "without a target" in v.panel.counts["words"]
    assert [key for key, *_ in v.panel.kinds] == [
        "none", "all_fields", "stations", "historical", "ship_tracks", "custom",
    ]  # fmt: skip
    assert v.panel.settings["variables"] == ["tasa", "psl"]
    assert "regression" not in [key for key, *_ in v.panel.methods]
    assert [key for key, _ in v.session.tools.tools] == ["explore", "observe", "learn"]
    assert (
        "No large-scale sea-level pressure in February 1947" in v.session.figures.gaps["psl"].text
    )
    assert not v.session.figures.gaps["tasa"].text
    assert "no target" in v.session.figures.scores["psl"].text
    v.send(type="month", value=LATE)
    v.settle()
    assert not v.session.figures.gaps["psl"].text
    assert "RMSE" in v.session.figures.scores["psl"].text
    assert len(v.rows) == 80
    assert np.isfinite(v.session._frame.nino).all()


def test_what_has_no_value_cannot_be_sampled_and_nothing_is_warmed(visit):
    v = visit(f"?month={EARLY}&network=none")
    v.send(type="obs-put", variable="psl", lat="40", lon="10")
    assert "1947-02 that could be sampled" in v.status
    assert not len(v.rows)
    v.send(type="obs-put", variable="tasa", lat="40", lon="10")
    assert len(v.rows) == 1
    v.send(type="tool", value="perturb")
    assert "no sea to warm" in v.status
    assert v.session.state.tool == "observe"


def test_a_network_of_what_is_not_there_says_so(visit):
    v = visit(f"?month={LATE}&network=sst_only")
    assert "no variable 'tos'" in v.status
    assert v.panel.settings["variables"] == []


@pytest.mark.slow
def test_historical_coverage_begins_with_the_month_shown(visit):
    v = visit(f"?month={LATE}&network=none")
    v.send(type="observing", name="kind", value="historical")
    # The record begins after 1900, the year that stands there first.
    assert v.session.state.observations.year == 1900
    for name, value in (("kind", "none"), ("year", 1950), ("kind", "historical")):
        v.send(type="observing", name=name, value=value)
    assert v.session.state.observations.year == 1963


def test_series_and_verification_leave_out_what_is_not_there(visit, world):
    v = visit(f"?month={EARLY}&stations=40")
    v.send(type="foot", value=["scores", "series"])
    v.turn()
    foot = v.session.verification.foot
    assert "psl" not in foot.scores["target"]["vae"]
    assert foot.scores["target"]["vae"]["tasa"]["n"] > 400
    assert any("has no target in 1947-02" in words for words in foot.scores["words"])
    target = dict(zip(foot.series["months"], foot.series["target"]["psl"], strict=True))
    assert target[EARLY] is None
    assert target[LATE] is not None
    series = v.session.verification._scenario()
    # A series that is begun where there is no pressure observes it where there is.
    assert set(series._observe(LATE)["variable"]) == {"tasa", "psl"}
    assert set(series._observe(EARLY)["variable"]) == {"tasa"}
    assert "regression" not in [key for key, *_ in foot.methods]
    assert methods_of(world)


def test_nino_is_taken_from_what_is_observed_as_temperature(world):
    series = nino_series(world)
    assert len(series) == len(world.months)
    assert all(value is not None for value in series)

    class Lacking:
        variables, grid, months = world.variables, world.grid, world.months[:24]

        def target(self, month):
            return world.target(month) + (np.nan if month[:4] == "1945" else 0)

    # A place in the curve for each month, with a value or without.
    assert nino_series(Lacking()) == (*[None] * 12, *series[12:24])


def test_a_frame_of_a_month_without_a_variable_is_blank_there(world):
    z = np.zeros(world.n_latent, dtype=np.float32)
    frame = frames.draw(world, frames.Request(EARLY, z, "robinson", full=False))
    pane, scatter = frame.panes["psl", "target"], frame.panes["psl", "scatter"]
    inside = pixel_map("robinson", world.grid).inside
    assert (pane.image[inside] == MISSING).all()
    assert not scatter.image.any()
    variable = world.variables[1]
    assert gap_words(variable, frame.request, pane)
    assert not gap_words(variable, frame.request, frame.panes["psl", "model"])
    assert "no target" in score_html(scatter, variable, full=False)
    # What is still being made is awaited, and no target lacks.
    assert "no target" not in score_html(scatter, variable, full=False, awaited=True)


REGIONAL = Grid(np.arange(37.5, 61, 2.5), np.arange(345.0, 376, 2.5))


def test_a_region_has_a_map_of_its_own_first():
    first, *others = choices_of(REGIONAL)
    assert first.key.startswith(REGION)
    keys = ["robinson", "atlantic", "platecarree", "north", "south"]
    assert [choice.key for choice in others] == keys
    pixels = pixel_map(first.key, REGIONAL)
    # Nearly as large as a window of 2:1 lets it be.
    assert pixels.inside.any(axis=1).mean() > 0.9
    lon, lat = np.array([350.0, 2.0, 14.0]), np.array([40.0, 50.0, 58.0])
    x, y = to_map(first.key, lon, lat)
    assert (np.abs(x) < 2).all()
    assert (np.abs(y) < 1).all()
    back = to_lonlat(first.key, x, y)
    assert back[0] == pytest.approx(lon, abs=1e-6)
    assert back[1] == pytest.approx(lat, abs=1e-6)
    assert on_map(first.key, 1.9, 0.9)
    coast = projection(first.key).coast[0]
    assert np.nanmax(np.abs(coast)) <= 2 + 1e-9
    assert np.isfinite(coast).sum() > 500


def test_equal_areas_look_equal_on_a_regions_map():
    pixels = pixel_map(choices_of(REGIONAL)[0].key, REGIONAL)
    index = pixels.index[pixels.inside]
    count = np.bincount(index, minlength=REGIONAL.weights.size).reshape(REGIONAL.shape)
    share = count[1:-1, 1:-1] / REGIONAL.weights[1:-1, 1:-1]
    assert share.std() / share.mean() < 0.1


def test_a_hemisphere_or_a_belt_is_shown_on_the_globe():
    belt = Grid(np.arange(-28.0, 29, 4), np.arange(0.0, 360, 4))
    assert choices_of(belt)[0].key == "robinson"


def test_only_regions_with_cells_are_offered(world):
    assert [key for key, _ in regions_of(world)][:2] == ["globe", "tropics"]

    class Europe:
        grid = REGIONAL
        mask = np.ones((1, *REGIONAL.shape), bool)

    assert regions_of(Europe()) == [
        ["globe", "Everywhere"],
        ["north_atlantic", "North Atlantic (20°N–65°N, 80°W–0°)"],
    ]

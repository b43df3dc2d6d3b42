"""The tool Perturb without a browser: gestures in, responses out, with the bundled model itself."""

import time

import numpy as np
import pytest
from visiting import PERTURB

from app.maps import color_scales
from app.maps.projections import to_map
from app.tools.perturb import gcm_of
from mlda_core.climate.regions import REGIONS
from mlda_core.page_state.perturbations import FIRST
from mlda_core.page_state.responses import responder_of
from mlda_core.perturbation.sst_patches import Patch


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


def cells(visit, name, kind):
    """Return what a map shows."""
    shown = visit.session.figures._cells[name].data[kind]
    return np.asarray(shown).reshape(visit.session.bundle.grid.shape)


@pytest.mark.slow
def test_the_first_visit_shows_december_1997_without_its_el_nino(sea_visit, bundle):
    v = sea_visit()
    answer = v.work.answer
    assert answer.question.patches == (FIRST,)
    responder = responder_of(bundle)
    again = responder.respond("1997-12", [FIRST])
    assert np.array_equal(answer.response.anomalies, again.anomalies, equal_nan=True)
    # Left the analysis from all fields, right the same with the response.
    every = responder.all_fields("1997-12")
    for i, variable in enumerate(bundle.variables):
        assert np.array_equal(cells(v, variable.name, "target"), every[i], equal_nan=True)
        assert np.array_equal(
            cells(v, variable.name, "model"), every[i] + again.anomalies[i], equal_nan=True
        )
    assert v.heading.pair[0] == "Analysis from all fields"
    assert "with tapered edges" in v.panel.words["change"]
    assert answer.response.extrapolated_fraction < 0.1
    assert v.panel.words["beyond"] == v.heading.note == ""
    assert "Response of 1997-12" in v.panel.words["outcome"]
    assert "changed" in v.bar.nino
    assert "patch" in v.session.figures.scores["tas"].text


def test_a_change_beyond_all_months_says_so_and_puts_its_numbers_in_brackets(sea_visit):
    v = sea_visit(f"{PERTURB}&sea=nino34:2")
    assert v.work.answer.response.extrapolated_fraction > 0.1
    assert "any November, December or January" in v.panel.words["beyond"]
    assert "extrapolates" in v.heading.note
    assert "<b>(+" in v.session.figures.scores["pr"].text


def test_something_is_there_before_the_response_is(sea_visit, bundle):
    v = sea_visit(wait=False)
    assert v.heading.pair[0] == "Target"
    assert np.array_equal(cells(v, "psl", "target"), bundle.target("1997-12")[0])
    assert not np.isfinite(cells(v, "psl", "model")).any()
    assert v.panel.busy
    assert "Computing" in v.panel.words["outcome"]
    v.settle()
    assert not v.panel.busy


def test_a_visitor_who_goes_to_another_tool_does_not_wait_for_the_response(sea_visit):
    v = sea_visit(wait=False)
    assert v.session.perturb.gestures.busy
    v.send({"type": "tool", "value": "explore"})
    assert v.work.asked is not None
    assert not v.session.perturb.gestures.busy
    v.settle()


@pytest.mark.slow
def test_nothing_changed_is_exactly_nothing(sea_visit):
    v = sea_visit()
    for message in (
        {"type": "sea-edit", "at": 0, "kelvin": 0, "done": True},
        {"type": "sea-edit", "at": 0, "kelvin": 1.0, "enabled": False},
        {"type": "sea-delete", "at": 0},
    ):
        v.send(message)
        v.settle()
        assert not np.nan_to_num(v.work.answer.response.anomalies).any()
        assert np.array_equal(cells(v, "pr", "model"), cells(v, "pr", "target"))
    assert "zero" in v.panel.words["change"]


def drawn(mode, geometry):
    return {"type": "sea-drawn", "mode": mode, "variable": "tos", "geometry": geometry}


def rectangle(key, south, north, west, east):
    x, y = to_map(key, np.array([west, east]), np.array([south, north]))
    names = ("x0", "x1", "y0", "y1")
    return {"type": "rect", **dict(zip(names, [*x.tolist(), *y.tolist()], strict=True))}


@pytest.mark.slow
def test_the_response_alone_faded_and_per_kelvin(sea_visit):
    v = sea_visit()
    v.set("view", "response")
    response, spread = v.work.answer.response, v.work.answer.spread
    assert np.array_equal(cells(v, "psl", "model"), response.anomalies[0])
    assert "+3 hPa" in v.session.figures.keys["psl"].text
    image = v.session.figures._images["psl", "model"].data["image"][0]
    assert (image > color_scales.HALF).any()
    assert (spread[0] > np.abs(response.anomalies[0])).any()
    v.set("fade", False)
    shown = v.session.figures._images["psl", "model"].data["image"][0]
    assert not ((shown > color_scales.HALF) & (shown < 255)).any()
    v.set("per_kelvin", True)
    each = response.anomalies[0] / response.mean_change
    assert cells(v, "psl", "model") == pytest.approx(each, rel=1e-5)
    assert "+1.5 hPa per K" in v.session.figures.keys["psl"].text
    assert "view=response" in v.bar.query


def test_changes_of_both_signs_have_no_kelvin_to_divide_by(sea_visit):
    v = sea_visit(f"{PERTURB}&view=response&per_kelvin=1&sea=nino34:2,5:15:190:240:-2")
    answer = v.work.answer
    if abs(answer.response.mean_change) < 0.2:
        assert "cancel" in v.heading.note
        assert np.array_equal(cells(v, "psl", "model"), answer.response.anomalies[0])


@pytest.mark.slow
def test_what_is_held_is_another_question(sea_visit):
    v = sea_visit()
    free = v.work.answer.response.anomalies
    # Where all but the sea is free the region is nothing to wait for.
    v.send(drawn("within", rectangle("robinson", -20, 20, 150, 280)))
    assert isinstance(v.p.within, tuple)
    assert v.panel.settings["within"] == "box"
    v.set("within", "tropics")
    assert not v.perturb.outlines.region.data["xs"]
    for held in ("sst_and_pressure", "outside"):
        v.set("held", held)
        v.settle()
        assert v.work.answer.response.held == held
        assert np.abs(v.work.answer.response.anomalies[0]).max() < np.abs(free[0]).max()
    assert v.perturb.outlines.region.data["xs"]


@pytest.mark.slow
def test_another_month_is_computed_and_the_old_one_named_until_then(sea_visit):
    # Another December: what takes seconds is made once for all months of a season.
    v = sea_visit()
    old = v.work.answer
    v.send({"type": "month", "value": "1996-12"})
    assert v.session._frame.request.month == "1997-12"
    assert v.heading.note == "still of 1997-12"
    assert v.heading.stale
    # No number of the old month under the heading of the new one.
    assert v.bar.nino.count("…") == 2
    assert "K" not in v.bar.nino
    assert all("…" in said.text for said in v.session.figures.scores.values())
    assert v.heading.pair[0].endswith("1997-12")
    v.settle()
    assert "…" not in v.bar.nino
    assert "globe" in v.session.figures.scores["psl"].text
    assert v.work.answer is not old
    assert v.work.answer.question.month == "1996-12"
    assert "still" not in v.heading.note
    assert not v.heading.stale
    assert v.heading.pair[0] == "Analysis from all fields"
    assert v.session._frame.request.month == "1996-12"


def images(v):
    return {
        pane: source.data["image"][0].copy() for pane, source in v.session.figures._images.items()
    }


@pytest.mark.slow
def test_going_back_to_the_other_tools_restores_them_exactly(sea_visit):
    v = sea_visit("?tool=observe&network=stations&stations=20", wait=False)
    observer = v.session.observe
    end = time.monotonic() + 120
    while observer.analysing.run and time.monotonic() < end:
        v.turn()
    before, z, legend = images(v), v.session.state.z.copy(), v.session.legends["psl"].object
    marked = {name: dict(source.data) for name, source in observer.markers.sources.items()}
    v.send({"type": "tool", "value": "perturb"})
    v.settle()
    assert not len(observer.markers.sources["tas"].data["x"])
    assert v.session.tools.paused == ""
    assert not np.array_equal(images(v)["tas", "model"], before["tas", "model"])
    v.set("view", "gcm" if v.perturb.gcm else "response")
    v.send({"type": "tool", "value": "observe"})
    v.turn(0.3)
    for pane, image in images(v).items():
        assert np.array_equal(image, before[pane]), pane
    assert np.array_equal(v.session.state.z, z)
    assert v.session.legends["psl"].object == legend
    for name, data in marked.items():
        assert np.array_equal(observer.markers.sources[name].data["x"], data["x"])
    assert not v.perturb.outlines.patches.data["xs"]
    v.send({"type": "tool", "value": "explore"})
    assert np.array_equal(images(v)["tas", "model"], before["tas", "model"])


@pytest.mark.slow
def test_sensitivity_at_a_click(sea_visit, bundle):
    v = sea_visit()
    x, y = to_map("robinson", np.array([210.0]), np.array([15.0]))
    v.send({"type": "sea-click", "variable": "pr", "x": float(x[0]), "y": float(y[0])})
    assert v.p.view == "sensitivity"
    assert v.p.over == pytest.approx((5.0, 25.0, 200.0, 220.0), abs=0.2)
    v.settle()
    aim, made, _ = v.work.sensitivity
    assert aim.variable == "pr"
    shown = cells(v, "tos", "model")
    assert np.array_equal(shown, made.smooth.astype(np.float32), equal_nan=True)
    assert "mm/day per K" in v.session.figures.keys["tos"].text
    assert "mm/day per K" in v.session.figures._meta["tos"].data["units"][1]
    assert f"{abs(made.value):.2f}" in v.panel.words["sensitivity"]
    assert v.session.figures._meta["tos"].data["what"] == ["all fields", "sensitivity"]
    # The other rows: the analysis of what is held, and they say so.
    assert v.session.figures._meta["psl"].data["what"] == ["all fields", "held"]
    assert "analysis from the held fields" in v.session.figures.keys["psl"].text
    assert np.array_equal(cells(v, "psl", "model"), v.work.answer.response.control[0])
    # Nothing is to be compared with a sensitivity: its extremes stand there instead.
    assert "RMSE" not in v.session.figures.scores["tos"].text
    assert f"{np.nanmax(made.smooth):+.2f}" in v.session.figures.scores["tos"].text
    assert "held fields: r" in v.session.figures.scores["psl"].text
    v.set("over", "nino34")
    v.settle()
    assert v.work.sensitivity[0].over == "nino34"


@pytest.mark.slow
def test_beside_the_gcm(sea_visit, bundle):
    if not gcm_of(bundle):
        pytest.skip("no responses of the GCM come with this bundle")
    v = sea_visit()
    v.set("gcm", "nino34_plus2")
    found = gcm_of(bundle)["nino34_plus2"]
    tas = [variable.name for variable in bundle.variables].index("tas")
    assert np.array_equal(cells(v, "tas", "target"), found.gcm[tas])
    assert np.array_equal(cells(v, "tas", "model"), found.emulated[tas])
    assert "tropics" in v.session.figures.scores["tas"].text
    assert f"{len(found.months)}" in v.panel.words["gcm"]
    assert "response" in v.session.legends["tas"].object
    # Full fields have no meaning here.
    v.send({"type": "fields", "value": "full"})
    assert np.array_equal(cells(v, "tas", "target"), found.gcm[tas])
    assert v.heading.pair[0] == f"GCM's response, mean of {len(found.months)} months"
    assert "take no part" in v.panel.words["change"]
    # How long the response of a single month took is of something else.
    assert v.panel.words["outcome"] == ""


@pytest.mark.slow
def test_a_link_brings_everything_back(sea_visit):
    v = sea_visit(wait=False)
    v.send({"type": "sea-add", "region": "north_atlantic"})
    v.send({"type": "sea-edit", "at": 1, "kelvin": -1.2, "done": True})
    v.set("view", "response")
    again = sea_visit("?" + v.bar.query, wait=False)
    assert again.p == v.p.replace(selected=0)
    assert again.p.patches[1] == Patch(-1.2, region="north_atlantic")
    assert set(REGIONS) == {key for key, *_ in again.panel.regions}

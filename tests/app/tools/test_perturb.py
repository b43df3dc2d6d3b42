"""The tool Perturb without a browser: gestures in, responses out, with the bundled model itself."""

import contextlib
import queue
import time

import numpy as np
import pytest

from app.jobs.response import responder_of
from app.maps import color_scales
from app.maps.projections import KEYS, to_map
from app.session import Session
from app.state.perturbations import FIRST, PerturbationSettings
from app.tools.perturb import gcm_of
from mlda_core.climate.regions import REGIONS
from mlda_core.perturbation.sst_patches import Patch

PERTURB = "?tool=perturb&network=none&model=code"


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


class Visit:
    """A session whose event loop is this thread."""

    def __init__(self, bundle, query):
        self.loop = queue.Queue()
        self.session = Session(bundle, query, self.loop.put)
        self.perturb = self.session.perturb
        self.work = self.perturb.work
        self.panel, self.heading = self.perturb.panel, self.perturb.heading

    def send(self, *messages):
        self.panel._handle_msg({"seq": self.panel.ack + 1, "batch": list(messages)})

    def set(self, name, value):
        self.send({"type": "sea-set", "name": name, "value": value})

    def turn(self, seconds=0.05):
        """Run what is scheduled within some time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(queue.Empty):
                self.loop.get(timeout=0.02)()

    def settle(self, limit=240):
        end = time.monotonic() + limit
        self.turn()
        while self.work.busy is not None:
            assert time.monotonic() < end, "the response did not come"
            self.turn()
        return self

    @property
    def p(self) -> PerturbationSettings:
        return self.session.state.perturbations

    @property
    def bar(self):
        return self.session.bar


@pytest.fixture
def visit(bundle):
    made = []

    def start(query=PERTURB, *, wait=True):
        made.append(Visit(bundle, query))
        return made[-1].settle() if wait else made[-1]

    yield start
    for one in made:
        one.session.close()


@pytest.fixture(scope="module")
def standing(bundle):
    """A visit that tests share which change nothing: to make one takes half a second."""
    one = Visit(bundle, PERTURB)
    yield one
    one.session.close()


def cells(visit, name, kind):
    """Return what a map shows."""
    shown = visit.session.figures._cells[name].data[kind]
    return np.asarray(shown).reshape(visit.session.bundle.grid.shape)


@pytest.mark.slow
def test_the_first_visit_shows_december_1997_without_its_el_nino(visit, bundle):
    v = visit()
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
    assert v.heading.titles[0] == "Analysis from all fields"
    assert "with tapered edges" in v.panel.words["change"]
    assert answer.response.beyond < 0.1
    assert v.panel.words["beyond"] == v.heading.note == ""
    assert "Response of 1997-12" in v.panel.words["outcome"]
    assert "changed" in v.bar.nino
    assert "patch" in v.session.figures.scores["tas"].text


def test_a_change_beyond_all_months_says_so_and_puts_its_numbers_in_brackets(visit):
    v = visit(f"{PERTURB}&sea=nino34:2")
    assert v.work.answer.response.beyond > 0.1
    assert "any November, December or January" in v.panel.words["beyond"]
    assert "extrapolates" in v.heading.note
    assert "<b>(+" in v.session.figures.scores["pr"].text


def test_something_is_there_before_the_response_is(visit, bundle):
    v = visit(wait=False)
    assert v.heading.titles[0] == "Target"
    assert np.array_equal(cells(v, "psl", "target"), bundle.target("1997-12")[0])
    assert not np.isfinite(cells(v, "psl", "model")).any()
    assert v.panel.busy
    assert "Computing" in v.panel.words["outcome"]
    v.settle()
    assert not v.panel.busy


def test_a_dragged_amount_is_followed_never_queued_and_one_step_of_undo(visit):
    v = visit()
    drawn = []
    write = v.session.figures.write
    v.session.figures.write = lambda frame: (drawn.append(frame), write(frame))
    for kelvin in np.round(np.arange(2.1, 4.05, 0.1), 1):
        v.send({"type": "sea-edit", "at": 0, "kelvin": float(kelvin), "done": False})
        v.turn(0.03)
    v.send({"type": "sea-edit", "at": 0, "kelvin": 4.0, "done": True})
    start = time.monotonic()
    v.settle()
    # What was under way, and the newest: no queue behind them.
    assert time.monotonic() - start < 3 * v.work.answer.seconds + 2
    assert v.work.answer.question.patches[0].kelvin == 4.0
    followed = [frame for frame in drawn if ("tas", "model") in frame.panes]
    assert followed
    # The first column is not drawn again.
    assert not any(("tas", "target") in frame.panes for frame in followed)
    v.send({"type": "undo"})
    assert v.p.patches[0].kelvin == FIRST.kelvin
    v.send({"type": "redo"})
    assert v.p.patches[0].kelvin == 4.0


def test_nothing_changed_is_exactly_nothing(visit):
    v = visit()
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


def test_patches_add_up_and_clear(visit):
    v = visit()
    v.send({"type": "sea-add", "region": "globe"})
    v.settle()
    assert [x["where"] for x in v.panel.patches] == ["Niño 3.4", "Everywhere"]
    change = v.work.answer.response.change
    # No cell of this grid lies so far inside Nino 3.4 that its taper leaves all of it.
    assert -1.0 <= change.min() < -0.5
    assert "sea=nino34:-2,globe:1" in v.bar.query
    v.send({"type": "sea-clear"})
    assert v.p.patches == ()
    v.send({"type": "undo"})
    assert len(v.p.patches) == 2


LAND = {"platecarree": (48.0, 55.0, 85.0, 100.0)}


def drawn(mode, geometry):
    return {"type": "sea-drawn", "mode": mode, "variable": "tos", "geometry": geometry}


def rectangle(key, south, north, west, east):
    x, y = to_map(key, np.array([west, east]), np.array([south, north]))
    names = ("x0", "x1", "y0", "y1")
    return {"type": "rect", **dict(zip(names, [*x.tolist(), *y.tolist()], strict=True))}


def test_a_patch_on_land_is_refused_in_words_and_nothing_changes(visit):
    v = visit(f"{PERTURB}&projection=platecarree")
    before, answer = v.session.state.snapshot(), v.work.answer
    v.send(drawn("box", rectangle("platecarree", *LAND["platecarree"])))
    assert v.bar.failed
    assert "land" in v.bar.status
    assert v.session.state.snapshot() == before
    v.settle()
    assert v.work.answer is answer


@pytest.mark.parametrize("key", KEYS)
def test_a_lasso_goes_round_the_same_sea_in_every_projection(visit, key):
    v = visit(f"{PERTURB}&projection={key}&sea=", wait=False)
    middle = -50.0 if key == "south" else 42.0
    turn = np.linspace(0, 2 * np.pi, 300)
    lat, lon = middle + 9 * np.sin(turn), 200 + 15 * np.cos(turn)
    x, y = to_map(key, lon, lat)
    v.send(drawn("lasso", {"type": "poly", "x": x.tolist(), "y": y.tolist()}))
    assert not v.bar.failed, v.bar.status
    (patch,) = v.p.patches
    vertices = np.array(patch.polygon)
    assert 10 < len(vertices) <= 60
    assert vertices[:, 0].min() == pytest.approx(middle - 9, abs=1)
    assert vertices[:, 0].max() == pytest.approx(middle + 9, abs=1)
    assert vertices[:, 1].min() == pytest.approx(185, abs=1.5)
    assert vertices[:, 1].max() == pytest.approx(215, abs=1.5)
    v.settle()
    assert v.work.answer.response.change.max() == pytest.approx(2.0, abs=0.1)


def test_a_lasso_that_leaves_the_globe_keeps_what_is_on_it(visit):
    v = visit(f"{PERTURB}&sea=", wait=False)
    around = {"type": "poly", "x": [-2.0, -1.2, -1.2, -2.0], "y": [0.95, 0.95, 0.1, 0.1]}
    v.send(drawn("lasso", around))
    # North America and Europe's side of Robinson's edge: sea, or a sentence.
    assert v.bar.failed or len(v.p.patches) == 1
    v.send(drawn("lasso", {"type": "poly", "x": [1.9, 2, 2], "y": [1, 1, 0.95]}))
    assert v.bar.failed
    assert "globe" in v.bar.status


def test_a_box_across_greenwich(visit):
    v = visit(f"{PERTURB}&sea=&projection=north", wait=False)
    x, y = to_map("north", np.array([330.0, 20.0]), np.array([55.0, 65.0]))
    corners = {"x0": x.min(), "x1": x.max(), "y0": y.min(), "y1": y.max()}
    box = {"type": "rect", **{name: float(value) for name, value in corners.items()}}
    v.send(drawn("box", box))
    (patch,) = v.p.patches
    _, _, west, east = patch.box
    assert west > east


def test_a_drawing_means_what_its_own_message_says(visit):
    v = visit(f"{PERTURB}&sea=", wait=False)
    box = rectangle("robinson", 20, 40, 175, 215)
    # The choice that came last is not heard of yet, or is another one's.
    v.send({"type": "sea-mode", "value": "lasso"})
    v.send(drawn("box", box))
    assert len(v.p.patches) == 1
    v.send(drawn("over", box))
    assert len(v.p.patches) == 1
    assert v.p.over == pytest.approx((20, 40, 175, 215), abs=2)
    v.send(drawn("within", box))
    assert v.p.within == pytest.approx((20, 40, 175, 215), abs=2)
    assert len(v.p.patches) == 1


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"type": "sea-add", "region": "atlantis"}, "atlantis"),
        ({"type": "sea-edit", "at": 7, "kelvin": 1}, "gone"),
        ({"type": "sea-edit", "at": 0, "kelvin": "hot"}, "not a number from −5 to 5 K"),
        ({"type": "sea-edit", "at": 0, "kelvin": "−9"}, "−9 K is beyond"),
        (
            {"type": "sea-edit", "at": 0, "kelvin": 50},
            "50 K is beyond the slider's 5 K either way; give −5 to 5",
        ),
        ({"type": "sea-edit", "at": 0, "enabled": "yes"}, "reload"),
        ({"type": "sea-delete", "at": -1}, "gone"),
        ({"type": "sea-mode", "value": "fly"}, "fly"),
        ({"type": "sea-mode", "value": ["box"]}, "box"),
        (drawn("fly", {"type": "rect"}), "fly"),
        (drawn("box", {"type": "poly", "x": [0, 1, 1], "y": [0, 0, 1]}), "no box"),
        (drawn("box", {"type": "rect", "x0": "a", "x1": 1, "y0": 0, "y1": 1}), "place"),
        (drawn("lasso", None), "no lasso"),
        (drawn("lasso", {"type": "poly", "x": [0.0], "y": [0.0]}), "nothing"),
        ({"type": "sea-set", "name": "held", "value": "hands"}, "hands"),
        ({"type": "sea-set", "name": "patches", "value": []}, "patches"),
        ({"type": "sea-set", "name": "variable", "value": "wind"}, "wind"),
        ({"type": "sea-set", "name": "gcm", "value": "plus9"}, ""),
        ({"type": "sea-click", "variable": "tas", "x": 1.99, "y": 0.99}, "off the globe"),
        ({"type": "sea-click", "variable": "wind", "x": 0, "y": 0}, "map"),
        ({"type": "sea-click", "variable": "tas", "x": "a", "y": 0}, "place"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(standing, message, words):
    v = standing
    # What was refused before is gone.
    v.session._say("")
    before = v.session.state.snapshot()
    v.send(message)
    assert v.bar.failed
    assert words in v.bar.status
    assert v.bar.status.endswith(".")
    assert v.session.state.snapshot() == before


@pytest.mark.slow
def test_the_response_alone_faded_and_per_kelvin(visit):
    v = visit()
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


def test_changes_of_both_signs_have_no_kelvin_to_divide_by(visit):
    v = visit(f"{PERTURB}&view=response&per_kelvin=1&sea=nino34:2,5:15:190:240:-2")
    answer = v.work.answer
    if abs(answer.response.mean_change) < 0.2:
        assert "cancel" in v.heading.note
        assert np.array_equal(cells(v, "psl", "model"), answer.response.anomalies[0])


@pytest.mark.slow
def test_what_is_held_is_another_question(visit):
    v = visit()
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
def test_another_month_is_computed_and_the_old_one_named_until_then(visit):
    # Another December: what takes seconds is made once for all months of a season.
    v = visit()
    old = v.work.answer
    v.send({"type": "month", "value": "1996-12"})
    assert v.session._frame.request.month == "1997-12"
    assert v.heading.note == "still of 1997-12"
    assert v.heading.stale
    # No number of the old month under the heading of the new one.
    assert v.bar.nino.count("…") == 2
    assert "K" not in v.bar.nino
    assert all("…" in said.text for said in v.session.figures.scores.values())
    assert v.heading.titles[0].endswith("1997-12")
    v.settle()
    assert "…" not in v.bar.nino
    assert "globe" in v.session.figures.scores["psl"].text
    assert v.work.answer is not old
    assert v.work.answer.question.month == "1996-12"
    assert "still" not in v.heading.note
    assert not v.heading.stale
    assert v.heading.titles[0] == "Analysis from all fields"
    assert v.session._frame.request.month == "1996-12"


@pytest.mark.slow
def test_a_question_without_an_answer_is_asked_once_and_says_why(visit):
    # Open in December, under ice in March.
    v = visit(f"{PERTURB}&sea=60:66:170:190:2")
    assert v.work.complaint == ""
    v.send({"type": "month", "value": "1997-03"})
    v.settle()
    v.turn(0.3)
    assert "ice" in v.work.complaint
    assert v.bar.failed
    assert v.work.asked is None
    v.send({"type": "month", "value": "1997-12"})
    v.settle()
    assert v.work.complaint == ""


def images(v):
    return {
        pane: source.data["image"][0].copy() for pane, source in v.session.figures._images.items()
    }


@pytest.mark.slow
def test_going_back_to_the_other_tools_restores_them_exactly(visit):
    v = visit("?tool=observe&network=stations&stations=20", wait=False)
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


def test_sensitivity_at_a_click(visit, bundle):
    v = visit()
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


def test_beside_the_gcm(visit, bundle):
    if not gcm_of(bundle):
        pytest.skip("no responses of the GCM come with this bundle")
    v = visit()
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
    assert v.heading.titles[0] == f"GCM's response, mean of {len(found.months)} months"
    assert "take no part" in v.panel.words["change"]
    # How long the response of a single month took is of something else.
    assert v.panel.words["outcome"] == ""


def test_a_link_brings_everything_back(visit):
    v = visit(wait=False)
    v.send({"type": "sea-add", "region": "north_atlantic"})
    v.send({"type": "sea-edit", "at": 1, "kelvin": -1.2, "done": True})
    v.set("view", "response")
    again = visit("?" + v.bar.query, wait=False)
    assert again.p == v.p.replace(selected=0)
    assert again.p.patches[1] == Patch(-1.2, region="north_atlantic")
    assert set(REGIONS) == {key for key, *_ in again.panel.regions}

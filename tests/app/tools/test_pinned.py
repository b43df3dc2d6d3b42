"""A pinned state beside the model: held while that goes on, scored, and made again of a link."""

import json

import numpy as np
import pytest
from aloft import make_bundle
from visiting import Visit as Plain
from visiting import take

from app.downloads.fields import figure_of
from app.maps.frames import draw
from app.tools.form_panel import FormPanel
from mlda_core.page_state.commands import commands_of
from mlda_core.page_state.opened import from_file, from_link
from mlda_core.page_state.serialize import from_query, to_json, to_query
from mlda_core.page_state.snippet import snippet_of

PLAIN = "?month=1982-03&stations=12&tool=observe"


class Visit(Plain):
    """One whose messages come from the headings of the columns, unless another control is said."""

    def __init__(self, bundle, query):
        super().__init__(bundle, query)
        self.beside = self.session.comparison
        self.rest()

    def send(self, control=None, **message):
        control = control or self.beside.heading
        if isinstance(control, FormPanel):
            control.send(**message)
        else:
            control._handle_msg({"seq": control.ack + 1, "batch": [message]})
        self.rest()

    def rest(self):
        """Wait until nothing is under way."""
        self.settle(lambda v: not (v.work.run or v.beside.pinned.pending))

    @property
    def frame(self):
        return self.session._frame

    @property
    def observed(self):
        return self.session.state.observations

    def fields(self, kind):
        cells = self.session.figures._cells
        return {name: source.data[kind].copy() for name, source in cells.items()}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("aloft"))


@pytest.fixture(scope="module")
def shared(bundle):
    made = Visit(bundle, PLAIN)
    yield made
    made.session.close()


@pytest.fixture
def visit(shared):
    def start(query=PLAIN):
        shared.send(shared.session.bar, type="visit", query=query)
        shared.session.state.forget()
        return shared

    return start


def bar(v, **message):
    v.send(v.session.bar, **message)


def cells(v, kind):
    return v.fields(kind)["zg500"]


def query_of(v):
    return to_query(v.session.state.snapshot(), v.session.limits)


def test_the_left_column_stays_while_the_model_goes_on(visit, bundle):
    v = visit()
    v.send(type="pin")
    pinned = cells(v, "model")
    np.testing.assert_array_equal(cells(v, "target"), pinned)
    assert v.session.bar.status.startswith("Pinned: VAE analysis, 1982-03.")
    assert v.beside.heading.labels()["pinned"] == "Pinned state"
    assert v.beside.heading.note == "1982-03, VAE analysis"
    v.send(v.session.explore.panel, type="z", k=0, value=3.0, done=True)
    np.testing.assert_array_equal(cells(v, "target"), pinned)
    moved = v.frame.model
    assert not np.allclose(moved[0].ravel(), pinned)
    # The scatter is of the model against it.
    w = bundle.grid.weights.ravel()
    rmse = np.sqrt((w * (moved[0].ravel() - pinned) ** 2).sum())
    assert draw(bundle, v.frame.request).panes["zg500", "scatter"].scores.rmse == pytest.approx(
        rmse, rel=1e-4
    )
    v.send(v.observer.heading, type="column", value="difference")
    np.testing.assert_allclose(cells(v, "model"), moved[0].ravel() - pinned, atol=1e-4)
    assert v.observer.heading.labels()["difference"] == "Model \u2212 pinned state"
    assert v.session.figures._how.words == ("pinned state", "model − pinned state")
    bar(v, type="month", value="1982-04")
    np.testing.assert_array_equal(cells(v, "target"), pinned)


def test_undo_and_unpin_bring_back_what_was_there(visit, bundle):
    v = visit()
    v.send(type="pin")
    first, fields = v.session.state.pinned, cells(v, "target")
    v.send(v.session.explore.panel, type="prior")
    v.send(type="pin")
    assert not np.array_equal(cells(v, "target"), fields)
    bar(v, type="undo")
    assert v.session.state.pinned == first
    np.testing.assert_array_equal(cells(v, "target"), fields)
    v.send(type="unpin")
    assert (v.session.state.pinned, v.observed.beside) == ("", "target")
    assert "pinned" not in v.beside.heading.labels()
    np.testing.assert_allclose(cells(v, "target"), bundle.target("1982-03")[0].ravel())
    bar(v, type="undo")
    np.testing.assert_array_equal(cells(v, "target"), fields)
    for _ in range(3):
        bar(v, type="undo")
    assert (v.session.state.pinned, v.observed.beside) == ("", "target")


# A latent vector, the code of a month, an analysis, and one that was moved by hand.
STEPS = {
    "draw": [("random", {"seed": "5"})],
    "code": [("encode", {})],
    "analysis": [],
    "moved": [("z", {"k": 1, "value": 2.5, "done": True})],
}


@pytest.mark.parametrize("name", STEPS)
def test_a_second_visitor_sees_the_same(visit, bundle, name, tmp_path):
    v = visit()
    for kind, more in STEPS[name]:
        v.send(v.session.explore.panel, type=kind, **more)
    v.send(type="pin")
    fields = v.beside.pinned.fields
    bar(v, type="month", value="1982-05")
    query, session = query_of(v), v.session
    state = from_link(query, bundle)
    np.testing.assert_array_equal(state.pinned.fields(), fields)
    path = tmp_path / "saved.json"
    path.write_text(to_json(session.state.snapshot(), session.limits))
    assert from_file(path, bundle).pinned.snapshot == state.pinned.snapshot
    second = Visit(bundle, f"?{query}")
    np.testing.assert_array_equal(cells(second, "target"), cells(v, "target"))
    assert not second.beside.stale
    second.session.close()


def test_full_fields_are_those_of_its_own_season(visit, bundle):
    v = visit()
    v.send(type="pin")
    pinned = cells(v, "target")
    bar(v, type="month", value="1982-04")
    v.send(v.observer.heading, type="column", value="difference")
    assert v.observer.heading.against == "pinned state"
    bar(v, type="fields", value="full")
    np.testing.assert_allclose(
        cells(v, "target"), pinned + bundle.climatology(3)[0].ravel(), rtol=1e-5
    )
    assert v.observer.heading.against == "pinned state, anomalies"


def test_both_are_scored_where_they_are_of_one_month(visit, bundle):
    v = visit()
    bar(v, type="foot", value=["scores"])
    v.send(v.session.explore.panel, type="random", seed="5")
    v.send(type="pin")
    v.send(v.session.explore.panel, type="random", seed="6")
    foot = v.session.verification.foot
    assert [key for key, *_ in foot.extra] == ["pinned", "model"]
    w, target = bundle.grid.weights, bundle.target("1982-03")[0]
    for key, fields in (("pinned", v.beside.pinned.fields), ("model", v.frame.model)):
        rmse = np.sqrt((w * (fields[0] - target) ** 2).sum())
        assert foot.scores["target"][key]["zg500"]["rmse"] == pytest.approx(rmse, rel=1e-4)
    table = v.session.verification.view.views["scores"].table
    assert "Pinned state" in table.value["method"].iloc[0]
    v.send(v.session.explore.panel, type="encode")
    bar(v, type="month", value="1982-04")
    assert not foot.extra
    v.send(type="unpin")
    bar(v, type="foot", value=[])


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([{"type": "unpin"}], "Nothing is pinned."),
        ([{"type": "beside", "value": "pinned"}], "Nothing is pinned yet; press Pin above"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(visit, messages, words):
    v = visit()
    before = v.session.state.snapshot()
    for message in messages:
        v.send(**message)
    assert v.session.bar.failed
    assert v.session.bar.status.startswith(words)
    assert v.session.state.snapshot() == before


def test_an_analysis_under_way_is_not_pinned(visit):
    v = visit()
    control = v.session.bar
    batch = [{"type": "month", "value": "1982-07"}, {"type": "pin"}]
    control._handle_msg({"seq": control.ack + 1, "batch": batch})
    assert control.status == "The analysis is still under way; pin it once it is there."
    assert not v.session.state.pinned
    v.rest()


def test_a_link_that_is_damaged_is_refused(visit):
    v = visit()
    v.send(type="pin")
    query = query_of(v).replace("pin=month%3D1982-03", "pin=month%3D1282-03")
    before = v.session.state.snapshot()
    bar(v, type="visit", query=query)
    assert v.session.bar.failed
    assert v.session.bar.status.startswith("The pinned state cannot be made: There is no month")
    assert v.session.state.snapshot() == before


def test_a_link_too_short_for_it_says_so(visit):
    v = visit()
    rows = [["zg500", 20 + 0.03 * i, 7.77 * i % 360, 0.01 * i, 9.0] for i in range(400)]
    saved = json.loads(to_json(v.session.state.snapshot(), v.session.limits))
    saved["observing"] |= {"kind": "none", "own": rows}
    bar(v, type="load", text=json.dumps(saved))
    v.send(type="pin")
    assert v.beside.shows_pinned
    bar(v, type="share", page="http://localhost/app")
    assert v.session.bar.status.startswith("The link does not hold the pinned state")
    assert from_query(query_of(v), v.session.limits).pinned == ""


def test_downloads_say_what_is_shown(visit, tmp_path):
    import xarray as xr

    v = visit()
    v.send(type="pin")
    v.send(v.session.explore.panel, type="random", seed="5")
    given = take(v, type="download-fields")
    path = tmp_path / "given.nc"
    path.write_bytes(given["bytes"])
    with xr.open_dataset(path) as data:
        (name,) = [n for n in data.data_vars if n.startswith("zg500") and n.endswith("pinned")]
        assert "pinned state (VAE analysis, 1982-03)" in data[name].attrs["long_name"]
        np.testing.assert_allclose(data[name].squeeze(), v.beside.pinned.fields[0], rtol=1e-5)
    parts = v.session.downloads._parts
    figure = figure_of(parts)
    assert [column.title for column in figure.columns] == ["Pinned state", "Model"]
    assert "Pinned state: VAE analysis, 1982-03, of 12 stations." in figure.caption.notes


def test_the_program_makes_the_same(visit, bundle):
    v = visit()
    v.send(type="pin")
    v.send(v.session.explore.panel, type="random", seed="5")
    v.send(v.observer.heading, type="column", value="difference")
    state = from_link(query_of(v), bundle)
    text = snippet_of(state).text
    space = {}
    exec(text, space)  # noqa: S102 - the program itself is what is tested
    np.testing.assert_array_equal(space["pinned"], v.beside.pinned.fields)
    np.testing.assert_allclose(space["shown"][0].ravel(), cells(v, "model"), rtol=1e-6)
    assert commands_of(state).beyond


def test_perturb_and_cycle_have_none_of_it(visit):
    v = visit()
    v.send(type="pin")
    state = v.session.state
    state.tool = "cycle"
    try:
        assert not v.beside.shows_pinned
        assert v.beside.scene() is None
        v.send(type="pin")
        assert v.session.bar.status.startswith("What Perturb and Cycle show cannot be pinned")
    finally:
        state.tool = "observe"

"""What a visitor may try first: each idea is a link that its bundle takes."""

from urllib.parse import parse_qs

import numpy as np
import pytest
from visiting import Visit

from app import ideas
from app.bundles import open_bundle
from app.tools.comparison import trial
from mlda_core.bundle.shipped import link_of
from mlda_core.climate.regions import REGIONS, region_mask
from mlda_core.page_state.limits import limits_of
from mlda_core.page_state.serialize import from_query
from mlda_core.page_state.settings import InvalidStateError
from mlda_core.perturbation.sst_patches import sst_change


@pytest.mark.parametrize("idea", [idea for idea in ideas.IDEAS if idea.bundle], ids=lambda i: i.key)
def test_each_is_a_state_of_its_bundle(idea):
    limits = limits_of(open_bundle(idea.bundle), link_of(idea.bundle))
    state = from_query(idea.query("another"), limits)
    assert parse_qs(idea.query("another"))["bundle"] == [idea.bundle]
    assert state.month == idea.parts["month"]
    assert state.tool == idea.parts.get("tool", "observe")


def test_one_observation_is_that_of_the_tool():
    bundle = open_bundle("upper")
    idea = ideas.find("one-height")
    state = from_query(idea.query(""), limits_of(bundle, "upper"))
    asked = trial(bundle, state.month, state.observations)
    assert state.observations.own == asked.own
    assert state.observations == asked


def test_without_el_nino_the_pacific_is_as_usual():
    bundle = open_bundle("speedy")
    idea = ideas.find("no-el-nino")
    state = from_query(idea.query(""), limits_of(bundle))
    mask = region_mask(bundle.grid, REGIONS["nino34"])
    change = sst_change(state.perturbations.enabled, bundle, state.month)
    sea = np.nan_to_num(bundle.target(state.month)[bundle.sea_row])
    change = np.nan_to_num(change)
    before, after = ((field * mask).sum() / mask.sum() for field in (sea, sea + change))
    assert before > 2
    assert abs(after) < 0.1


def test_what_the_page_cannot_show_is_not_offered(tiny, monkeypatch):
    keys = [idea["key"] for idea in ideas.offered(tiny, "speedy")]
    assert keys == [idea.key for idea in ideas.IDEAS]
    monkeypatch.setattr(ideas, "offers", lambda: ())
    assert [idea["key"] for idea in ideas.offered(tiny, "mine")] == ["ten-stations"]
    # It has the bundle's name, but neither its month nor any statistics.
    monkeypatch.setattr(tiny, "has_statistics", False)
    assert ideas.offered(tiny, "speedy") == []


def test_a_link_says_its_bundle(tiny):
    (link,) = (i["href"] for i in ideas.offered(tiny, "mine") if i["key"] == "ten-stations")
    assert link == "?bundle=mine&stations=10&column=spread"


def test_one_of_this_bundle_is_a_step_of_undo(tiny):
    visit = Visit(tiny, "?theme=dark&tool=explore&model=code&network=none")
    state = visit.session.state
    visit.send(type="try", value="ten-stations")
    assert (state.observations.count, state.observations.column) == (10, "spread")
    assert (state.tool, state.theme) == ("observe", "dark")
    assert "Undo" in visit.status
    visit.send(type="undo")
    assert state.tool == "explore"
    visit.session.close()


@pytest.mark.slow
def test_one_of_another_bundle_opens_it(shelf):
    assert shelf.is_dir()
    visit = Visit(open_bundle("other"), "?bundle=other", key="other")
    visit.sent = []
    visit.session.bar._send_msg = visit.sent.append
    before = visit.session.state.snapshot()
    visit.send(type="try", value="no-el-nino")
    assert visit.status == "Opening The speedy one …"
    visit.settle(lambda v: v.sent)
    assert visit.sent == [
        {"type": "go", "query": ideas.find("no-el-nino").query("other"), "file": False}
    ]
    assert visit.session.state.snapshot() == before
    # There is no such bundle on this shelf.
    visit.send(type="try", value="winter-1963")
    assert "no bundle 'real'" in visit.status
    visit.session.close()


@pytest.mark.parametrize("key", ["nothing", None, ["no-el-nino"]])
def test_what_is_no_idea_is_refused(key):
    with pytest.raises(InvalidStateError, match="reload"):
        ideas.find(key)

"""The atlas of the tool Perturb without a browser: patches chosen, made, stopped and opened."""

import time
from collections import OrderedDict

import numpy as np
import pytest
from small import make_small
from visiting import PERTURB, SeaVisit

from app.maps.projections import to_map
from app.tools import atlas as tools_atlas
from mlda_core.climate.regions import REGIONS
from mlda_core.evaluation.gcm_atlas import patches_alone
from mlda_core.page_state.responses import responder_of
from mlda_core.perturbation.atlas import AtlasRun
from mlda_core.perturbation.gcm_atlas import GcmAtlas
from mlda_core.perturbation.gfmip import of_key, patches_at_sea
from mlda_core.perturbation.sst_patches import open_water

MONTH = "1982-07"
START = f"{PERTURB}&month={MONTH}"
SHOWN = f"{START}&view=atlas&over=tropics"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A bundle of few cells: a patch takes milliseconds."""
    return make_small(tmp_path_factory.mktemp("atlas"), curved=0.002)


@pytest.fixture
def sea_visit(small):
    made = []

    def start(query=START, *, wait=True):
        made.append(SeaVisit(small, query))
        return made[-1].settle() if wait else made[-1]

    yield start
    for one in made:
        one.session.close()


SECONDS = 0.1


@pytest.fixture
def slow_patches(monkeypatch):
    """Let each patch take a while, so that it can be stopped on the way; emptied, none."""
    waits, add = [SECONDS], AtlasRun._add

    def slowly(run, month, i):
        time.sleep(sum(waits))
        add(run, month, i)

    monkeypatch.setattr(AtlasRun, "_add", slowly)
    return waits


def place(v, lat, lon):
    x, y = to_map(v.session.state.projection, np.array([float(lon)]), np.array([float(lat)]))
    return {"type": "sea-click", "variable": "pr", "x": float(x[0]), "y": float(y[0])}


def wait_for(v, until, limit=240):
    end = time.monotonic() + limit
    while not until():
        assert time.monotonic() < end, "the atlas did not come"
        v.turn()


@pytest.mark.slow
def test_a_patch_of_the_list_is_a_change_of_the_sea_like_another(sea_visit):
    v = sea_visit(f"{START}&sea=")
    atlas = v.perturb.atlas
    # The rows of this grid lie 11 degrees from the equator.
    assert "0N_180E" not in atlas.patch.widget.options.values()
    atlas.patch.widget.value = "10N_200E"
    v.settle()
    (patch,) = v.p.patches
    assert patch == of_key("10N_200E").patch(2.0)
    assert "10°N 160°W" in v.panel.patches[0]["where"]
    # The list is ready for the next one.
    assert atlas.patch.widget.value == ""
    sea = v.session.bundle.mask[v.session.bundle.sea_row]
    shape = patch.weights(v.session.bundle.grid) * sea
    assert np.allclose(v.work.answer.response.change, 2.0 * shape, atol=1e-6)
    assert "sea=5:15:180:220:edge360:2" in v.bar.query
    again = sea_visit(f"?{v.bar.query}")
    assert again.p.patches == v.p.patches
    v.send({"type": "undo"})
    assert v.p.patches == ()


def test_a_patch_that_the_protocol_lacks_is_refused(sea_visit):
    v = sea_visit(wait=False)
    before = v.p.patches
    v.send({"type": "atlas-patch", "key": "5N_7E"})
    assert v.bar.failed
    assert "protocol" in v.bar.status
    assert v.p.patches == before


@pytest.mark.slow
def test_the_atlas_fills_in_is_stopped_gone_on_with_and_clicked(sea_visit, slow_patches):
    v = sea_visit(SHOWN)
    bundle, atlas = v.session.bundle, v.perturb.atlas
    wait_for(v, lambda: atlas.job.done >= 8)
    assert atlas.job.total > 50
    assert atlas.busy
    assert atlas.progress.visible
    assert atlas.cancel.visible
    assert f"of {atlas.job.total}" in atlas.count.object
    v.send({"type": "atlas-cancel"})
    done = atlas.job.done
    v.turn(0.5)
    assert not atlas.busy
    assert atlas.job.done == done
    assert atlas.go_on.visible
    assert not atlas.cancel.visible
    # Stopped by hand, it stays so when the page is drawn again.
    v.set("over", "nino34")
    assert v.p.view == "atlas"
    assert not atlas.busy
    # What is done is drawn: of each variable, the mean over the region.
    run = AtlasRun(responder_of(bundle), [MONTH])
    slow_patches.clear()
    for number in run.steps():
        if number == len(atlas.atlas.patches):
            break
    slow_patches.append(SECONDS)
    expected = run.atlas()
    column, readings, left = atlas.column()
    assert left is None
    assert np.allclose(
        column.fields, expected.maps(REGIONS["nino34"]), rtol=1e-3, atol=1e-3, equal_nan=True
    )
    assert len(readings) == len(bundle.variables)
    shown = np.asarray(v.session.figures._cells["pr"].data["model"])
    row = [variable.name for variable in bundle.variables].index("pr")
    assert np.array_equal(shown.reshape(bundle.grid.shape), column.fields[row], equal_nan=True)
    assert "No run of the GCM" in atlas.words.object
    v.send({"type": "atlas-go-on"})
    wait_for(v, lambda: atlas.job.done >= done + 4)
    # A click opens the nearest patch, alone: the others are kept, and switched off.
    v.send(place(v, 12.0, 203.0))
    assert not atlas.busy
    assert v.p.view == "response"
    first, opened = v.p.patches
    assert not first.enabled
    assert opened.enabled
    assert opened == of_key("10N_200E").patch(2.0)
    # The next one takes its place.
    v.set("view", "atlas")
    v.send(place(v, -31.0, 158.0))
    assert [patch.enabled for patch in v.p.patches] == [False, True]
    assert v.p.patches[1] == of_key("30S_160E").patch(2.0)
    v.send({"type": "undo"})
    assert v.p.view == "atlas"


@pytest.mark.slow
def test_an_atlas_that_is_whole_is_there_at_once_for_the_next_visitor(sea_visit, monkeypatch):
    # Of a few patches, which do for it.
    bundle = sea_visit(wait=False).session.bundle
    few = patches_at_sea(bundle.grid, open_water(bundle, MONTH))[:6]
    monkeypatch.setattr("mlda_core.perturbation.atlas.patches_at_sea", lambda *_: few)
    monkeypatch.setattr("app.jobs.atlas._finished", OrderedDict())
    v = sea_visit(f"{SHOWN}&amplitude=-2")
    wait_for(v, lambda: v.perturb.atlas.job.done == 6)
    assert not v.perturb.atlas.busy
    assert not v.perturb.atlas.progress.visible
    change = v.perturb.atlas.atlas.change
    assert change.min() < -0.5
    assert change.max() <= 0.0
    other = sea_visit(f"{SHOWN}&amplitude=-2")
    wait_for(other, lambda: other.perturb.atlas.atlas is not None, limit=20)
    assert other.perturb.atlas.atlas is v.perturb.atlas.atlas


def test_with_everything_held_outside_the_patches_it_says_why_not(sea_visit):
    v = sea_visit(f"{SHOWN}&held=outside&sea=")
    wait_for(v, lambda: v.perturb.atlas.job.failed)
    assert "sst_only" in v.perturb.atlas.words.object
    assert not v.perturb.atlas.busy


@pytest.fixture
def own(small, monkeypatch):
    """Sensitivities of the GCM for the small bundle: as large in each patch as its number."""
    patches = patches_alone(small, [MONTH]).patches
    count, variables = len(patches), len(small.variables)
    values = np.broadcast_to(np.arange(1.0, count + 1), (1, variables, count))
    made = GcmAtlas(
        patches,
        ("tropics",),
        values,
        np.ones_like(values),
        np.ones((1, variables)),
        np.full((1, variables), 0.5),
        np.eye(count),
        np.full(count, 1 / count),
        2,
        420,
    )
    monkeypatch.setattr(tools_atlas, "sensitivities_of", lambda _: made)
    return made


@pytest.mark.slow
def test_the_atlas_stands_beside_what_the_gcms_runs_say(sea_visit, own):
    v = sea_visit(SHOWN, wait=False)
    atlas = v.perturb.atlas
    wait_for(v, lambda: atlas.atlas is not None and not atlas.busy)
    scene = v.perturb.scene()
    right, readings, left = atlas.column()
    assert (scene.left, scene.right) == (left, right)
    assert left.look is right.look
    there = np.isfinite(left.fields)
    assert there.any()
    np.testing.assert_array_equal(there, np.isfinite(right.fields))
    shown = np.isfinite(atlas.atlas.told(REGIONS["tropics"]))
    values = np.where(shown, own.values("tropics", atlas.atlas.patches), np.nan)
    expected = atlas.atlas.spread_out(values)
    np.testing.assert_allclose(left.fields[there], expected[there], rtol=1e-5)
    assert all(row[-1][0] == "GCM" for row in readings if len(row) > 1)
    assert "GCM" in v.perturb.heading.pair[0]
    assert v.perturb.nino_words() is None
    assert "2 members of 420 months" in atlas.words.object
    # Of a region that the runs were not asked for the analysis stands there.
    v.send({"type": "sea-set", "name": "over", "value": "globe"})
    wait_for(v, lambda: not atlas.compared)
    assert atlas.column()[2] is None
    assert v.perturb.scene().left is not left
    assert "choose" in atlas.words.object
    assert "GCM" not in v.perturb.heading.pair[0]

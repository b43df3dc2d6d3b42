"""The atlas in the background: made patch by patch, stopped, gone on with, kept for others."""

import queue
import time
from collections import OrderedDict
from types import SimpleNamespace

import numpy as np
import pytest
from small import make_small

from app.jobs import atlas as module
from app.jobs.atlas import EVERY, AtlasJob, AtlasRequest
from mlda_core.perturbation.gfmip import patches_at_sea
from mlda_core.perturbation.sst_patches import open_water

MONTH = "1982-07"
REQUEST = AtlasRequest(MONTH, "sst_only", "", 2.0)
N = 10


class Loop:
    """A session's event loop, and how often its page was drawn."""

    def __init__(self):
        self.calls, self.drawn = queue.Queue(), 0

    def redraw(self):
        self.drawn += 1

    def until(self, true, limit=120):
        end = time.monotonic() + limit
        while not true():
            assert time.monotonic() < end, "it did not come"
            try:
                self.calls.get(timeout=0.05)()
            except queue.Empty:
                continue


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("atlas"), curved=0.002)


@pytest.fixture
def job(small, monkeypatch):
    few = patches_at_sea(small.grid, open_water(small, MONTH))[:N]
    monkeypatch.setattr("mlda_core.perturbation.atlas.patches_at_sea", lambda *_: few)
    monkeypatch.setattr(module, "_finished", OrderedDict())
    made = []

    def start():
        loop = Loop()
        context = SimpleNamespace(bundle=small, redraw=loop.redraw, schedule=loop.calls.put)
        made.append(AtlasJob(context))
        return made[-1], loop

    yield start
    for one in made:
        one.close()


def test_it_is_drawn_on_the_way_and_kept_for_the_next_visitor(job):
    one, loop = job()
    parts = []
    one.ask(REQUEST)
    assert one.running
    loop.until(lambda: parts.append(one.atlas and len(one.atlas.patches)) or not one.running)
    assert one.done == one.total == N
    assert set(parts) - {None} == {*range(EVERY, N, EVERY), N}
    assert loop.drawn > N
    # Asked for again, here or by another visitor, nothing is computed.
    other, its_loop = job()
    for again in (one, other):
        again.ask(REQUEST)
        assert not again.running
        assert again.done == N
    assert other.atlas is one.atlas
    assert its_loop.drawn == 0


def test_stopped_by_hand_it_goes_on_by_hand_alone_to_the_same_atlas(job):
    whole, loop = job()
    whole.ask(REQUEST)
    loop.until(lambda: not whole.running)
    module._finished.clear()
    one, loop = job()
    one.ask(REQUEST)
    loop.until(lambda: one.done >= EVERY)
    one.stop(by_hand=True)
    one.ask(REQUEST)
    assert not one.running
    assert one.done < N
    one.go_on()
    assert one.running
    loop.until(lambda: not one.running)
    assert one.done == N
    np.testing.assert_array_equal(one.atlas.response, whole.atlas.response)
    # Stopped because it is not seen, it goes on when it is shown again.
    module._finished.clear()
    hidden, loop = job()
    hidden.ask(REQUEST)
    hidden.stop(by_hand=False)
    hidden.ask(REQUEST)
    assert hidden.running


def test_another_request_takes_its_place_and_what_cannot_be_made_says_why(job):
    one, loop = job()
    one.ask(REQUEST)
    cold = AtlasRequest(MONTH, "sst_only", "", -2.0)
    one.ask(cold)
    loop.until(lambda: not one.running)
    assert one.asked == cold
    assert one.atlas.change.max() <= 0.0
    one.ask(AtlasRequest(MONTH, "outside", "", 2.0))
    loop.until(lambda: not one.running)
    assert "sst_only" in one.failed
    # It is not tried again until something else is asked for.
    one.ask(AtlasRequest(MONTH, "outside", "", 2.0))
    assert not one.running
    one.ask(cold)
    assert one.failed == ""
    assert one.done == N

"""One observation in its window, in the background."""

import queue
import time
from types import SimpleNamespace

import pytest

from app.jobs.cycle_alone import AloneJob
from mlda_core.page_state.cycle_runs import CycleRequest, days_from, run_of
from mlda_core.page_state.single_observation import AloneRequest

RUN = CycleRequest("3dvar", 30, "1984-03-01")


@pytest.fixture(scope="module")
def start(cycled):
    return run_of(cycled, RUN).day(1).analysis


def request_of(bundle, *alone):
    return AloneRequest(RUN, alone, days_from(bundle, RUN.first))


@pytest.mark.slow
def test_the_job_makes_it_once_or_says_why_not(cycled, start):
    calls, drawn = queue.Queue(), []
    context = SimpleNamespace(bundle=cycled, redraw=lambda: drawn.append(1), schedule=calls.put)
    job = AloneJob(context)
    for name in ("tas", "tos"):
        request = request_of(cycled, name, 0, 0, "1984-03-05")
        job.ask(request, start)
        job.ask(request, start)
        end = time.monotonic() + 60
        while job.running:
            assert time.monotonic() < end
            try:
                calls.get(timeout=0.05)()
            except queue.Empty:
                continue
        assert bool(job.failed) == (name == "tos")
    assert len(drawn) == 2
    job.close()

"""The members of a session: drawn step by step, cancelled, kept by sampler."""

import pytest
from visiting import Visit

from mlda_core.assimilation.posterior.samplers import SAMPLERS
from mlda_core.assimilation.posterior.samplers.laplace import Laplace

SOME = "?network=stations&stations=20&tool=observe"


@pytest.fixture(scope="module")
def v(priorless):
    one = Visit(priorless, SOME)
    one.settle()
    yield one
    one.session.close()


@pytest.fixture
def job(v):
    v.observer.members.forget()
    v.observer.members._made.clear()
    return v.observer.members


class Slow(Laplace):
    """One that takes its time: its last step waits for the test."""

    def sample(self, problem, draws):
        for progress in super().sample(problem, draws):
            for done in range(3):
                yield type(progress)(done, 3)
            while not self.may_end():
                yield type(progress)(2, 3)
            yield progress


def ask(v, job, sampler):
    return job.ask(v.work.task, v.work.analysis, sampler)


def drawn(v, job, sampler):
    assert ask(v, job, sampler) is None
    assert job.running
    v.settle(lambda _: not job.running, limit=120)
    return ask(v, job, sampler)


@pytest.mark.slow
def test_those_of_each_sampler_are_drawn_once(v, job):
    laplace = drawn(v, job, "laplace")
    perturbed = drawn(v, job, "perturbed")
    assert (laplace.sampler, perturbed.sampler) == ("laplace", "perturbed")
    assert (job.done, job.total) == (len(perturbed), len(perturbed)) or job.done == job.total
    assert ask(v, job, "laplace") is laplace
    assert not job.running
    assert job.drawn(v.work.analysis, "perturbed") is perturbed
    assert job.drawn(None, "perturbed") is None, "they are of an analysis"


@pytest.mark.slow
def test_progress_is_heard_and_what_is_cancelled_never_comes(v, job, monkeypatch):
    waits = [True]
    key = "perturbed"
    slow = Slow(key, "Slow", "Waits", "nobody", rank=99)
    object.__setattr__(slow, "may_end", lambda: not waits[0])
    monkeypatch.setitem(SAMPLERS, key, slow)
    before = drawn(v, job, "laplace")
    assert ask(v, job, key) is None
    v.settle(lambda _: job.total == 3 and job.done == 2, limit=120)
    assert job.cancel() == "laplace"
    waits[0] = False
    assert job.cancelled
    v.turn(0.3)
    assert ask(v, job, key) is None
    assert not job.running, "cancelled, it does not begin by itself"
    assert ask(v, job, "laplace") is before
    # Chosen again it is drawn.
    assert drawn(v, job, key).sampler == key
    # With nothing drawn before there is nothing to return to.
    job.forget()
    job._made.clear()
    waits[0] = True
    assert ask(v, job, key) is None
    assert job.cancel() == ""
    waits[0] = False
    job.forget()
    assert drawn(v, job, key) is not None


def test_what_fails_says_why_and_does_not_begin_again(v, job):
    assert ask(v, job, "guided") is None
    v.settle(lambda _: bool(job.failed), limit=60)
    assert "diffusion prior" in job.failed
    assert not job.running
    assert ask(v, job, "guided") is None
    assert not job.running
    assert job.failed in v.status

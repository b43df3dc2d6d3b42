"""The choice of the sampler: what is offered, cancelled, said and taken away."""

import pytest
from visiting import Visit

from app.tools.members_choice import unavailable
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.posterior.samplers import SAMPLERS
from mlda_core.page_state.opened import from_link

SOME = "?network=stations&stations=20&tool=observe&column=member"


@pytest.fixture(scope="module")
def v(priorless):
    one = Visit(priorless, SOME)
    one.settle(lambda visit: visit.view.member == 1, limit=120)
    yield one
    one.session.close()


def choose(v, sampler):
    v.send(type="observing", name="sampler", value=sampler)


def test_what_cannot_be_drawn_says_what_to_do(priorless, speedy):
    assert unavailable(speedy, Setting()) == {}
    reasons = unavailable(priorless, Setting())
    assert list(reasons) == ["guided"]
    assert "mlda prior train" in reasons["guided"] or "pip install" in reasons["guided"]
    reasons = unavailable(priorless, Setting(method="eof"))
    assert set(reasons) == set(SAMPLERS) - {"laplace"}
    assert "use laplace" in reasons["perturbed"]


@pytest.mark.slow
def test_a_sampler_is_chosen_kept_in_link_and_undo_and_says_how_it_ended(v, speedy):
    choice = v.observer.choice
    assert choice.root.visible
    assert choice.sampler.widget.disabled_options == ["guided"]
    assert "diffusion prior" in choice.sampler.widget.html_attributes["title"]
    choose(v, "multistart")
    assert "sampler=multistart" in v.session.bar.query
    assert choice.cancel.visible
    assert "Drawing members" in v.observer.heading.hint
    v.settle(lambda visit: visit.view.member == 1, limit=120)
    assert "distinct minimum" in choice.words.object
    assert not choice.cancel.visible
    ensemble = v.view.ensemble()
    assert ensemble.sampler == "multistart"
    # The same link gives the same members in Python.
    state = from_link(f"?{v.session.bar.query}", speedy)
    assert (state.fields()[0] == v.view.fields[0]).all()
    v.send(type="undo")
    assert v.session.state.observations.sampler == "laplace"
    assert v.view.ensemble().sampler == "laplace", "those that were drawn are there at once"
    v.send(type="redo")
    assert v.view.ensemble() is ensemble
    choose(v, "laplace")


@pytest.mark.slow
def test_cancel_returns_to_the_members_before(v):
    before = v.view.ensemble()
    choose(v, "perturbed")
    assert v.observer.members.running
    v.send(type="members-cancel")
    assert v.session.state.observations.sampler == "laplace"
    assert v.view.ensemble() is before
    assert "Laplace still" in v.status
    assert not v.observer.members.running


@pytest.mark.slow
def test_without_members_before_cancel_leaves_none_until_they_are_asked_for(speedy):
    v = Visit(speedy, f"{SOME}&sampler=perturbed")
    try:
        v.settle(lambda visit: visit.observer.members.running, limit=120)
        v.send(type="members-cancel")
        choice = v.observer.choice
        assert choice.again.visible
        assert v.observer.heading.hint == "Cancelled: no members are drawn"
        assert v.view.fields is v.work.fields, "the analysis stays"
        v.send(type="members-again")
        v.settle(lambda visit: visit.view.member == 1, limit=120)
        assert v.view.ensemble().sampler == "perturbed"
        # Another analysis has other members.
        v.send(type="obs-put", variable="psl", lat="10", lon="190")
        v.settle(lambda visit: visit.work.answered and visit.view.member == 1, limit=120)
        assert v.view.ensemble().analysis.statistics.n_used == 41
    finally:
        v.session.close()


def test_what_a_sampler_refuses_is_said_in_a_sentence(v):
    choose(v, "guided")
    v.settle(lambda visit: bool(visit.observer.members.failed), limit=60)
    assert "diffusion prior" in v.status
    assert v.session.bar.failed
    assert "diffusion prior" in v.observer.choice.words.object
    assert v.observer.choice.again.visible
    choose(v, "laplace")
    choose(v, "dice")
    assert v.session.bar.failed
    assert "sampler" in v.status
    assert v.session.state.observations.sampler == "laplace"


@pytest.mark.slow
def test_a_skewed_posterior_is_shown_by_one_click(speedy):
    v = Visit(speedy, "?network=none&tool=observe&model=analysis")
    try:
        far = "variable,lat,lon,value,error_sd,kind\npsl,50,-30,25,0.1,lower_bound\n"
        v.send(type="obs-upload", name="far.csv", text=far)
        v.settle(lambda visit: visit.work.answered and visit.work.analysis.shape is not None)
        assert v.work.analysis.shape.is_skewed
        choice = v.observer.choice
        assert choice.shows.visible
        v.send(type="members-of-shape")
        observed = v.session.state.observations
        assert (observed.column, observed.sampler) == ("member", "perturbed")
        assert not choice.shows.visible
        v.settle(lambda visit: visit.view.member == 1, limit=120)
        assert v.view.ensemble().sampler == "perturbed"
    finally:
        v.session.close()


@pytest.mark.slow
def test_the_shipped_bundle_is_drawn_from_by_its_diffusion_prior(speedy):
    v = Visit(speedy, f"{SOME}&sampler=guided")
    try:
        v.settle(lambda visit: visit.view.member == 1, limit=240)
        assert not v.session.bar.failed
        assert v.view.ensemble().sampler == "guided"
    finally:
        v.session.close()

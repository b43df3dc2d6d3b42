"""The program that the page hands over makes what its session holds, to the last bit."""

import json

import numpy as np
import pytest
from random_states import random_link
from visiting import PERTURB, SeaVisit, Visit

from app.continue_in_python import continuation
from mlda_core.page_state.opened import from_link

STATES = range(20)
# Of the shipped bundle: the methods that take longest to differ.
REAL = {
    "?month=1997-12&stations=40&network=stations&places=3": 7,
    "?month=1998-01&network=historical&year=1920&method=eof&reach=0.5&column=increment": 7,
    "?month=1997-11&network=ship_tracks&spacing=2000&residual=0&method=vae_latent_only": 7,
}


def handed_over(session):
    """Return what the page gives the browser when its button is pressed."""
    sent = []
    session.bar._send_msg = sent.append
    session.bar._handle_msg({"seq": session.bar.ack + 1, "batch": [{"type": "python"}]})
    assert not session.bar.failed, session.bar.status
    (message,) = [message for message in sent if message["type"] == "python"]
    return message


def run(program):
    """Run a program that the project wrote itself."""
    made = {}
    exec(compile(program, "continued.py", "exec"), made)  # noqa: S102 - it is what is tested
    return made


def same(one, other):
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def check(bundle, query):
    visit = Visit(bundle, query)
    try:
        visit.settle()
        assert not visit.session.bar.failed, visit.session.bar.status
        made = run(handed_over(visit.session)["program"])
        held = visit.work.analysis
        same(made["analysis"].anomalies, held.anomalies)
        assert made["observations"].equals(visit.observer.table.plain)
        if held.z is not None:
            same(made["analysis"].z, held.z)
        column = visit.session.state.observations.column
        if column == "increment":
            same(made["shown"], held.increment)
        elif column == "spread":
            same(made["shown"], held.spread)
        if "beside" in made:
            visit.settle(lambda v: v.session.comparison.work.analysis is not None)
            same(made["beside"].anomalies, visit.session.comparison.work.analysis.anomalies)
        opened = from_link("http://localhost:5006/app" + query, bundle)
        same(opened.fields(), held.anomalies)
    finally:
        visit.session.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", STATES)
def test_a_random_state_is_made_to_the_last_bit(world, seed):
    check(world, f"?{random_link(world, seed)}")


def test_the_random_states_differ_in_all_that_there_is(world):
    links = [random_link(world, seed) for seed in STATES]
    assert len(set(links)) == len(links)
    for part in ("network=", "method=", "residual=0", "reach=", "rows=", "beside=", "column="):
        assert any(part in link for link in links), part
    programs = [continuation(from_link(link, world))["program"] for link in links]
    assert any("from_link" in program for program in programs), "a bound is no plain value"
    assert sum("placed = pd.DataFrame" in program for program in programs) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("query", REAL)
def test_a_state_of_the_shipped_bundle_is_made_to_the_last_bit(speedy, query):
    check(speedy, query)


@pytest.mark.slow
def test_a_response_is_made_to_the_last_bit(speedy):
    visit = SeaVisit(speedy, f"{PERTURB}&month=1997-12&sea=nino34:2,-20:0:60:90:-1.5&view=response")
    try:
        visit.settle()
        made = run(handed_over(visit.session)["program"])
        same(made["response"].anomalies, visit.work.answer.response.anomalies)
        same(made["response"].spread, visit.work.answer.spread)
        same(made["analysis"], visit.work.answer.all_fields)
    finally:
        visit.session.close()


@pytest.mark.slow
def test_moved_latents_are_made_to_the_last_bit(world):
    visit = Visit(world, f"?month={world.months[-1]}&network=stations&stations=20")
    try:
        visit.settle()
        explore = visit.session.explore.panel
        explore._handle_msg(
            {"seq": explore.ack + 1, "batch": [{"type": "z", "k": 1, "value": 1.5, "done": True}]}
        )
        visit.turn()
        again = Visit(world, f"?{visit.session.bar.query}")
        try:
            again.settle(lambda v: v.work.analysis is not None and not v.work.run)
            made = run(handed_over(again.session)["program"])
            same(made["fields"], again.session._frame.model)
        finally:
            again.session.close()
    finally:
        visit.session.close()


@pytest.mark.slow
def test_the_browser_is_given_program_commands_and_notebook(visit):
    session = visit().session
    message = handed_over(session)
    assert message["name"] == "mlda-1997-12.ipynb"
    notebook = json.loads(message["notebook"])
    assert message["program"].rstrip() in ["".join(c["source"]) for c in notebook["cells"]]
    assert message["commands"].splitlines()[1].startswith("mlda assimilate speedy --obs")
    assert message["beyond"] == []
    assert session.bar.status == ""


def test_what_cannot_be_made_is_refused_in_a_sentence(world):
    session = Visit(world, "?network=sst_only").session
    sent = []
    session.bar._send_msg = sent.append
    session.bar._handle_msg({"seq": session.bar.ack + 1, "batch": [{"type": "python"}]})
    assert sent == []
    assert session.bar.failed
    assert session.bar.status.endswith(".")
    session.close()

"""The tool Explore: draws, the code of a month, and walks."""

import numpy as np
import pytest
from visiting import send


def test_a_followed_code_changes_with_the_month_and_an_own_one_does_not(session, tiny):
    send(session.bar, type="month", value="1998-03")
    assert np.allclose(session.state.z, tiny.code("1998-03"))
    send(session.explore.panel, type="z", k=1, value=0.5, done=True)
    own = session.state.z
    send(session.bar, type="month", value="1998-04")
    assert np.array_equal(session.state.z, own)
    send(session.explore.panel, type="encode")
    assert np.allclose(session.state.z, tiny.code("1998-04"))


def test_random_draws_repeat_by_seed(session):
    send(session.explore.panel, type="random", seed="9")
    first = session.state.z
    assert session.state.seed == 10
    send(session.explore.panel, type="prior")
    assert not session.state.z.any()
    send(session.explore.panel, type="random", seed="9")
    assert np.array_equal(session.state.z, first)
    send(session.explore.panel, type="random", seed="-4")
    assert session.bar.failed
    assert np.array_equal(session.state.z, first)


def test_a_random_draw_is_one_step_of_undo_and_the_theme_none(session):
    start = session.state.snapshot()
    send(session.explore.panel, type="random", seed="9")
    send(session.bar, type="theme", value="dark")
    send(session.bar, type="undo")
    assert session.state.theme == "dark"
    assert not session.state.can_undo
    assert np.array_equal(session.state.z, start.z)
    assert session.state.seed == start.seed


def test_a_walk_starts_and_ends_where_it_says(session, tiny):
    send(session.explore.panel, type="walk-from", **{"from": "1997-01", "to": "draw 3"})
    send(session.explore.panel, type="walk", t=0.0)
    assert np.allclose(session.state.z, tiny.code("1997-01"), atol=2e-4)
    send(session.explore.panel, type="walk", t=1.0)
    assert np.allclose(session.state.z, np.random.default_rng(3).standard_normal(6), atol=2e-4)
    send(session.explore.panel, type="walked")
    assert session.state.can_undo


@pytest.mark.slow
@pytest.mark.parametrize(
    "message",
    [
        {"type": "prior"},
        {"type": "encode"},
        {"type": "random", "seed": "3"},
        {"type": "z", "k": 0, "value": 2.0, "done": True},
        {"type": "month", "value": "1998-04"},
        {"type": "visit", "query": "?month=1998-05&model=code&network=none"},
        {"type": "fields", "value": "full"},
    ],
)
def test_any_other_action_ends_a_walk_and_is_one_step_after_it(session, message):
    start = session.state.snapshot()
    send(session.explore.panel, type="walk-from", **{"from": "1997-01", "to": "draw 3"})
    send(session.explore.panel, type="walk", t=0.4)
    walked = session.state.snapshot()
    send(session.explore.panel, **message)
    after = session.state.snapshot()
    assert after != walked
    status = session.bar.status
    for late in ({"type": "walk", "t": 0.5}, {"type": "walked"}):
        send(session.explore.panel, **late)
    assert session.state.snapshot() == after
    assert session.bar.status == status
    send(session.bar, type="undo")
    assert session.state.snapshot() == walked
    send(session.bar, type="undo")
    assert session.state.snapshot() == start


def test_undo_during_a_walk_goes_back_to_before_it(session):
    start = session.state.snapshot()
    send(session.explore.panel, type="walk-from", **{"from": "1997-01", "to": "draw 3"})
    send(session.explore.panel, type="walk", t=0.4)
    send(session.bar, type="undo")
    send(session.explore.panel, type="walk", t=0.5)
    assert session.state.snapshot() == start


def test_the_theme_may_change_during_a_walk(session):
    send(session.explore.panel, type="walk-from", **{"from": "1997-01", "to": "draw 3"})
    send(session.bar, type="theme", value="dark")
    before = session.state.z
    send(session.explore.panel, type="walk", t=0.5)
    assert not np.array_equal(session.state.z, before)

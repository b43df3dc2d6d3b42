"""Whatever a browser sends is done or refused in a sentence; the state stays a good one."""

import itertools
import random

import pytest
from visiting import PERTURB, SOME, Visit

from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.perturbations import PerturbationSettings
from mlda_core.page_state.serialize import from_query, to_query
from mlda_core.page_state.snapshot import View

DIGITS = "9" * 5000
BOX = {"type": "rect", "x0": -0.4, "y0": -0.2, "x1": 0.3, "y1": 0.3}
# What JSON can hold, and what the page itself sends somewhere; nothing that begins minutes of work.
VALUES = (
    *(None, "", "x", "nan", "\x00", "<b>", "../../etc/passwd", DIGITS, "a" * 5000),
    *(True, False, 0, 1, -1, 7, 2.5, 1e308, 10**30, 10**400, float("nan"), float("inf")),
    *([], {}, [1, 2], [None], [[0, 0], [1, 1]], {"a": 1}, ["verification"], ["ranks", "densities"]),
    *(BOX, {**BOX, "x0": "a"}, {**BOX, "x1": float("inf")}, {"type": "poly", "x": [], "y": []}),
    *({"type": "poly", "x": [0, 0.2, 0.2], "y": [0, 0, 0.2]}, {"type": "poly", "x": [0], "y": 3}),
    *(
        "1997-12",
        "1998-03",
        "psl",
        "tas",
        "analysis",
        "code",
        "own",
        "eof",
        "enoi",
        "nino34",
        "globe",
    ),
    *("increment", "spread", "stations", "none", "place", "ask", "box", "lasso", "cancel", "pause"),
    *(
        "report",
        "upper_bound",
        "mean",
        "wet",
        "draw 7",
        f"draw {DIGITS}",
        "dark",
        "observe",
        "region",
    ),
)
KEYS = (
    *("action", "answers", "area", "as", "at", "count", "done", "enabled", "from", "geometry", "k"),
    *(
        "kelvin",
        "key",
        "label",
        "lat",
        "lesson",
        "lon",
        "mode",
        "name",
        "page",
        "preferred",
        "query",
    ),
    *("region", "row", "seed", "size", "t", "text", "to", "variable", "whole", "x", "y"),
)
NAMES = [n for c in (ObservationSettings, PerturbationSettings, View) for n in c.param]
COUNT = 120


def message(chance, kinds):
    made = {"type": chance.choice(kinds), "value": chance.choice(VALUES)}
    made |= {key: chance.choice(VALUES) for key in chance.sample(KEYS, chance.randrange(6))}
    if chance.random() < 0.5:
        made |= {
            "name": chance.choice(NAMES),
            "x": chance.uniform(-1, 1),
            "y": chance.uniform(-1, 1),
        }
    return made


def holds(session):
    """Whether the state is one that its own link gives back."""
    query = to_query(session.state.snapshot(), session.limits)
    return to_query(from_query(query, session.limits), session.limits) == query


def send_all(visit, messages, others):
    session = visit.session
    before = [to_query(other.session.state.snapshot(), other.session.limits) for other in others]
    for one in messages:
        # What is refused goes to the page as a sentence; anything else comes out here.
        session._on_messages([one])
        visit.turn(0)
    assert holds(session)
    after = [to_query(other.session.state.snapshot(), other.session.limits) for other in others]
    assert after == before


@pytest.mark.slow
@pytest.mark.parametrize("query", ["?tool=explore&model=code&network=none", SOME, PERTURB])
def test_any_messages_are_done_or_refused(speedy, standing, query):
    chance = random.Random(query)  # noqa: S311 - no secret
    visit = Visit(speedy, query)
    kinds = sorted(visit.session._actions)
    send_all(visit, [message(chance, kinds) for _ in range(COUNT)], [standing])
    # It still does what it is asked.
    visit.session._on_messages([{"type": "month", "value": "1998-01"}])
    assert visit.session.state.month == "1998-01"
    visit.session.close()


def test_any_messages_about_days_are_done_or_refused(cycled):
    visit = Visit(cycled, "?tool=cycle&month=1984-03-01&model=code")
    visit.session.begin()
    chance = random.Random("days")  # noqa: S311 - no secret
    kinds = sorted(kind for kind in visit.session._actions if kind.startswith("cycle"))
    send_all(visit, [message(chance, kinds) for _ in range(COUNT)], [])
    visit.session.close()


# What no kind of message says of itself: each value of each key, for those that look something up.
LOOKED_UP = (
    "download-figure",
    "run",
    "sea-add",
    "impact",
    "random",
    "walk-from",
    "z",
    "obs-toggle",
)


def test_what_is_looked_up_is_refused_whatever_it_is(speedy):
    visit = Visit(speedy, SOME)
    assert set(LOOKED_UP) <= set(visit.session._actions)
    keys = ("value", "action", "region", "seed", "from", "k", "row")
    send_all(
        visit,
        [
            {"type": kind, "to": "draw 1", "variable": "psl", key: value}
            for kind, key, value in itertools.product(
                LOOKED_UP, keys, ([], {}, True, DIGITS, 10**400)
            )
        ],
        [],
    )
    visit.session.close()


@pytest.mark.parametrize("seq", [True, -1, 2.5, "1", None, [], 10**400])
def test_an_odd_number_of_a_batch_is_answered(standing, seq):
    bar = standing.session.bar
    before = bar.ack
    bar._handle_msg({"seq": seq, "batch": [{"type": "home"}, 3, None]})
    assert isinstance(bar.ack, int)
    assert bar.ack != before
    for data in (None, 3, "x", [], {"seq": 1}, {"seq": 1, "batch": 3}, {"batch": {}}):
        bar._handle_msg(data)


def test_a_link_to_a_question_of_thousands_of_digits_is_refused(speedy):
    visit = Visit(speedy, f"?lesson=one-observation.{DIGITS}")
    assert visit.session.bar.failed
    visit.session.close()

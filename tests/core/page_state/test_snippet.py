"""A state as a Python program."""

import ast

import numpy as np
import pytest

from mlda_core.page_state import observations as change
from mlda_core.page_state.opened import PageState, from_link
from mlda_core.page_state.rows import Row
from mlda_core.page_state.snippet import MOST_ROWS, WIDTH, snippet_of
from mlda_core.perturbation.sst_patches import Patch


@pytest.fixture(scope="module")
def month(world):
    return world.months[-1]


def with_observed(state, observed):
    return PageState(state.snapshot.replace(observations=observed), state.bundle, state.limits)


def run(text):
    made = {}
    exec(compile(text, "snippet.py", "exec"), made)  # noqa: S102 - it is what is tested
    return made


@pytest.fixture
def state(world, month):
    return from_link(f"?month={month}&stations=10", world)


def test_a_plain_state_is_a_few_lines_in_words(state, month):
    text = snippet_of(state).text
    assert 'network = NetworkSpec(kind="stations", count=10, seed=1)' in text
    assert f'month = "{month}"' in text
    assert "from_link" not in text
    assert len(text.splitlines()) < 25
    assert snippet_of(state).made == "analysis"


def test_rows_placed_by_hand_are_a_table_and_make_the_same(state):
    name = state.bundle.variables[0].name
    observed = change.place(state.snapshot.observations, Row(name, 51.5, 0.0, 1.5, label='a "b"'))
    observed = change.place(observed, Row(name, 40.0, 20.0, None, 0.7, withheld=True))
    observed = change.withhold(change.delete(observed, [3]), [1, 2], held=True)
    observed = change.edit(observed, 5, Row(name, -20.0, 30.0, -0.25))
    for edited in (observed, observed.adjust({"kind": "none"})):
        hand = with_observed(state, edited)
        snippet = snippet_of(hand)
        made = run(snippet.text)
        assert made["observations"].equals(hand.observations())
        np.testing.assert_array_equal(made["analysis"].anomalies, hand.fields())
        assert snippet.scored


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"kind": "lower_bound"}, "reports, bounds or means"),
        ({"absolute": True, "month": "1947-02"}, "another month's climatology"),
    ],
)
def test_what_is_too_special_is_left_to_the_link_and_said(state, month, row, words):
    name = state.bundle.variables[0].name
    given = Row(name, 51.5, 0.0, 0.5, 0.5, month=month)._replace(**row)
    if given.absolute and given.month[5:] == month[5:]:
        given = given._replace(month="1947-05")
    hand = with_observed(state, change.place(state.snapshot.observations, given))
    text = snippet_of(hand).text
    assert words in text
    assert run(text)["observations"].equals(hand.observations())


def test_too_many_rows_are_left_to_a_file(state):
    name = state.bundle.variables[0].name
    rng = np.random.default_rng(0)
    rows = [Row(name, *(float(v) for v in rng.uniform(-60, 60, 2)), 1.0) for _ in range(3000)]
    many = with_observed(state, state.snapshot.observations.replace(own=tuple(rows)))
    text = snippet_of(many).text
    assert f'from_file("mlda-{state.month}.json"' in text
    assert len(rows) > MOST_ROWS
    some = with_observed(state, state.snapshot.observations.replace(own=(rows[0],) * 50))
    assert "from_link(" in snippet_of(some).text


def test_nothing_observed_is_the_background(world, month):
    state = from_link(f"?month={month}&network=none", world)
    made = run(snippet_of(state).text)
    assert made["observations"].empty
    np.testing.assert_array_equal(made["analysis"].anomalies, state.fields())


@pytest.mark.parametrize(
    ("query", "of"),
    [
        ("column=increment", lambda made: made["analysis"].increment),
        ("column=spread", lambda made: made["analysis"].spread),
        ("column=member&member=2", lambda made: made["ensemble"].anomalies[1]),
        ("column=probability", lambda made: made["ensemble"].event_probability("above")),
        ("column=probability&event=under&threshold=-1", None),
        ("column=influence", lambda made: made["shown"]),
        ("column=difference", None),
        ("column=difference&beside=enoi", None),
        ("column=next", lambda made: made["shown"]),
    ],
)
def test_what_the_column_shows_is_made_too(world, month, query, of):
    state = from_link(f"?month={month}&stations=10&method=eof&{query}", world)
    text = snippet_of(state).text
    if "next" in query:
        assert "where_next" in text
        return
    made = run(text)
    assert np.shape(made["shown"]) == world.mask.shape
    if of is not None:
        np.testing.assert_array_equal(made["shown"], of(made))


def test_a_response_is_written_with_its_changes(speedy):
    polygon = tuple(
        (float(10 * np.sin(a)), float(180 + 20 * np.cos(a))) for a in np.arange(0, 6, 0.2)
    )
    state = from_link("?tool=perturb&held=outside&within=0:10:150:200&view=sensitivity", speedy)
    sea = state.snapshot.perturbations
    sea = sea.replace(
        patches=(
            *sea.patches,
            Patch(1.0, polygon=polygon),
            Patch(2.0, region="globe", enabled=False),
        )
    )
    state = PageState(state.snapshot.replace(perturbations=sea), speedy, state.limits)
    text = snippet_of(state).text
    tree = ast.parse(text)
    calls = [
        n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "Patch"
    ]
    written = [Patch(**{k.arg: ast.literal_eval(k.value) for k in call.keywords}) for call in calls]
    assert tuple(written) == sea.enabled
    assert "inside=inside" in text
    assert "region=Region(" in text
    assert max(map(len, text.splitlines())) <= WIDTH + 10


def test_a_cycle_is_left_to_the_link(cycled):
    query = "?tool=cycle&model=code&cycle_from=1984-03-01&month=1984-03-02&cycle_stations=30"
    state = from_link(f"{query}&cycle_without=1984-03-02:europe", cycled)
    text = snippet_of(state).text
    assert "From 1984-03-02 on not observed: europe." in text
    made = run(text)
    own = state.cycle()
    assert list(made["days"]) == list(own)
    np.testing.assert_array_equal(made["days"]["1984-03-02"].analysis, own["1984-03-02"].analysis)
    assert "No run has begun" in snippet_of(from_link("?tool=cycle&model=code", cycled)).text


def test_a_code_is_written_with_its_limits(world, month):
    state = from_link(f"?month={month}&model=code&tool=explore", world)
    made = run(snippet_of(state).text)
    np.testing.assert_array_equal(made["fields"], state.fields())

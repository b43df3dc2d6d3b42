"""Places of stations, scored on months that nobody has seen."""

import numpy as np
import pytest

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.climate.errors import StateError
from mlda_core.evaluation import ten_stations as game
from mlda_core.evaluation.ten_stations import PlacesError
from mlda_core.evaluation.verification import score_fields
from mlda_core.observations.networks import synthesise
from mlda_core.page_state.quantities import unobserved_weights

TEN = [
    *((65, -21), (38, -28), (-12, 131), (-17, 209), (61, 182)),
    *((62, 61), (44, 261), (-61, 268), (-58, 92), (80, 21)),
]


@pytest.fixture(scope="module")
def engine(world):
    return Assimilator(world)


def test_months_are_of_test_and_the_one_to_practise_on_is_not(world, speedy):
    for bundle in (world, speedy):
        months = game.unseen_months(bundle)
        assert {bundle.split(month) for month in months} == {"test"}
        assert bundle.split(game.practice_month(bundle)) == "validation"
        turn = game.months_in_turn(bundle, 3)
        assert sorted(turn) == sorted(months)
        assert turn == game.months_in_turn(bundle, 3) != game.months_in_turn(bundle, 4)


def test_what_cannot_be_played_is_refused_with_the_remedy(daily, world, monkeypatch):
    bundle = daily[0] if isinstance(daily, tuple) else daily
    with pytest.raises(PlacesError, match="is of days, and stations are scored on months"):
        game.practice_month(bundle)
    monkeypatch.setattr(type(world), "split", lambda *_: "train")
    with pytest.raises(PlacesError, match="holds no test month"):
        game.unseen_months(world)
    monkeypatch.setattr(type(world), "split", lambda *_: "test")
    with pytest.raises(PlacesError, match="none to practise on"):
        game.practice_month(world)
    monkeypatch.setattr(type(world), "has_statistics", False)
    with pytest.raises(PlacesError, match="run 'mlda calibrate'"):
        game.unseen_months(world)


@pytest.mark.parametrize(
    ("places", "words"),
    [
        (TEN[:7], "There are 7 of 10 stations; place 3 more, then score."),
        (TEN[:1], "There is 1 of 10 stations; place 9 more, then score."),
        ([*TEN, (0, 0)], "There are 11 of 10 stations; delete 1, then score."),
        ([], "There are 0 of 10 stations; place 10 more"),
        ([*TEN[:9], (65.1, -21.1)], "9 of 10 stations, as another stands in a cell that has one"),
        ([*TEN[:9], (91, 0)], "no place at latitude 91, longitude 0"),
        ([*TEN[:9], (float("nan"), 0)], "no place at latitude nan"),
        ([*TEN[:9], "here"], "no pair of numbers"),
        ([*TEN[:9], (None, 1)], "no pair of numbers"),
    ],
)
def test_places_that_cannot_be_scored_are_refused_in_a_sentence(world, places, words):
    with pytest.raises(PlacesError) as refused:
        game.check_places(world, places)
    assert words in str(refused.value)


def test_a_station_observes_what_exists_at_its_place(speedy, monkeypatch):
    found = game.stations_at(speedy, [(50, 90), (0, -160)])
    assert found["variable"].tolist() == ["psl", "tas"] * 2
    assert found["station"].tolist() == [0, 0, 1, 1]
    assert found["lon"].tolist() == [90, 90, 200, 200]
    # The sea surface is observed at sea alone.
    monkeypatch.setattr(game, "observes", lambda *_: ("tos",))
    assert game.stations_at(speedy, [(0, 200)])["variable"].tolist() == ["tos"]
    with pytest.raises(PlacesError, match=r"no sea surface temperature at 50\.0°N 90\.0°E"):
        game.stations_at(speedy, [(0, 200), (50, 90)])


def test_a_score_is_that_of_an_analysis_where_nothing_was_observed(world, engine):
    month = "1963-08"
    scored = game.score_places(world, TEN, [month], assimilator=engine)
    assert list(scored) == [*(v.name for v in world.variables), "mean"]
    rows = game.stations_at(world, TEN)
    season = world.seasons.of(month)
    seed = game.noise_seed(month)
    table = synthesise(rows, world, world.target(month), season, seed=seed)
    found = engine.run(table, month)

    class State:
        bundle = world

    for v, variable in enumerate(world.variables):
        # The page's own weights of cells that nothing was observed in.
        there = unobserved_weights(State, table, variable.name) > 0
        target = np.where(there, world.target(month), np.nan)
        by_hand = score_fields(target, found.anomalies, world.grid)[v]
        assert scored.loc[month, variable.name] == pytest.approx(
            by_hand.explained_variance, abs=1e-4, nan_ok=True
        )


def test_a_variable_that_a_month_lacks_has_no_score(world, engine):
    # Pressure begins in 1950.
    scored = game.score_places(world, TEN, ["1947-03"], assimilator=engine)
    assert np.isnan(scored.loc["1947-03", "psl"])
    assert scored.loc["1947-03", "mean"] == scored.loc["1947-03", "tasa"]


def test_stations_without_a_value_in_the_month_are_told_of(world, engine):
    gaps = np.argwhere(np.isnan(world.target("1947-03")).all(axis=0))
    there = np.argwhere(np.isfinite(world.target("1947-03")).any(axis=0))
    silent, heard = (
        [(float(world.grid.lat[row]), float(world.grid.lon[column])) for row, column in cells]
        for cells in (gaps, there)
    )
    with pytest.raises(PlacesError, match="None of the stations has a value in 1947-03"):
        game.score_places(world, silent[:1], ["1947-03"], count=None, assimilator=engine)
    first = next(game.compete(engine, [*silent[:3], *heard[:60:10], heard[-1]], "1947-03"))
    assert first.reporting < 10


@pytest.mark.slow
def test_all_test_months_are_scored_unless_others_are_named(world, engine):
    scored = game.score_places(world, TEN, assimilator=engine)
    assert tuple(scored.index) == game.unseen_months(world)
    assert np.isfinite(scored["mean"]).all()
    again = game.score_places(world, TEN, assimilator=engine)
    assert scored.equals(again)
    other = game.score_places(world, TEN, seed=2, assimilator=engine)
    assert (other["mean"] != scored["mean"]).all()
    one = game.score_places(world, TEN[:1], ["1963-05"], count=None, assimilator=engine)
    assert one["mean"].iloc[0] < scored["mean"].max()
    with pytest.raises(StateError, match="2050-01"):
        game.score_places(world, TEN, ["2050-01"], assimilator=engine)
    with pytest.raises(PlacesError, match="from 0 to"):
        game.score_places(world, TEN, ["1963-05"], seed=9999, assimilator=engine)


def test_the_climatology_scores_nothing(world, engine):
    scored = game.score_places(world, TEN, ["1963-05"], assimilator=engine, method="climatology")
    assert scored["mean"].iloc[0] == pytest.approx(0, abs=1e-6)


def test_a_round_grows_and_its_rivals_are_scored_as_places_are(world, engine, monkeypatch):
    month = "1963-07"
    *growing, last = game.compete(engine, TEN, month, draws=4)
    assert [len(one.draws) for one in growing] == [0, 1, 2, 3, 4]
    assert all(one.best is None for one in growing)
    own = game.score_places(world, TEN, [month], assimilator=engine)
    assert game.mean_score(last.own) == pytest.approx(own["mean"].iloc[0])
    assert last.reporting == 10
    for draw, scores in enumerate(last.draws, 1):
        places = game.random_stations(world, draw)
        assert len(places) == 10
        same = game.score_places(world, places, [month], assimilator=engine)
        assert game.mean_score(scores) == pytest.approx(same["mean"].iloc[0])
    assert last.beaten == sum(
        game.mean_score(draw) < game.mean_score(last.own) for draw in last.draws
    )
    best = game.best_stations(engine, month)
    same = game.score_places(world, best, [month], assimilator=engine)
    assert game.mean_score(last.best) == pytest.approx(same["mean"].iloc[0])

    # Rivals are the same for everybody: nobody's are computed twice.
    def never(*_):
        raise AssertionError("a rival is scored again")

    monkeypatch.setattr(game, "random_stations", never)
    monkeypatch.setattr(game, "best_stations", never)
    *_, other = game.compete(engine, [(lat, lon + 40) for lat, lon in TEN], month, draws=4)
    assert [draw is was for draw, was in zip(other.draws, last.draws, strict=True)] == [True] * 4


def test_more_stations_score_better_than_few(world, engine):
    months = [f"1963-{month:02d}" for month in range(1, 13)]
    means = [
        game.score_places(
            world, game.random_stations(world, 1, count), months, count=count, assimilator=engine
        )["mean"].mean()
        for count in (1, 10, 60)
    ]
    assert means == sorted(means)

"""The game of ten stations without a browser."""

import numpy as np
import pytest
from visiting import Visit

from app.learn import game
from app.learn.game import round_words
from app.maps.projections import to_map
from app.text import date_phrase
from mlda_core.evaluation import ten_stations
from mlda_core.evaluation.ten_stations import STATIONS, Standing, months_in_turn, score_places
from mlda_core.page_state import observations
from mlda_core.page_state.analyses import engine_of
from mlda_core.page_state.rows import Row

TEN = [
    *((65, 338), (38, 332), (-12, 131), (-17, 210), (60, 180)),
    *((60, 60), (45, 260), (-60, 270), (-60, 90), (80, 20)),
]
PRACTICE = "2004-01"


@pytest.fixture
def played(speedy, monkeypatch):
    """A visit with the game open; the months are in the order of the seed 0, few draws."""
    monkeypatch.setattr(game.secrets, "randbits", lambda _: 0)
    monkeypatch.setattr(game, "DRAWS", 2)
    compete = ten_stations.compete
    monkeypatch.setattr(game, "compete", lambda *args: compete(*args, draws=2))
    visit = Visit(speedy, "?lesson=ten-stations&theme=dark")
    visit.settle()
    yield visit
    visit.session.close()


def click(visit, lat, lon, variable="psl"):
    x, y = to_map(visit.session.state.projection, np.array([lon]), np.array([lat]))
    visit.send(type="obs-place", variable=variable, x=float(x[0]), y=float(y[0]), **{"as": "value"})


def place_ten(visit, places=TEN):
    """Place stations as a link does: clicks draw the page each time."""
    state = visit.session.state
    rows = tuple(Row(name, lat, lon) for lat, lon in places for name in ("psl", "tas"))
    state.observations = state.observations.replace(own=rows)
    state.commit()
    visit.session.redraw()


def panel(visit):
    return visit.session.game.panel


def scored(visit):
    return panel(visit).round.get("busy") is False


def test_a_link_opens_it_on_a_month_to_practise_on(played):
    state = played.session.state
    assert (state.month, state.lesson, state.theme) == (PRACTICE, "ten-stations", "dark")
    assert state.observations.kind == "none"
    assert not len(played.rows)
    assert panel(played).shown
    assert played.session.learn.panel.away
    assert panel(played).place == "practice"
    assert panel(played).about["observes"] == "pressure and air"
    assert "lesson=ten-stations" in played.session.bar.query or not played.session.bar.query


@pytest.mark.slow
def test_learn_offers_it_and_undo_brings_back_what_was_there(speedy):
    visit = Visit(speedy, "?month=1997-05&network=stations&stations=20")
    visit.send(type="learn")
    assert visit.session.learn.panel.no_game == ""
    visit.send(type="game")
    state = visit.session.state
    assert (state.month, state.lesson) == (PRACTICE, "ten-stations")
    visit.send(type="undo")
    assert (state.month, state.lesson) == ("1997-05", "ten-stations")
    visit.send(type="lesson", value="list")
    assert not panel(visit).shown
    assert not visit.session.learn.panel.away
    visit.send(type="game")
    # Another tool closes it, and Learn opens it again as it was.
    visit.send(type="tool", value="observe")
    assert state.lesson == ""
    visit.send(type="learn")
    assert state.lesson == "ten-stations"
    visit.session.close()


@pytest.mark.slow
def test_a_click_places_all_that_a_station_observes(played):
    click(played, 65, 338, variable="pr")
    assert played.status == "Station 1 of 10 at 65.0°N 22.0°W."
    assert played.rows["variable"].tolist() == ["psl", "tas"]
    assert panel(played).stations == ["65°N 22°W"]
    click(played, 65.5, 338.5)
    assert "A station stands in the grid cell of" in played.status
    # It is withheld, moved and removed as one.
    at = {"variable": "psl", "row": 0}
    played.send(type="obs-toggle", **at)
    assert played.rows["withheld"].tolist() == [True, True]
    assert panel(played).stations == []
    played.send(type="obs-toggle", **at)
    x, y = to_map(played.session.state.projection, np.array([200.0]), np.array([0.0]))
    played.send(type="obs-move", **at, x=float(x[0]), y=float(y[0]), done=True)
    assert played.rows["lat"].tolist() == pytest.approx([0, 0], abs=0.01)
    assert panel(played).stations == ["0° 160°W"]
    played.send(type="game-remove", at=0)
    assert not len(played.rows)
    played.send(type="undo")
    assert len(played.rows) == 2
    for at in (5, -1, True, None):
        played.send(type="game-remove", at=at)
        assert "That station is gone" in played.status
    # Elsewhere a click observes one variable, as always.
    played.send(type="tool", value="observe")
    click(played, -12, 131)
    assert len(played.rows) == 3


def test_eleven_are_refused_and_so_are_seven(played):
    place_ten(played, TEN[:7])
    played.send(type="game-score")
    assert played.status == "There are 7 of 10 stations; place 3 more, then score."
    assert panel(played).round == {}
    place_ten(played)
    click(played, 10, 100)
    assert "All 10 stations are placed" in played.status
    assert len(played.rows) == 2 * STATIONS


def test_what_is_no_value_at_a_place_is_refused(played):
    place_ten(played)
    state = played.session.state
    row = Row("psl", 10.0, 100.0, kind="lower_bound", value=1.0, month=PRACTICE)
    state.observations = observations.place(state.observations, row)
    played.session.redraw()
    played.send(type="game-score")
    assert "1 observation here is no value at a place" in played.status
    assert panel(played).round == {}


def watched(session):
    """Return all that controls are given from now on, as texts, in order."""
    sent = []
    parts = [session.game.panel, session.learn.panel, session.bar, session.tools, session.titles]
    parts += [session.observe.panel, session.observe.heading, session.observe.gestures]
    for part in parts:
        names = [name for name in part.param if name not in ("name", "_esm")]
        part.param.watch(lambda *events: sent.append(repr([e.new for e in events])), names)
        part._send_msg = lambda message: sent.append(repr(message))
    return sent


@pytest.mark.slow
def test_nothing_of_the_month_is_told_before_it_is_scored(played, speedy, monkeypatch):
    place_ten(played)
    session = played.session
    month = months_in_turn(speedy, 0)[0]
    parts = (session.game.panel, session.learn.panel, session.bar, session.observe.panel)
    assert not any(month in repr(part.param.values()) for part in parts)
    sent, drawn, read = watched(session), [], []
    write, target = session.figures.write, type(speedy).target
    monkeypatch.setattr(
        session.figures, "write", lambda frame: (drawn.append(frame.request.month), write(frame))
    )
    monkeypatch.setattr(
        type(speedy), "target", lambda self, of: (read.append(of), target(self, of))[1]
    )
    played.send(type="game-score")
    played.settle(scored)
    assert month in read
    told = [date_phrase(month) in words or month in words for words in sent]
    first = told.index(True)
    # Progress was told before; the month and its scores come together, and no value at all.
    assert sum("'busy': True" in words for words in sent[:first]) > 2
    assert not any("own" in words for words in sent[:first])
    values = {f"{value:.5f}" for value in target(speedy, month)[0].ravel()}
    assert not any(value in words for words in sent for value in values)
    # Maps and scatter stay those of the month shown.
    assert set(drawn) == {PRACTICE} == {session.state.month}


@pytest.mark.slow
def test_a_round_is_scored_as_a_script_scores_it_and_shown_so(played, speedy):
    place_ten(played)
    played.send(type="game-score")
    assert panel(played).round == {"busy": True, "done": 0, "of": 4}
    played.send(type="game-score")
    assert "being scored; wait" in played.status
    played.settle(scored)
    found = panel(played).round
    month = found["month"]
    assert month == months_in_turn(speedy, 0)[0]
    assert speedy.split(month) == "test"
    places = list(dict.fromkeys(zip(played.rows["lat"], played.rows["lon"], strict=True)))
    by_script = score_places(speedy, places, [month], assimilator=engine_of(speedy)).loc[month]
    assert found["own"] == pytest.approx(by_script["mean"])
    assert (found["draws"], len(found["rows"])) == (2, 4)
    assert found["mean"][1] == f"{found['own']:.2f}".replace("-", "\N{MINUS SIGN}")
    assert "Where next?" in found["words"]
    # The page then shows the very analysis that was scored.
    played.send(type="game-show")
    played.settle()
    state = played.session.state
    assert (state.month, state.lesson, panel(played).place) == (month, "ten-stations", "scored")
    assert played.work.analysis.month == int(month[5:])
    weights = ten_stations.observed_weights(
        speedy,
        speedy.operator.locate(
            [[v.name for v in speedy.variables].index(name) for name in played.rows["variable"]],
            played.rows["lat"],
            played.rows["lon"],
        ),
        (),
    )
    target = speedy.target(month)
    for v, variable in enumerate(speedy.variables):
        shown = ten_stations.compare(target[v], played.work.analysis.anomalies[v], weights[v])
        assert shown.explained_variance == pytest.approx(by_script[variable.name], abs=1e-3)
    played.send(type="game-practise")
    assert (state.month, state.observations.noise) == (PRACTICE, 1)
    assert len(panel(played).stations) == 10
    # The next round is on another month.
    played.send(type="game-score")
    played.settle(lambda visit: scored(visit) and panel(visit).round["month"] != month)
    assert panel(played).round["id"] != found["id"]
    played.send(type="game-again")
    assert panel(played).round == {}
    assert panel(played).stations == []
    played.send(type="undo")
    assert len(panel(played).stations) == 10


@pytest.mark.slow
def test_a_month_that_was_looked_at_is_none_to_be_scored_on(played, speedy):
    place_ten(played)
    turn = months_in_turn(speedy, 0)
    played.send(type="month", value=turn[0])
    assert panel(played).place == ""
    played.send(type="game-score")
    played.settle(scored)
    assert panel(played).round["month"] == turn[1]
    played.session.game._seen.update(turn)
    played.send(type="game-score")
    assert "All 60 test months were scored on or looked at" in played.status


def test_before_a_round_no_month_can_be_shown(played):
    played.send(type="game-show")
    assert "Nothing is scored yet" in played.status
    assert played.session.state.month == PRACTICE


def test_a_failure_is_said_and_ends_the_round(played, monkeypatch):
    place_ten(played)

    def broken(*_):
        raise RuntimeError("no memory")

    monkeypatch.setattr(game, "compete", broken)
    played.send(type="game-score")
    played.settle(lambda visit: not panel(visit).round)
    assert played.status == "The round could not be scored: no memory"


def test_a_bundle_of_days_says_why_it_cannot_be_played(cycled):
    visit = Visit(cycled, "?lesson=ten-stations")
    assert "stations are scored on months" in panel(visit).refused
    assert visit.session.learn.panel.no_game == panel(visit).refused
    before = visit.session.state.snapshot()
    for kind in ("game", "game-score", "game-practise", "game-again"):
        visit.send(type=kind)
        assert "stations are scored on months" in visit.status
    assert visit.session.state.snapshot() == before
    visit.session.close()


def test_a_round_in_words():
    made = Standing("1998-03", ("psl",), np.array([0.4]), 9, (np.array([0.3]), np.array([0.5])))
    with pytest.raises(RuntimeError):
        round_words(made)
    best = Standing(made.month, made.variables, made.own, 9, made.draws, np.array([0.3]))
    words = round_words(best).replace("\N{NO-BREAK SPACE}", " ")
    assert words.startswith("In March 1998 your stations explain 40 % of the variance where")
    assert "worse than ten random stations on average, of which you beat 1 of 2 draws, but" in words
    assert "but better than the best ten places" in words
    assert words.endswith("1 station had no value in that month.")
    none = Standing(made.month, made.variables, np.array([-0.1]), 10, made.draws, np.array([0.3]))
    assert "no better than the usual weather of the month" in round_words(none)

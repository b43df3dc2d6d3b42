"""The game of ten stations: places on a month to practise on, scored on one that nobody has seen.

Which month that is, and its target, stay on the server until the round is scored; of the visitor's
observations only the places are taken to it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np

from app.components import Message
from app.context import Action, SessionContext
from app.jobs.worker import ANALYSES, Latest
from app.learn.component import Game
from app.learn.lesson import GAME
from app.learn.shelf import game_link
from app.text import counted, date_phrase, listed, number, place, short_labels
from mlda_core.bundle.shipped import link_of
from mlda_core.climate.errors import UserError
from mlda_core.evaluation.ten_stations import (
    DRAWS,
    STATIONS,
    PlacesError,
    Standing,
    check_places,
    compete,
    mean_score,
    months_in_turn,
    noise_seed,
    practice_month,
    station_variables,
    stations_at,
)
from mlda_core.observations.default_errors import DEFAULT_ERROR
from mlda_core.observations.land import cell_of
from mlda_core.page_state import observations
from mlda_core.page_state.analyses import engine_of
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.rows import Row, check_row, pack_rows, plain_rows
from mlda_core.page_state.settings import InvalidStateError, is_count

if TYPE_CHECKING:
    import pandas as pd

    from app.state import State
    from app.tools.observe import ObserveTool
    from mlda_core.bundle.bundle import Bundle

Place = tuple[float, float]


class GameTool:
    """State and actions of the game.

    Parameters
    ----------
    context : SessionContext
    observe : ObserveTool
        Whose observations the stations are.
    key : str
        Of the bundle shown.
    take : callable
        Takes over the state of a link.
    """

    def __init__(
        self,
        context: SessionContext,
        observe: ObserveTool,
        key: str,
        *,
        take: Callable[[str], None],
    ) -> None:
        self._bundle: Bundle = context.bundle
        self._state: State = context.state
        self._observe, self._key, self._take = observe, key, take
        self._say, self._redraw = context.say, context.redraw
        self._work = Latest(context.schedule, self._failed, pool=ANALYSES)
        self.refused = ""
        try:
            self._practice = practice_month(self._bundle)
            # Nobody can know the order, and it is another one in each visit.
            self._turn = months_in_turn(self._bundle, secrets.randbits(32))
            names = station_variables(self._bundle)
        except UserError as error:
            self.refused, self._practice, self._turn, names = str(error), "", (), ()
        self._seen: set[str] = set()
        self._round: dict[str, Any] = {}
        # Of the round: what was scored, and on which month.
        self._scored: tuple[str, list[Place]] = ("", [])
        short = short_labels(self._bundle.variables)
        self._names = [short[name] for name in names]
        self.panel = Game(
            context.on_messages,
            refused=self.refused,
            bundle=key,
            about={
                "observes": listed(self._names) if self._names else "",
                "error": number(DEFAULT_ERROR, 1),
                "count": STATIONS,
                "practice": date_phrase(self._practice) if self._practice else "",
            },
            sizing_mode="stretch_width",
            margin=0,
        )
        observe.by_station = lambda: self.open
        observe.place_station = self.place

    @property
    def open(self) -> bool:
        """Whether the game is open, and can be played."""
        return self._state.lesson == GAME and not self.refused

    def actions(self) -> Mapping[str, Action]:
        """Return what each message of the game does."""
        return {
            "game": self.begin,
            "game-remove": self.remove,
            "game-score": self.score,
            "game-show": self.show_month,
            "game-practise": self.practise,
            "game-again": self.start_again,
        }

    # -- stations --------------------------------------------------------------------------------

    def stations(self) -> list[Place]:
        """Return where the stations are that are not withheld.

        Raises
        ------
        PlacesError
            If something else than values at places is observed.
        """
        rows = self._observe.table.everywhere
        rows = rows[~rows["withheld"].to_numpy(dtype=bool)]
        others = 0
        if "kind" in rows:
            plain = (rows["kind"] == "value") & (rows["area"] == "")
            others, rows = int((~plain).sum()), rows[plain]
        if others:
            verb = "is no value" if others == 1 else "are no values"
            raise PlacesError(
                f"{counted(others, 'observation')} here {verb} at a place, as a station observes; "
                "delete what is none under Observe."
            )
        return list(dict.fromkeys(_places(rows)))

    def place(self, lat: float, lon: float) -> str:
        """Place a station."""
        lat, lon = check_row(Row("", lat, lon))[1:3]
        before = self.stations()
        if len(before) >= STATIONS:
            raise PlacesError(
                f"All {STATIONS} stations are placed; drag one elsewhere, or click one to withhold "
                "it."
            )
        others = np.array(_places(self._observe.table.everywhere)).reshape(-1, 2).T
        row, column = cell_of(self._bundle, *others)
        mine = cell_of(self._bundle, np.array([lat]), np.array([lon]))
        if ((row == mine[0]) & (column == mine[1])).any():
            raise PlacesError(
                f"A station stands in the grid cell of {place(lat, lon)} already; choose another "
                "place."
            )
        made: ObservationSettings = self._state.observations
        label = f"station {len(before) + 1}"
        for name in self._observed_at(lat, lon):
            made = observations.place(made, Row(name, lat, lon, label=label))
        self._state.observations = made
        self._state.commit()
        return f"Station {len(before) + 1} of {STATIONS} at {place(lat, lon)}."

    def _observed_at(self, lat: float, lon: float) -> list[str]:
        """Return what a station observes at a place where the month shown has a value of it."""
        found = stations_at(self._bundle, [(lat, lon)])
        rows = [v.name for v in self._bundle.variables]
        which = np.array([rows.index(name) for name in found["variable"]])
        spots = self._bundle.operator.locate(which, found["lat"], found["lon"])
        value = self._bundle.operator.apply(spots, self._bundle.target(self._state.month))
        names = found["variable"][np.isfinite(value)].tolist()
        if not names:
            raise PlacesError(
                f"The target of {self._state.month} has no {' and no '.join(self._names)} at "
                f"{place(lat, lon)}; choose another place or month."
            )
        return names

    def remove(self, message: Message) -> str:
        """Remove a station, by its number from 0."""
        at, found = message.get("at"), self.stations()
        if not is_count(at) or at >= len(found):
            raise InvalidStateError("That station is gone; choose another.")
        table = self._observe.table
        mine = [i for i, where in enumerate(_places(table.rows)) if where == found[at]]
        gone = table.sources[mine].tolist()
        self._state.observations = observations.delete(self._state.observations, gone)
        self._state.commit()
        return f"Station {at + 1} removed."

    # -- what a visitor does ---------------------------------------------------------------------

    def begin(self, _: Message) -> str:
        """Open the game with nothing observed, on the month to practise on."""
        self._demand()
        self._set(game_link(self._bundle))
        return "Place ten stations on the maps. Undo brings back what was here."

    def practise(self, _: Message) -> str:
        """Go back to the month to practise on, with the stations as they are."""
        self._demand()
        plain: ObservationSettings = self._state.observations
        self._state.param.update(
            month=self._practice,
            observations=plain.adjust({"noise": ObservationSettings().noise}),
        )
        self._state.commit()
        return ""

    def start_again(self, message: Message) -> str:
        """Remove all stations, and forget the round; the browser forgets those before."""
        self.begin(message)
        self._work.cancel()
        self._round, self._scored = {}, ("", [])
        return "The rounds are forgotten. Undo brings back the stations."

    def score(self, _: Message) -> str:
        """Take the places to a month that was not seen, and score them and their rivals there."""
        self._demand()
        if self._round.get("busy"):
            raise PlacesError("The round before is being scored; wait for it.")
        chosen = check_places(self._bundle, self.stations())
        left = [month for month in self._turn if month not in self._seen]
        if not left:
            raise PlacesError(
                f"All {len(self._turn)} test months were scored on or looked at in this visit; "
                "load the page again for another order of them."
            )
        month, name = left[0], secrets.token_hex(6)
        self._seen.add(month)
        # The month is told with its score.
        self._round = {"busy": True, "done": 0, "of": DRAWS + 2}

        def deliver(standing: Standing) -> None:
            done = 1 + len(standing.draws) + (standing.best is not None)
            self._round = {"busy": True, "done": done, "of": DRAWS + 2}
            if standing.best is not None:
                self._scored = (month, chosen)
                self._round = self._told(standing, name)
                self._say(f"Scored {date_phrase(month)}.")
            self._redraw()

        self._work.stream(lambda: compete(engine_of(self._bundle), chosen, month), deliver)
        return "Your ten places are taken to a month that was not seen here."

    def show_month(self, _: Message) -> str:
        """Show the month that was scored last, as it was scored."""
        month, places = self._scored
        if not month:
            raise PlacesError("Nothing is scored yet; place ten stations, then score them.")
        found = stations_at(self._bundle, places)
        rows = [
            check_row(Row(name, lat, lon, label=f"station {station + 1}"))
            for name, lat, lon, station in found.itertuples(index=False)
        ]
        self._set(
            urlencode(
                {
                    "month": month,
                    "network": "none",
                    "noise": noise_seed(month),
                    "rows": pack_rows({"own": plain_rows(rows)}),
                }
            )
        )
        return f"The stations as they were scored {date_phrase(month)}."

    def _set(self, link: str) -> None:
        looks = urlencode({"projection": self._state.projection})
        named = link_of(self._key)
        bundle = f"&{urlencode({'bundle': named})}" if named else ""
        self._take(f"{link}&{looks}{bundle}")
        self._state.lesson = GAME

    def _demand(self) -> None:
        if self.refused:
            raise PlacesError(self.refused)

    # -- what it shows ---------------------------------------------------------------------------

    def show(self) -> None:
        """Update the panel; the caller holds the document."""
        month = self._state.month
        if month in self._turn:
            self._seen.add(month)
        is_open = self._state.lesson == GAME
        self.panel.put(shown=is_open)
        if not is_open:
            return
        try:
            found = self.stations()
        except PlacesError:
            # Said when they are scored.
            found = []
        where = "practice" if month == self._practice else ""
        if month == self._scored[0]:
            where = "scored"
        self.panel.put(
            stations=[place(*at, decimals=0) for at in found],
            month=date_phrase(month),
            place=where,
            round=self._round,
        )

    def _told(self, standing: Standing, name: str) -> dict[str, Any]:
        """Return a round as the browser shows and keeps it."""
        best = standing.best
        if best is None:
            raise RuntimeError("a round is told before it is complete")
        draws = np.stack(standing.draws)
        means = [mean_score(draw) for draw in draws]
        own, mean, rival = mean_score(standing.own), float(np.mean(means)), mean_score(best)
        short = short_labels(self._bundle.variables)
        rows = [
            [short[variable], *self._cells(standing.own[v], draws[:, v].tolist(), best[v])]
            for v, variable in enumerate(standing.variables)
        ]
        return {
            "busy": False,
            "id": name,
            "month": standing.month,
            "when": date_phrase(standing.month),
            "own": own,
            "random": mean,
            "best": rival,
            "beaten": standing.beaten,
            "draws": len(draws),
            "rows": rows,
            "mean": ["Mean", *self._cells(own, means, rival)],
            "words": round_words(standing),
        }

    @staticmethod
    def _cells(own: float, draws: list[float], best: float) -> list[str]:
        """Return a row of the table: own, mean and range of the draws, best of where next."""
        return [
            number(own),
            number(float(np.mean(draws))),
            f"{number(min(draws))} to {number(max(draws))}" if np.isfinite(draws).all() else "",
            number(best),
        ]

    def _failed(self, error: Exception) -> None:
        self._round = {}
        known = isinstance(error, UserError)
        words = str(error) if known else f"The round could not be scored: {error}"
        self._say(words, failed=True)
        self._redraw()

    def close(self) -> None:
        """Let go of everything, when the visitor has left."""
        self._work.cancel()
        self.panel.listen(None)


def _places(rows: pd.DataFrame) -> list[Place]:
    """Return the places of observations, in their order."""
    return list(zip(rows["lat"].tolist(), rows["lon"].tolist(), strict=True))


def round_words(standing: Standing) -> str:
    """Return what a complete round says, in a sentence or two."""
    if standing.best is None:
        raise RuntimeError("a round is told before it is complete")
    own, best = mean_score(standing.own), mean_score(standing.best)
    mean = float(np.mean([mean_score(draw) for draw in standing.draws]))
    when = date_phrase(standing.month)
    if own > 0:
        first = (
            f"{when[:1].upper()}{when[1:]} your stations explain {100 * own:.0f}\N{NO-BREAK SPACE}%"
            " of the variance where nothing was observed"
        )
    else:
        first = (
            f"{when[:1].upper()}{when[1:]} the analysis of your stations is no better than the "
            "usual weather of the month"
        )
    than = "better" if own > mean else "worse"
    against = "better" if own > best else "worse"
    joined = "and" if than == against else "but"
    words = (
        f"{first}. That is {than} than ten random stations on average, of which you beat "
        f"{standing.beaten} of {len(standing.draws)} draws, {joined} {against} than the best ten "
        "places of “Where next?”."
    )
    silent = STATIONS - standing.reporting
    if silent:
        words += f" {counted(silent, 'station')} had no value in that month."
    return words

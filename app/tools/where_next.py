"""Where next: a map of what one more observation would be worth, and the best ones placed.

The map is a view of the model's column, live as the observations change. What was promised of the
observations placed is kept, to be compared with what came of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn

from app.components import Message
from app.context import Action, SessionContext
from app.jobs.analysis import AnalysisJob, sentence
from app.jobs.worker import ANALYSES, Latest
from app.maps import frames
from app.maps.color_scales import Look, units
from app.text import counted, number, region_words, short_labels
from app.web_files import read
from app.widgets import Choice, button, row, text
from mlda_core.assimilation.methods import METHODS
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.targeting import COUNT, Target, where_next
from mlda_core.climate.regions import REGIONS, Region, drawn_box, region_mask
from mlda_core.climate.scales import round_end
from mlda_core.page_state import observations
from mlda_core.page_state.analyses import AnalysisRequest, engine_of
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.rows import InvalidObservationError, Row

if TYPE_CHECKING:
    from mlda_core.assimilation.targeting import NextObservations
    from mlda_core.bundle.bundle import Bundle

COLUMN = "next"
BOX = "box"
_NOTHING = frames.Column(COLUMN)
# Lets the tool's pointer draw the region: what dragging does is known in the browser alone.
_DRAW = "document.dispatchEvent(new CustomEvent('mlda:mode', {detail: 'aim'}))"


@dataclass(frozen=True)
class Question:
    """What is asked: what to observe, and whose spread it is to lower.

    Parameters
    ----------
    variable, target : str
        CF short names.
    region : Region
    """

    variable: str
    target: str
    region: Region


def same_aim(one: Question, other: Question) -> bool:
    """Whether two questions are about the same spread, whatever is to be observed."""
    return (one.target, one.region) == (other.target, other.region)


@dataclass(frozen=True, eq=False)
class Promise:
    """What observations that were placed were to bring.

    Parameters
    ----------
    asked : tuple
        Month and settings of the observations with them: it holds for these alone.
    question : Question
    count : int
        How many were placed.
    before, after : float
        Spread of the target before, and expected after.
    error : float
        Root-mean-square error of the target before; NaN without a target.
    """

    asked: tuple[Any, ...]
    question: Question
    count: int
    before: float
    after: float
    error: float


class WhereNext:
    """The map of what one more observation is worth, its controls, and what was promised.

    Parameters
    ----------
    context : SessionContext
    work : AnalysisJob
        The analyses of the observations; its task is what is asked about.
    """

    def __init__(self, context: SessionContext, work: AnalysisJob) -> None:
        bundle = context.bundle
        self._bundle, self._state, self._analyses = bundle, context.state, work
        self._changed = context.redraw
        self._work = Latest(context.schedule, self._broken, pool=ANALYSES)
        self._asked: tuple[AnalysisRequest, Question, float | None] | None = None
        # The answers to what is asked now; and what is drawn: those of all variables, which may be
        # older, so that their one scale does not change while answers come.
        self._answers: dict[str, NextObservations] = {}
        self._found: dict[str, NextObservations] = {}
        self._column = _NOTHING
        self._failed = ""
        self._promise: Promise | None = None
        # The spread with what was placed; None until it is computed.
        self._reached: float | None = None
        self._names = short_labels(bundle.variables)
        send = context.on_messages
        self.variable = Choice(
            "What to observe next",
            lambda name: send([{"type": "next", "name": "next_variable", "value": name}]),
            self._names,
            bundle.variables[0].name,
            width=110,
            title="The map of this row shows what one more observation of it is worth",
        )
        self.target = Choice(
            "Whose spread it is to lower",
            lambda name: send([{"type": "next", "name": "next_target", "value": name}]),
            self._names,
            bundle.variables[0].name,
            width=90,
        )
        self.region = Choice(
            "Where it is to lower it",
            lambda key: send([{"type": "next", "name": "next_region", "value": key}]),
            self._regions(None),
            "globe",
            width=126,
        )
        self.draw = button("Draw", lambda: None, "Drag a box over a map: the region asked about")
        self.draw.jscallback(clicks=_DRAW)
        self.one = button(
            "Place the best",
            lambda: send([{"type": "next-place", "count": 1}]),
            "Observe at the best place",
        )
        self.ten = button(
            f"Place the best {COUNT}",
            lambda: send([{"type": "next-place", "count": COUNT}]),
            "Observe at the best places in order, each the best given those before it",
        )
        self.words = text(name="next", sizing_mode="stretch_width")
        self.root = pn.Column(
            row(
                text("Observe", "what"),
                self.variable.widget,
                text("to lower the spread of", "what"),
            ),
            row(self.target.widget, text("in", "what"), self.region.widget, self.draw),
            row(self.one, self.ten),
            self.words,
            visible=False,
            margin=0,
            sizing_mode="stretch_width",
            stylesheets=[read("widgets/parts.css")],
            css_classes=["next"],
        )

    # -- what is asked -----------------------------------------------------------------------

    @property
    def shown(self) -> bool:
        """Whether the model's column shows the map."""
        return bool(self._state.observations.column == COLUMN)

    def question(self) -> Question:
        """Return what the settings ask, as far as the bundle has it."""
        settings: ObservationSettings = self._state.observations
        names = [v.name for v in self._bundle.variables]
        target = settings.next_target if settings.next_target in names else names[0]
        variable = settings.next_variable if settings.next_variable in names else target
        return Question(variable, target, self._region(settings))

    @staticmethod
    def _region(settings: ObservationSettings) -> Region:
        if settings.next_region == BOX and settings.next_box is not None:
            return drawn_box(*settings.next_box)
        return REGIONS.get(settings.next_region, REGIONS["globe"])

    @staticmethod
    def _regions(box: Any) -> dict[str, str]:
        drawn = {} if box is None else {BOX: drawn_box(*box).label}
        return {key: region.short for key, region in REGIONS.items()} | drawn

    def outlined(self) -> list[tuple[float, float, float, float]]:
        """Return the region asked about, to be outlined on the maps; none for the globe."""
        region = self.question().region
        if not self.shown or region == REGIONS["globe"]:
            return []
        return [(region.south, region.north, region.west, region.east)]

    def refresh(self) -> None:
        """Look for the best places in the background, once the observations are analysed.

        Where the maps are not shown what came of a promise is computed all the same.
        """
        task = self._analyses.task
        if task is None or not self._analyses.answered:
            return
        method = METHODS[task.method]
        setting = Setting(method=task.method, residual=task.residual)
        if not method.posterior or method.only_decodes(setting):
            self._found, self._answers, self._asked = {}, {}, None
            return
        question, known, promise = self.question(), self._asked, self._owed()
        asked = (task, question, self._state.observations.error if self.shown else None)
        if known is not None and known[0] is task and (known[1:] == asked[1:] or not self.shown):
            return
        if not self.shown and promise is None:
            return
        self._asked, self._failed, self._answers = asked, "", {}
        if known is None or not same_aim(known[1], question):
            # Those of the same question before a change of the network stay until their turn.
            self._found = {}
        # What is asked for first: it has the places too.
        names = dict.fromkeys([question.variable, *(v.name for v in self._bundle.variables)])
        orders = [(name, question, 0 if i else COUNT) for i, name in enumerate(names)]
        orders = orders if self.shown else []
        if promise is not None and not (self.shown and same_aim(promise.question, question)):
            # Something else is asked about now; what came of the promise is said all the same.
            orders.append(("", promise.question, 0))

        def deliver(result: tuple[str, NextObservations]) -> None:
            name, found = result
            if name:
                self._answers[name] = found
            if len(self._answers) == len(self._bundle.variables):
                self._found = dict(self._answers)
            due = self._owed()
            if due is not None and (not name or same_aim(due.question, question)):
                self._reached = found.spread
            self._changed()

        error = self._state.observations.error
        self._work.stream(lambda: self._answer(task, orders, error), deliver)

    def _answer(
        self, task: AnalysisRequest, orders: Sequence[tuple[str, Question, int]], error: float
    ) -> Iterator[tuple[str, NextObservations]]:
        """Answer questions in order, each about so many places; runs in the background."""
        for name, question, count in orders:
            found = where_next(
                engine_of(self._bundle),
                task.observations,
                task.month,
                name or question.variable,
                target=Target(question.target, question.region),
                count=count,
                error=error,
                **task.settings,
            )
            yield name, found

    def _owed(self) -> Promise | None:
        """Return the promise that is kept, while what came of it is not computed."""
        return self._kept_promise() if self._reached is None else None

    def _broken(self, error: Exception) -> None:
        self._found, self._answers = {}, {}
        self._failed = sentence(error, "The map of where next")
        self._changed()

    @property
    def best(self) -> NextObservations | None:
        """The answer to what is asked now; None while it is still looked for."""
        return self._answers.get(self.question().variable) if self._is_current else None

    @property
    def _is_current(self) -> bool:
        """Whether what was asked last is what is asked now."""
        asked, error = self._asked, self._state.observations.error
        return (
            asked is not None
            and asked[0] is self._analyses.task
            and asked[1:] == (self.question(), error)
            and self._analyses.answered
        )

    # -- what is drawn -----------------------------------------------------------------------

    def column(self) -> frames.Column:
        """Return the maps of all variables; the same object while they stay the same."""
        found = self._found
        if not found:
            self._column = _NOTHING
            return _NOTHING
        fields = np.stack([found[v.name].percent for v in self._bundle.variables])
        old = self._column.fields
        if old is None or not np.array_equal(old, fields, equal_nan=True):
            top = round_end(float(np.nanmax(fields))) if np.isfinite(fields).any() else 1.0
            many = len(self._bundle.variables)
            # One scale: what kind of observation is worth most is to be seen too.
            look = Look(
                limits=(top,) * many,
                units=("%",) * many,
                words="less variance",
                decimals=2 if top < 5 else 1,
            )
            self._column = frames.Column(COLUMN, fields, look=look)
        return self._column

    def hint(self) -> str:
        """Return why the maps are empty; '' where they are not."""
        if self._failed:
            return self._failed
        return "" if self._found else f"Being computed: {self._far()} …"

    def _far(self) -> str:
        return f"{len(self._answers)} of {len(self._bundle.variables)} maps"

    @property
    def late(self) -> str:
        """Return that the maps are of before, and how far the new ones are; '' where they are not.

        They stay until all are there: the maps have one scale.
        """
        if not self._found or self._failed:
            return ""
        if not self._is_current:
            return "still of before"
        done, all_of = len(self._answers), len(self._bundle.variables)
        # Short, for the column of a small window.
        return "" if done == all_of else f"of before, new {done}/{all_of}"

    def show(self) -> None:
        """Update the controls; the caller holds the document."""
        self.root.visible = self.shown
        if not self.shown:
            return
        settings: ObservationSettings = self._state.observations
        question = self.question()
        self.variable.show(question.variable)
        self.target.show(question.target)
        key = settings.next_region
        regions = self._regions(settings.next_box)
        self.region.show(key if key in regions else "globe", regions)
        words = [self._best_words(), *self.promise_words()]
        self.words.object = "".join(f"<p>{part}</p>" for part in words if part)

    def _best_words(self) -> str:
        best = self.best
        if best is None:
            return self._failed or "Looking for the best place …"
        if not len(best.best):
            return f"Every cell of {self._names[best.variable]} is observed."
        unit = self._unit(best.target.variable)
        first, last = best.best["spread"].iloc[0], best.best["spread"].iloc[-1]
        return (
            f"Spread now {number(best.spread, 3)} {unit}; {number(first, 3)} with the best place, "
            f"{number(last, 3)} with the best {len(best.best)}."
        )

    def _unit(self, name: str) -> str:
        variable = next(v for v in self._bundle.variables if v.name == name)
        return units(variable, full=False)

    # -- what is placed ----------------------------------------------------------------------

    def actions(self) -> Mapping[str, Action]:
        """Return what each message does."""
        return {"next": self.ask, "next-place": self.place}

    def ask(self, message: Message) -> str:
        """Ask about another variable, target or region."""
        name = str(message.get("name"))
        if name not in ("next_variable", "next_target", "next_region"):
            raise InvalidObservationError(f"Where next has no setting '{name[:24]}'.")
        self._state.observations = self._state.observations.adjust({name: message.get("value")})
        self._state.commit()
        return ""

    def aim(self, region: tuple[float, float, float, float]) -> str:
        """Ask about a box that was drawn."""
        made = self._state.observations.adjust({"next_box": region, "next_region": BOX})
        self._state.observations = made
        self._state.commit()
        return f"Asked about: {region_words(made.next_box)}."

    def place(self, message: Message) -> str:
        """Observe at the best places, with values as those of other placed observations."""
        count, best = message.get("count"), self.best
        if count not in (1, COUNT):
            raise InvalidObservationError(
                "The page asked for a number of places that is not offered."
            )
        if best is None:
            raise InvalidObservationError(
                self._failed or "The best place is still looked for; press again when it is there."
            )
        chosen = best.best.head(count)
        if not len(chosen):
            raise InvalidObservationError(
                f"Every cell of {self._names[best.variable]} is observed; choose another variable."
            )
        there = self._has_target(best.variable, chosen)
        name = self._names[best.variable]
        if not there.any():
            raise InvalidObservationError(
                f"The target has no {name} at the best places in {self._state.month}, so no value "
                f"can be sampled there; choose another {self._bundle.seasons.step}, or write the "
                "places with mlda assimilate --where-next."
            )
        settings: ObservationSettings = self._state.observations
        error = self._target_error()
        for i, (lat, lon) in enumerate(zip(chosen["lat"], chosen["lon"], strict=True)):
            if there[i]:
                placed = Row(best.variable, float(lat), float(lon), label=f"where next {i + 1}")
                settings = observations.place(settings, placed)
        self._state.observations = settings
        self._state.commit()
        made = int(there.sum())
        after = float(chosen["spread"].iloc[-1])
        self._promise = self._reached = None
        if made == len(chosen):
            asked = (self._state.month, settings.analysed)
            self._promise = Promise(asked, self.question(), made, best.spread, after, error)
        left = len(chosen) - made
        gone = f"; {counted(left, 'place')} left out, without a target there" if left else ""
        return f"Placed: {counted(made, 'observation')} of {name}{gone}."

    def _has_target(self, variable: str, places: Any) -> np.ndarray[Any, Any]:
        bundle = self._bundle
        which = [v.name for v in bundle.variables].index(variable)
        spots = bundle.operator.locate(np.full(len(places), which), places["lat"], places["lon"])
        return np.isfinite(bundle.operator.apply(spots, bundle.target(self._state.month)))

    # -- what was promised -------------------------------------------------------------------

    def promise_words(self) -> list[str]:
        """Return what the observations placed were to bring, and what came of them."""
        promise = self._kept_promise()
        if promise is None:
            return []
        unit, question = self._unit(promise.question.target), promise.question
        name, where = self._names[question.target], question.region.short
        said = (
            f"Promised by {counted(promise.count, 'observation')}: spread of {name}, {where}, from "
            f"{number(promise.before, 3)} to {number(promise.after, 3)} {unit}."
        )
        if not self._analyses.answered:
            return [said]
        error = self._target_error(question)
        reached = "being computed"
        if self._reached is not None:
            reached = f"{number(self._reached, 3)} {unit}"
        parts = [f"spread {reached}"]
        if np.isfinite(promise.error) and np.isfinite(error):
            parts.append(f"error from {number(promise.error, 3)} to {number(error, 3)} {unit}")
        return [f"{said} Now: {'; '.join(parts)}."]

    def _kept_promise(self) -> Promise | None:
        """Return the promise, while the observations are those it was made of."""
        now = (self._state.month, self._state.observations.analysed)
        return self._promise if self._promise is not None and self._promise.asked == now else None

    def _target_error(self, question: Question | None = None) -> float:
        """Return the analysis' error in what is asked about; NaN where there is no target."""
        question = question or self.question()
        analysis = self._analyses.analysis
        if analysis is None:
            return float("nan")
        bundle: Bundle = self._bundle
        which = [v.name for v in bundle.variables].index(question.target)
        off = analysis.anomalies[which] - bundle.target(self._state.month)[which]
        there = np.isfinite(off)
        weight = region_mask(bundle.grid, question.region) * bundle.grid.weights * there
        if not weight.sum() > 0:
            return float("nan")
        return float(np.sqrt((weight * np.where(there, off, 0.0) ** 2).sum() / weight.sum()))

    def close(self) -> None:
        """Release everything at the end of the session."""
        self._work.cancel()

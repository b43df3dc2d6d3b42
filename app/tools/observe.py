"""The tool Observe of one session: the observations, their analysis, and how both are shown.

The settings are in the state (`mlda_core.page_state.observations`); the table of observations
follows from them and the month (`mlda_core.page_state.tables`), the analysis from the table
(`app.jobs.analysis`).
Only the selected and the hovered observations are held here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn

from app.charts.cost import CostChart
from app.components import ObserveGestures
from app.context import SessionContext
from app.jobs.analysis import AnalysisJob
from app.jobs.members import MembersJob
from app.maps.area_marks import AreaMarks, Marked
from app.maps.markers import Markers
from app.text import (
    region_words,
    short_labels,
    state_words,
)
from app.tools import kinds
from app.tools.analysis_view import AnalysisView
from app.tools.heading_model import ModelHeading
from app.tools.members_choice import MembersChoice
from app.tools.methods import METHOD_LABELS, heeds, methods_of
from app.tools.observation_card import ObservationCard
from app.tools.observation_table import ObservationTable
from app.tools.observe_form import Inserts, ObserveForm
from app.tools.observe_panel import ObservePanel
from app.tools.observe_text import (
    OUTCOME_HELP,
    counts,
    listed_rows,
    month_words,
    outcome_words,
    reading,
    value_words,
)
from app.tools.two_places import First, hint
from app.tools.where_next import WhereNext
from mlda_core.climate.errors import StateError
from mlda_core.observations.areas import area_of
from mlda_core.observations.kinds import PLAIN, kind_of
from mlda_core.observations.networks import NETWORKS, NetworkError, observes, offered
from mlda_core.observations.table import ObservationError
from mlda_core.page_state.analyses import AnalysisRequest
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.rows import InvalidObservationError
from mlda_core.page_state.settings import options_of
from mlda_core.page_state.snapshot import OTHERS, Z_LIMIT
from mlda_core.page_state.tables import Table, no_table, resolve

if TYPE_CHECKING:
    from mlda_core.assimilation.analysis import Analysis

# The parts of the network whose analyses are drawn first, to a visitor who brings no state.
GREETING = (32, 16, 8, 4, 2)
# Why a network or its observations cannot be made.
REFUSALS = (InvalidObservationError, NetworkError, ObservationError, StateError)


def same_network(one: ObservationSettings, other: ObservationSettings) -> bool:
    """Whether two have the same network, whatever was done to its rows by hand."""
    return one.network == other.network


class ObserveTool:
    """State and actions of the tool Observe.

    Parameters
    ----------
    context : SessionContext
    """

    def __init__(self, context: SessionContext) -> None:
        bundle = context.bundle
        self._bundle, self._state, self._complain = bundle, context.state, context.complain
        self.analysing = AnalysisJob(context, delivered=self.follow_analysis)
        self.table = no_table()
        self._table_of: tuple[str, ObservationSettings] | None = None
        self._task: AnalysisRequest | None = None
        self._task_of: tuple[Table, ObservationSettings] | None = None
        # The first analysis of a visit is drawn from growing parts of the network.
        self.greeting = False
        self.waiting = False
        # Whether the browser has drawn the page: the form would delay its maps.
        self.opened = False
        self.chosen: set[int] = set()
        self.hovered: int | None = None
        self.markers: Markers | None = None
        self.areas: AreaMarks | None = None
        # The kind that clicks place, and the first of the two places that some need.
        self.placing = PLAIN
        # What the pointer does; the browser holds it.
        self.mode = "place"
        self.begun: First | None = None
        # Answers a click on a free place in the mode *Ask*: the results panel's.
        self.ask_place: Callable[[str, float, float], str] = lambda *_: ""
        # Whether a marker stands for all that a station observes, and what then places one: the
        # game's of the tool Learn.
        self.by_station: Callable[[], bool] = lambda: False
        self.place_station: Callable[[float, float], str] = lambda *_: ""
        self._drawn: Any = None
        self._listed: Any = None
        labels = {variable.name: variable.label for variable in bundle.variables}
        self.names = short_labels(bundle.variables)
        self.cost = CostChart(context.state.theme)
        self.next = WhereNext(context, self.analysing)
        self.card = ObservationCard(context, self.analysing, lambda: self.selected)
        self.members = MembersJob(context)
        self.choice = MembersChoice(context, self.analysing, self.members)
        self.view = AnalysisView(context, self)
        self.panel = ObservePanel(
            context.on_messages,
            kinds=[[key, kind.label, list(kind.settings)] for key, kind in offered(bundle).items()],
            whole="globe" if bundle.grid.is_global else "all",
            methods=[[key, METHOD_LABELS[key], heeds(key)] for key in methods_of(bundle)],
            variables=[[name, label, self.names[name]] for name, label in labels.items()],
            as_kinds=kinds.offered(),
        )
        self.listing = ObservationTable(self.names, labels.values())
        chart = pn.pane.Bokeh(self.cost.figure, sizing_mode="stretch_width", margin=0)
        inserts = Inserts(
            chart, self.choice.root, self.next.root, self.card.root, self.listing.widget
        )
        self.form = ObserveForm(self.panel, inserts)
        self.gestures = ObserveGestures(context.on_messages, margin=0, width=0, height=0)
        self.heading = ModelHeading(
            context.on_messages,
            list(options_of(ObservationSettings, "column").items()),
        )

    def show_again(self) -> None:
        """Show markers and table anew, though they did not change: a gesture was refused."""
        self._drawn = self._listed = None

    # -- what is drawn -----------------------------------------------------------------------

    def refresh(self) -> None:
        """Update table and analysis from the state; long work starts in the background."""
        state = self._state
        observed: ObservationSettings = state.observations
        known = self._table_of
        if known is None or known[0] != state.month or known[1].observed != observed.observed:
            self._table_of = (state.month, observed)
            before = len(self.table)
            try:
                self.table = resolve(observed, self._bundle, state.month)
            except REFUSALS as error:
                self.table = no_table()
                self._complain(str(error))
            if len(self.table) != before:
                self.chosen.clear()
                self.hovered = None
        if state.model == "analysis":
            task = self.wanted()
            moved = self._task is None or self._task.month != task.month
            # While the tool Perturb is chosen no analysis of these is seen: its own come first.
            seen = state.tool not in OTHERS and not self.waiting
            if task is not self._task and (observed.live or moved) and seen:
                self.begin(task)
            self.next.refresh()
        else:
            task = self.wanted()
            begun = self._task is not None and self._task.month == task.month
            if (
                self.view.moves_analysis
                and not begun
                and state.tool not in OTHERS
                and not self.waiting
            ):
                # From a link or a file, or in another month: what was moved is not there yet.
                self.begin(task)
            if len(self.table) and self._task is not None:
                self.analysing.evaluate_cost(state.z, task)
        self.card.refresh()

    @property
    def task(self) -> AnalysisRequest | None:
        """What was asked to be analysed last."""
        return self._task

    def follow_analysis(self) -> None:
        """Set the state's latent vector to that of the last analysis, while the model shows it."""
        state, z = self._state, self.analysing.z
        if state.model != "analysis" or z is None:
            return
        z = np.clip(z, -Z_LIMIT, Z_LIMIT)
        if not np.array_equal(z, state.z):
            state.z = z

    def show_analysis(self, **changes: Any) -> None:
        """Set the model to the analysis: one step of the history, with other changes."""
        self._state.param.update(model="analysis", **changes)
        self.follow_analysis()
        self._state.commit()

    def wanted(self) -> AnalysisRequest:
        """Return the task of the state; the same object while it stays the same."""
        observed: ObservationSettings = self._state.observations
        key = self._task_of
        if (
            self._task is not None
            and key is not None
            and key[0] is self.table
            and key[1].analysed == observed.analysed
        ):
            return self._task
        return AnalysisRequest.of(self._state.month, self.table.plain, observed)

    def begin(self, task: AnalysisRequest, *, stepwise: bool = False) -> None:
        """Start an analysis."""
        self._task, self._task_of = task, (self.table, self._state.observations)
        growing, self.greeting = GREETING if self.greeting else (), False
        count = len(task.observations)
        self.members.forget()
        self.analysing.start(
            task, stepwise=stepwise, growing=[count // part for part in growing if count >= part]
        )

    def late(self, drawn: AnalysisRequest | None) -> str:
        """Return what is drawn still, where its month or network is not the state's."""
        state = self._state
        if drawn is None:
            return ""
        if drawn.month != state.month:
            return drawn.month
        if drawn.source is not None and not same_network(drawn.source, state.observations):
            return "the old network"
        return ""

    @property
    def stale(self) -> bool:
        """Whether the analysis shown is still of another month or network than the state's."""
        return bool(self._state.model == "analysis" and self.late(self.analysing.drawn))

    @property
    def pending(self) -> bool:
        """Whether the analysis of the state's month is under way and none of it is drawn."""
        return self.stale and self.analysing.run in ("live", "step")

    @property
    def focus(self) -> int | None:
        """The observation that is pointed at, or the only one selected."""
        return self.selected if self.hovered is None else self.hovered

    @property
    def selected(self) -> int | None:
        """The observation that is selected alone; None where it is none."""
        return next(iter(self.chosen)) if len(self.chosen) == 1 else None

    @property
    def departing(self) -> Analysis | None:
        """The analysis that the rows of the table depart from; None while it is not known."""
        analysis = self.analysing.analysis
        if analysis is None or not self.analysing.answered:
            return None
        if self._task_of is None or self._task_of[0] is not self.table:
            return None
        return analysis if len(analysis.observations) == len(self.table) else None

    def misfit(self) -> Any:
        """Return each row's misfit in standard deviations, or None while it is not known."""
        analysis = self.departing
        if analysis is None:
            return None
        return analysis.observations["standardised_departure"].to_numpy(dtype=float)

    def show(self) -> None:
        """Update markers, table and controls; the caller holds the document."""
        state = self._state
        observed: ObservationSettings = state.observations
        if state.tool != "observe":
            self.begun = None
        if self.markers is not None:
            # The tool Perturb changes the sea itself: no observation is shown then.
            grown = 0 if state.tool in OTHERS else self.analysing.grown
            drawn = (self.table, state.projection, frozenset(self.chosen), grown)
            if drawn != self._drawn:
                self._drawn = drawn
                rows = self.table.rows[:grown]
                if "kind" in rows:
                    rows = rows.assign(mark=[kinds.mark_of(kind) for kind in rows["kind"]])
                self.markers.write(rows, state.projection, self.chosen)
            if self.areas is not None:
                self.areas.write(self._areas(grown), state.projection)
        misfit = self.misfit()
        listed = (self.table, misfit is None, id(self.analysing.analysis), frozenset(self.chosen))
        busy_live = self.analysing.run == "live" and self._listed and len(self.table)
        if (
            state.tool == "observe"
            and listed != self._listed
            and not (
                # While analyses follow each other quickly the table keeps its last misfits.
                busy_live and self._listed[0] is self.table and self._listed[3] == listed[3]
            )
        ):
            self._listed = listed
            self.listing.show(listed_rows(self.table, self._bundle), misfit, sorted(self.chosen))
        self.choice.show()
        self.next.show()
        self.card.show()
        self.cost.draw(self.analysing.costs)
        self.cost.set_theme(state.theme)
        hidden = self.markers.hidden if self.markers is not None else 0
        unlike = state.model == "analysis" and self.wanted() is not self._task
        self.panel.put(
            settings=self._settings(observed),
            region_words=region_words(observed.region),
            counts=counts(self.table, len(self.chosen), hidden),
            values=value_words(observed, self.table),
            months=month_words(self.table, state.month),
            costs=self.analysing.costs,
            outcome=outcome_words(self.analysing, stale=unlike),
            outcome_help=OUTCOME_HELP if self.analysing.answered else "",
            run=self.analysing.run,
            hint=hint(self.placing, self.begun, self.names) if self.mode == "place" else "",
            reading=reading(self.table, self.focus, self._bundle, self.names, misfit),
        )
        self.gestures.put(
            run=self.analysing.run, chosen=len(self.chosen), begun=self.begun is not None
        )
        if state.tool == "observe" and self.opened:
            self.form.build()
        self.heading.put(
            column=observed.column,
            model_label=state_words(state.model, state.origin),
            analysis=state.model == "analysis",
            hatch=observed.hatch,
            member=observed.member,
            event=observed.event,
            threshold=observed.threshold,
            shows_member=bool(self.view.member),
            note=self.view.note(observed),
            stale=self.stale or (self.next.shown and bool(self.next.late)),
            hint=self.view.hint(observed),
        )

    def _settings(self, observed: ObservationSettings) -> dict[str, Any]:
        names = (
            "kind", "count", "spacing", "domain", "year", "seed", "error", "noise", "method",
            "residual", "localisation", "live",
        )  # fmt: skip
        values = observed.values
        made = {name: values[name] for name in names}
        made["region"] = values["region"] is not None
        made["variables"] = list(values["variables"] or self._usual(values["kind"]))
        return made

    def _usual(self, kind: str) -> tuple[str, ...]:
        """Return what a kind of network observes, unless something else is chosen."""
        try:
            return observes(kind, self._bundle)
        except NetworkError:
            # A link may ask for a network of what this bundle lacks; the page has said so.
            return ()

    def roles(self) -> dict[str, str]:
        """Return of each variable whether the analysis drawn has it; nothing where none is."""
        state, given = self._state, self.analysing.assimilated
        if state.model != "analysis" or state.tool in OTHERS or given is None:
            return {}
        return {
            variable.name: "observed" if variable.name in given else "inferred"
            for variable in self._bundle.variables
        }

    def outlined(self) -> list[tuple[float, float, float, float]]:
        """Return the regions of the network and of where next, to be outlined on the maps."""
        observed: ObservationSettings = self._state.observations
        region, kind = observed.region, NETWORKS[observed.kind]
        if self._state.tool != "observe":
            return []
        confined = [] if region is None or "region" not in kind.settings else [region]
        return [*confined, *self.next.outlined()]

    def _areas(self, grown: int | None) -> list[Marked]:
        """Return what the rows that are drawn are of, other than their places."""
        rows = self.table.rows[:grown]
        made: list[Marked] = []
        if "area" in rows:
            for at in np.flatnonzero(rows["area"].to_numpy() != ""):
                row = rows.iloc[at]
                area = area_of(row["area"], kind_of(row["kind"])[0])
                place = float(row["lat"]), float(row["lon"])
                made.append((str(row["variable"]), *place, area, int(at) in self.chosen))
        if self.begun is not None:
            made.append((self.begun.variable, self.begun.lat, self.begun.lon, None, False))
        return made

    def station(self, rows: Any) -> list[int]:
        """Return all rows at the places of some: what one station observes."""
        # Rows of one's own are rounded to a thousandth of a degree, those of a network are not.
        at = self.table.rows[["lat", "lon"]].to_numpy(dtype=float).round(2)
        places = {tuple(at[row]) for row in rows}
        return [i for i, where in enumerate(map(tuple, at)) if where in places]

    def close(self) -> None:
        """Release everything at the end of the session."""
        self.analysing.close()
        self.members.close()
        self.next.close()
        self.card.close()
        self.panel.listen(None)
        self.gestures.listen(None)
        self.heading.listen(None)
        self.listing.close()

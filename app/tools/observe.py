"""The tool Observe of one session: the observations, their analysis, and how both are shown.

The settings are in the state (`app.state.observations`); the table of observations follows from
them and the month (`app.tools.observations`), the analysis from the table (`app.jobs.analysis`).
Only the selected and the hovered observations are held here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn

from app.charts.cost import CostChart
from app.components import ModelHeading, Observe
from app.context import SessionContext
from app.jobs.analysis import AnalysisJob, AnalysisRequest
from app.maps import frames
from app.maps.color_scales import units
from app.maps.markers import Markers
from app.state.observations import ObservationSettings
from app.state.rows import InvalidObservationError
from app.state.settings import field_of, options_of
from app.state.snapshot import Z_LIMIT, Origin
from app.text import (
    counted,
    number,
    place,
    region_words,
    short_labels,
    shown_instead,
    signed,
    state_words,
)
from app.tools import kinds
from app.tools.observation_card import ObservationCard
from app.tools.observation_table import ObservationTable
from app.tools.observations import Table, no_table, resolve
from app.tools.where_next import COLUMN as WHERE_NEXT
from app.tools.where_next import WhereNext
from mlda_core.assimilation.methods import METHODS
from mlda_core.observations.kinds import KINDS
from mlda_core.observations.networks import NETWORKS, NetworkError, observes, offered
from mlda_core.observations.row_kinds import is_plain
from mlda_core.observations.table import ObservationError

if TYPE_CHECKING:
    from mlda_core.assimilation.posterior.ensemble import Ensemble
    from mlda_core.bundle.bundle import Bundle

METHOD_LABELS = options_of(ObservationSettings, "method")
# Those whose inputs take label, title and limits from the declaration.
FIELDS = ("count", "spacing", "year", "seed", "noise", "error", "localisation", "residual", "live")
# The parts of the network whose analyses are drawn first, to a visitor who brings no state.
GREETING = (32, 16, 8, 4, 2)
# Views of the model's column that follow from an analysis.
OF_ANALYSES = ("increment", "influence", "spread", "member", "probability", WHERE_NEXT)
# Explanation of the numbers of an analysis.
OUTCOME_HELP = (
    "χ²/n: chi-squared per observation, near 1 where prior and errors are as large as they are "
    "said to be. DFS: degrees of freedom for signal, how many independent numbers the observations "
    "determine."
)
# Why a network or its observations cannot be made.
REFUSALS = (InvalidObservationError, NetworkError, ObservationError)


def methods_of(bundle: Bundle) -> tuple[str, ...]:
    """Return the methods that a bundle can use."""
    return tuple(key for key, method in METHODS.items() if method.usable(bundle))


def heeds(key: str) -> list[str]:
    """Return which settings of an analysis a method uses."""
    method = METHODS[key]
    decoded = method.posterior and method.latent != "none" and not method.latent_only
    return [*(["residual"] if decoded else []), *(["localisation"] if method.posterior else [])]


def _happens(ensemble: Ensemble, event: str, threshold: float) -> Any:
    """Return the share of members in which an event happens, (V, lat, lon)."""
    if event not in ("over", "under"):
        return ensemble.event_probability(event)
    names = [variable.name for variable in ensemble.bundle.variables]
    return np.stack([ensemble.probability(n, threshold, below=event == "under") for n in names])


def network_words(observed: ObservationSettings) -> str:
    """Return what is observed, in words.

    >>> network_words(ObservationSettings(count=40))
    '40 stations'
    """
    network = NETWORKS[observed.kind].label
    if observed.kind == "stations" and not observed.spacing:
        network = counted(observed.count, "station")
    elif observed.kind == "historical":
        network = f"Stations of {observed.year}"
    # What was placed by hand or read from a file, whatever network it was added to.
    if own := len(observed.own):
        placed = counted(own, "own observation")
        network = placed if observed.kind in ("none", "custom") else f"{network} and {placed}"
    return network


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
        self._column = frames.PLAIN
        self._flipped: tuple[Any, int, Any] | None = None
        self._percent: tuple[Any, Any, Any] | None = None
        # The first analysis of a visit is drawn from growing parts of the network.
        self.greeting = False
        self.waiting = False
        self.chosen: set[int] = set()
        self.hovered: int | None = None
        self.markers: Markers | None = None
        # Answers a click on a free place in the mode *Ask*: the results panel's.
        self.ask_place: Callable[[str, float, float], str] = lambda *_: ""
        self._drawn: Any = None
        self._listed: Any = None
        labels = {variable.name: variable.label for variable in bundle.variables}
        self.names = short_labels(bundle.variables)
        self.cost = CostChart(context.state.theme)
        self.next = WhereNext(context, self.analysing)
        self.card = ObservationCard(context, self.analysing, lambda: self.selected)
        self.panel = Observe(
            context.on_messages,
            chart=pn.pane.Bokeh(self.cost.figure, sizing_mode="stretch_width", margin=0),
            next=self.next.root,
            card=self.card.root,
            kinds=[[key, kind.label, list(kind.settings)] for key, kind in offered(bundle).items()],
            whole="globe" if bundle.grid.is_global else "all",
            methods=[[key, METHOD_LABELS[key], heeds(key)] for key in methods_of(bundle)],
            variables=[[name, label, self.names[name]] for name, label in labels.items()],
            as_kinds=kinds.offered(),
            fields={name: field_of(ObservationSettings, name) for name in FIELDS},
            sizing_mode="stretch_width",
            margin=0,
        )
        self.heading = ModelHeading(
            context.on_messages,
            columns=[list(item) for item in options_of(ObservationSettings, "column").items()],
            sizing_mode="stretch_width",
            margin=0,
        )
        self.listing = ObservationTable(self.names, labels.values())

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
            seen = state.tool != "perturb" and not self.waiting
            if task is not self._task and (observed.live or moved) and seen:
                self.begin(task)
            self.next.refresh()
        else:
            task = self.wanted()
            begun = self._task is not None and self._task.month == task.month
            if self._moves_analysis and not begun and state.tool != "perturb" and not self.waiting:
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
        return AnalysisRequest(
            month=self._state.month,
            observations=self.table.plain,
            method=observed.method,
            residual=observed.residual,
            localisation=observed.localisation,
            source=observed,
        )

    def begin(self, task: AnalysisRequest, *, stepwise: bool = False) -> None:
        """Start an analysis."""
        self._task, self._task_of = task, (self.table, self._state.observations)
        growing, self.greeting = GREETING if self.greeting else (), False
        count = len(task.observations)
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
    def shown(self) -> Any:
        """The analysis that the model shows, anomalies; None where it shows something else."""
        if self._state.model != "analysis":
            return None
        member = self._member()
        return self.analysing.fields if member is None else member

    @property
    def name(self) -> str:
        """What the model shows, within a sentence."""
        if self.member:
            return f"member {self.member}"
        return "analysis" if self._state.model == "analysis" else "model"

    @property
    def member(self) -> int:
        """The member of the ensemble that the model shows; 0 where it shows none."""
        return 0 if self._member() is None else int(self._state.observations.member)

    def _member(self) -> Any:
        """Return the member to show, the same array each time; None where there is none yet."""
        observed: ObservationSettings = self._state.observations
        if observed.column != "member" or not self._has_members:
            return None
        ensemble = self.analysing.ensemble()
        if ensemble is None or self.analysing.drawn is not self.analysing.task:
            return None
        index = observed.member - 1
        if self._flipped is None or self._flipped[:2] != (ensemble, index):
            self._flipped = (ensemble, index, ensemble.anomalies[index])
        return self._flipped[2]

    def members(self) -> tuple[Ensemble | None, str]:
        """Return the ensemble of the analysis shown; until it is made why there is none."""
        none = self.why_no_posterior("Ranks")
        if none:
            return None, none
        ensemble = self.analysing.ensemble()
        failed = "The members could not be drawn" if self.analysing.members_failed else ""
        return ensemble, failed or "Drawing members from the posterior …"

    def _probability(self) -> Any:
        """Return the percentage of members with the event, the same array each time, or None."""
        ensemble = self.analysing.ensemble() if self._has_members else None
        if ensemble is None:
            return None
        observed: ObservationSettings = self._state.observations
        event = (observed.event, observed.threshold)
        if self._percent is None or self._percent[:2] != (ensemble, event):
            self._percent = (ensemble, event, 100.0 * _happens(ensemble, *event))
        return self._percent[2]

    @property
    def _has_members(self) -> bool:
        """Whether the method's posterior can be drawn from, and the model shows its analysis."""
        task = self.analysing.task
        if task is None or self._state.model != "analysis":
            return False
        method = METHODS[task.method]
        decoded = method.latent != "none" and not task.residual
        return method.posterior and not method.latent_only and not decoded

    @property
    def _moves_analysis(self) -> bool:
        """Whether what is shown is an analysis whose latent vector was moved by hand."""
        origin: Origin | None = self._state.origin
        return self._state.model == "own" and origin is not None and origin.kind == "analysis"

    @property
    def beyond(self) -> Any:
        """What an analysis that is moved by hand has beyond its latent vector, anomalies, or None.

        Without it the first touch of a slider takes away all that the 100 numbers do not hold: of
        December 1997 from 100 stations, Nino 3.4 fell from +2.1 to +0.9 K by a step of 0.01.
        """
        if not self._moves_analysis or self.analysing.month != self._state.month:
            return None
        return self.analysing.remainder()

    def paused(self) -> str:
        """Return why the analysis is not shown and what that costs; '' where it is shown."""
        state, work = self._state, self.analysing
        if state.model == "analysis" or not len(self.table):
            return ""
        what = shown_instead(state.model, state.origin)
        if self.beyond is not None:
            what = "the analysis with its latents moved and its residual as it was"
        words = f"Paused: the model shows {what}."
        if work.manual_cost is None or not work.costs or self.wanted() is not self._task:
            return words
        least, now = work.costs[-1][2], work.manual_cost.total
        rise = signed(round(now, 1) - round(least, 1), 1)
        return f"{words} Cost {number(least, 1)} → {number(now, 1)} ({rise})"

    @property
    def focus(self) -> int | None:
        """The observation that is pointed at, or the only one selected."""
        return self.selected if self.hovered is None else self.hovered

    @property
    def selected(self) -> int | None:
        """The observation that is selected alone; None where it is none."""
        return next(iter(self.chosen)) if len(self.chosen) == 1 else None

    def column(self) -> frames.Column:
        """Return what the model's column shows; the same object while it stays the same."""
        observed: ObservationSettings = self._state.observations
        kind, analysis = observed.column, self.analysing.analysis
        fields = reference = None
        if kind == "member":
            # A state like any other, with its own scatter.
            kind = "model"
        elif kind == "probability":
            fields = self._probability()
        if kind == "increment" and analysis is not None:
            fields = self.analysing.increment()
        elif kind == "influence":
            fields = self.analysing.influence(self.focus)
        elif kind == "spread":
            fields, reference = self.analysing.spread() or (None, None)
        elif kind == WHERE_NEXT:
            self._column = self.next.column()
            return self._column
        made = frames.Column(kind, fields, reference, observed.hatch)
        old = self._column
        if (made.kind, made.hatch) != (old.kind, old.hatch) or made.fields is not old.fields:
            self._column = made
        return self._column

    def misfit(self) -> Any:
        """Return each row's misfit in standard deviations, or None while it is not known."""
        analysis = self.analysing.analysis
        if analysis is None or not self.analysing.answered:
            return None
        if self._task_of is None or self._task_of[0] is not self.table:
            return None
        if len(analysis.observations) != len(self.table):
            return None
        return analysis.observations["misfit_sd"].to_numpy(dtype=float)

    def withheld_points(self) -> dict[str, tuple[Any, Any]]:
        """Return observed and analysed values of withheld observations, by variable, as shown."""
        misfit = self.misfit()
        analysis = self.analysing.analysis
        if misfit is None or analysis is None or self._state.model != "analysis" or self.member:
            return {}
        table = analysis.observations
        # Reports have no value that a scatter could show.
        table = table[is_plain(table)]
        held = table["withheld"].to_numpy(dtype=bool)
        if not held.any():
            return {}
        y = table["value"].to_numpy(dtype=float)
        x = y - table["analysis_departure"].to_numpy(dtype=float)
        names = table["variable"].to_numpy()
        if self._state.fields == "full":
            mean = self._climatology_at(table)
            x, y = x + mean, y + mean
        return {
            variable.name: (y[held & (names == variable.name)], x[held & (names == variable.name)])
            for variable in self._bundle.variables
        }

    def _climatology_at(self, table: Any) -> Any:
        names = [variable.name for variable in self._bundle.variables]
        operator = self._bundle.operator
        rows = np.array([names.index(name) for name in table["variable"]], dtype=np.int64)
        places = operator.locate(rows, table["lat"], table["lon"])
        return operator.apply(places, self._bundle.climatology(int(self._state.month[5:7])))

    def show(self) -> None:
        """Update markers, table and controls; the caller holds the document."""
        state = self._state
        observed: ObservationSettings = state.observations
        if self.markers is not None:
            # The tool Perturb changes the sea itself: no observation is shown then.
            grown = 0 if state.tool == "perturb" else self.analysing.grown
            drawn = (self.table, state.projection, frozenset(self.chosen), grown)
            if drawn != self._drawn:
                self._drawn = drawn
                rows = self.table.rows[:grown]
                if "kind" in rows:
                    rows = rows.assign(mark=[kinds.mark_of(kind) for kind in rows["kind"]])
                self.markers.write(rows, state.projection, self.chosen)
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
            self.listing.show(self.listed_rows(), misfit, sorted(self.chosen))
        self.next.show()
        self.card.show()
        self.cost.draw(self.analysing.costs)
        self.cost.set_theme(state.theme)
        self.panel.put(
            settings=self._settings(observed),
            region_words=region_words(observed.region),
            counts=self._counts(),
            values=self._values(observed),
            months=self.months(),
            costs=self.analysing.costs,
            outcome=self._outcome(),
            outcome_help=OUTCOME_HELP if self.analysing.answered else "",
            run=self.analysing.run,
            reading=self._reading(misfit),
        )
        self.heading.put(
            column=observed.column,
            model_label=state_words(state.model, state.origin),
            analysis=state.model == "analysis",
            hatch=observed.hatch,
            member=observed.member,
            event=observed.event,
            threshold=observed.threshold,
            shows_member=bool(self.member),
            note=self._note(observed),
            stale=self.stale,
            hint=self._hint(observed),
        )

    def listed_rows(self) -> Any:
        """Return the rows as the table lists them: with what each says, where some say more."""
        rows = self.table.rows
        if "kind" not in rows:
            return rows
        signs = [kinds.sign_of(kind) for kind in rows["kind"]]
        classes = [KINDS[kinds.key_of(kind)].classes for kind in rows["kind"]]
        says = [
            said if is_class else round(value, 3)
            for said, is_class, value in zip(
                self._said(rows), classes, rows["value"].tolist(), strict=True
            )
        ]
        return rows.assign(sign=signs, says=says)

    def _said(self, rows: Any) -> list[str]:
        by_name = {variable.name: variable for variable in self._bundle.variables}
        return [kinds.said(row, by_name[row["variable"]]) for row in rows.to_dict("records")]

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

    def _counts(self) -> dict[str, Any]:
        held = int(self.table.rows["withheld"].sum()) if len(self.table) else 0
        count = len(self.table)
        words = counted(count, "observation")
        if held:
            words += f", {held:,} withheld"
        if self.table.absent:
            # There is no target there in this month, so nothing that could be sampled.
            words += f", {self.table.absent:,} without a target"
        hidden = self.markers.hidden if self.markers is not None else 0
        more = f"{hidden:,} too dense to draw" if hidden else ""
        return {"n": count, "chosen": len(self.chosen), "words": words, "hidden": more}

    def _values(self, observed: ObservationSettings) -> str:
        """Return where the values come from: sampled values look like data."""
        sampled, own = self.table.sampled, len(self.table) - self.table.sampled
        marks = kinds.key_words(self.table.rows)
        return f"{self._sources(observed, sampled, own)} {marks}".strip()

    @staticmethod
    def _sources(observed: ObservationSettings, sampled: int, own: int) -> str:
        from_target = f"sampled from the target, with noise (seed {observed.noise})"
        if not own:
            return f"Values: {from_target}." if sampled else ""
        if not sampled:
            return f"Values: {own:,} of your own; the scores compare with this bundle's target."
        return f"Values: {sampled:,} {from_target}; {own:,} of your own."

    def months(self) -> str:
        """Return which values were observed in another month than that shown; '' for none."""
        month = self._state.month
        said = [
            f"Observed for {other}, not for {month}: {counted(count, 'value')}, used unchanged."
            for other, count in sorted(self.table.foreign.items())
        ]
        said += [
            f"Observed for {other}: {counted(count, 'absolute value')}, now an anomaly from the "
            f"climatology of {month}."
            if count == 1
            else f"Observed for {other}: {counted(count, 'absolute value')}, now anomalies from "
            f"the climatology of {month}."
            for other, count in sorted(self.table.moved.items())
        ]
        return " ".join(said)

    def roles(self) -> dict[str, str]:
        """Return of each variable whether the analysis drawn has it; nothing where none is."""
        state, given = self._state, self.analysing.assimilated
        if state.model != "analysis" or state.tool == "perturb" or given is None:
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

    def station(self, rows: Any) -> list[int]:
        """Return all rows at the places of some: what one station observes."""
        # Rows of one's own are rounded to a thousandth of a degree, those of a network are not.
        at = self.table.rows[["lat", "lon"]].to_numpy(dtype=float).round(2)
        places = {tuple(at[row]) for row in rows}
        return [i for i, where in enumerate(map(tuple, at)) if where in places]

    def _outcome(self) -> str:
        words = self.analysing.words
        analysis = self.analysing.analysis
        if analysis is None and self.analysing.run and not words:
            # On a busy machine nothing else changes for a minute.
            return "Assimilating; the first analysis of a season takes longest …"
        if not self.analysing.answered or analysis is None:
            return words
        stale = self._state.model == "analysis" and self.wanted() is not self._task
        if stale:
            return "The observations have changed since: assimilate, or switch Live on."
        s = analysis.statistics
        took = f"{1e3 * s.seconds:.0f} ms" if s.seconds < 1 else f"{s.seconds:.1f} s"
        # The duration of a run that was slowed down for display means nothing.
        parts = [took] if s.seconds and not self.analysing.paced else []
        if s.n_used and np.isfinite(s.chi_squared):
            parts += [
                f"χ²/n {number(s.chi_squared)}",
                f"DFS {s.degrees_of_freedom:,.0f} of {s.n_used:,}",
            ]
        if s.n_thinned:
            parts.append(f"{s.n_thinned:,} left out by thinning")
        if not words or not parts:
            return words
        return f"{words[:1].upper()}{words[1:].rstrip('.')}. {'; '.join(parts)}."

    def _note(self, observed: ObservationSettings) -> str:
        if self.stale:
            # The first analysis of a season takes seconds: the old one must not pass for it.
            return f"still of {self.late(self.analysing.drawn)}"
        if observed.column == "influence":
            row = self.focus
            return "" if row is None else self._name(row)
        return ""

    def _hint(self, observed: ObservationSettings) -> str:
        """Return what to do while the model's column is empty, to be written over its maps."""
        if observed.column in OF_ANALYSES and self.analysing.analysis is None:
            return "Shown after the first analysis"
        if observed.column == WHERE_NEXT:
            return self.why_no_posterior("Where next") or self.next.hint()
        if observed.column in ("member", "probability"):
            none = self.why_no_posterior("Members")
            drawn = self.member if observed.column == "member" else self.column().fields is not None
            if not none and self.analysing.members_failed:
                none = "The members could not be drawn"
            if none or (not drawn and self.analysing.answered):
                return none or "Drawing members from the posterior …"
        if observed.column == "influence" and self.focus is None:
            return "Point at an observation; a click keeps it"
        empty = observed.kind in ("none", "custom") and not len(self.table)
        if empty and self._state.tool == "observe" and self._state.model == "analysis":
            return "Click a map to observe there"
        return ""

    def why_no_posterior(self, what: str) -> str:
        """Return why there is nothing that is computed from a posterior; '' where there is."""
        if self._has_members:
            return ""
        if self._state.model != "analysis":
            return f"{what}: of the analysis, so resume it to see this"
        if self.analysing.task is None:
            return ""
        if METHODS[self.analysing.task.method].posterior:
            return f"{what}: needs the residual analysis; switch it on, or choose VAE"
        return f"{what}: this method has no posterior; choose VAE, EOFs or ensemble OI"

    def scenario(self) -> str:
        """Return what is observed and how, in words."""
        observed: ObservationSettings = self._state.observations
        method = METHOD_LABELS.get(observed.method, observed.method)
        return f"{network_words(observed)}, obs. error {observed.error:g} × local spread, {method}"

    def _name(self, row: int) -> str:
        item = self.table.rows.iloc[row]
        return f"{row + 1}: {self.names[item['variable']]} {place(item['lat'], item['lon'])}"

    def _reading(self, misfit: Any) -> str:
        row = self.focus
        if row is None or row >= len(self.table):
            return ""
        item = self.table.rows.iloc[row]
        unit = next(
            units(variable, full=False)
            for variable in self._bundle.variables
            if variable.name == item["variable"]
        )
        value = f"{number(item['value'])} ± {number(item['error_sd'])} {unit}"
        if "kind" in self.table.rows:
            says = self._said(self.table.rows.iloc[[row]])[0]
            is_class = KINDS[kinds.key_of(item["kind"])].classes
            value = says if is_class else f"{says} {value}".strip()
        words = f"{self._name(row)} · {value}"
        if misfit is not None and np.isfinite(misfit[row]):
            words += f" · {signed(misfit[row], 1)} σ from what the others say"
        words += " · withheld" if item["withheld"] else ""
        return words + (f" · {item['label']}" if item["label"] else "")

    def close(self) -> None:
        """Release everything at the end of the session."""
        self.analysing.close()
        self.next.close()
        self.card.close()
        self.panel.listen(None)
        self.heading.listen(None)
        self.listing.close()

"""What the columns show of the analysis of the tool Observe, and why where they show nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from app.context import SessionContext
from app.maps import frames
from app.text import number, shown_instead, signed
from app.tools.event_words import event_words
from app.tools.observe_text import row_name
from app.tools.where_next import COLUMN as WHERE_NEXT
from mlda_core.assimilation.methods import METHODS
from mlda_core.observations.row_kinds import is_plain
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.snapshot import Origin

if TYPE_CHECKING:
    from app.jobs.analysis import AnalysisJob
    from app.jobs.members import MembersJob
    from app.tools.where_next import WhereNext
    from mlda_core.assimilation.posterior.ensemble import Ensemble
    from mlda_core.page_state.analyses import AnalysisRequest
    from mlda_core.page_state.tables import Table

# Views of the model's column that follow from an analysis.
OF_ANALYSES = ("increment", "influence", "spread", "member", "probability", WHERE_NEXT)


def _happens(ensemble: Ensemble, event: str, threshold: float) -> Any:
    """Return the share of members in which an event happens, (V, lat, lon)."""
    if event not in ("over", "under"):
        return ensemble.event_probability(event)
    names = [variable.name for variable in ensemble.bundle.variables]
    return np.stack([ensemble.probability(n, threshold, below=event == "under") for n in names])


class Observed(Protocol):
    """What is read of the tool Observe."""

    analysing: AnalysisJob
    members: MembersJob
    next: WhereNext
    names: dict[str, str]
    table: Table

    @property
    def task(self) -> AnalysisRequest | None:
        """What was asked to be analysed last."""

    @property
    def focus(self) -> int | None:
        """The observation that is pointed at, or the only one selected."""

    @property
    def stale(self) -> bool:
        """Whether the analysis shown is still of another month or network than the state's."""

    def wanted(self) -> AnalysisRequest:
        """Return the task of the state."""

    def late(self, drawn: AnalysisRequest | None) -> str:
        """Return what is drawn still, where its month or network is not the state's."""

    def misfit(self) -> Any:
        """Return each row's misfit in standard deviations, or None while it is not known."""


class AnalysisView:
    """The analysis as the model's column shows it: itself, a member, a spread, a probability.

    Parameters
    ----------
    context : SessionContext
    observe : Observed
        Whose analysis it is.
    """

    def __init__(self, context: SessionContext, observe: Observed) -> None:
        self._bundle, self._state, self._observe = context.bundle, context.state, observe
        self._analyses, self._next = observe.analysing, observe.next
        self._members = observe.members
        self._column = frames.PLAIN
        self._flipped: tuple[Any, int, Any] | None = None
        self._percent: tuple[Any, Any, Any] | None = None

    @property
    def fields(self) -> Any:
        """The analysis that the model shows, anomalies; None where it shows something else."""
        if self._state.model != "analysis":
            return None
        member = self._member()
        return self._analyses.fields if member is None else member

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
        ensemble = self.ensemble()
        if ensemble is None or self._analyses.drawn is not self._analyses.task:
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
        ensemble = self.ensemble()
        return ensemble, "" if ensemble is not None else self._drawing()

    def ensemble(self) -> Ensemble | None:
        """Return members of the analysis by the sampler chosen, or None until they are drawn."""
        analysis, task = self._analyses.analysis, self._analyses.task
        if analysis is None or task is None or not self._analyses.answered:
            return None
        return self._members.ask(task, analysis, self._state.observations.sampler)

    @property
    def drawn_ensemble(self) -> Ensemble | None:
        """Those members if they are drawn; nothing is begun."""
        return self._members.drawn(self._analyses.analysis, self._state.observations.sampler)

    def _drawing(self) -> str:
        """Return why there are no members yet."""
        job = self._members
        if job.failed:
            return "The members could not be drawn"
        if job.cancelled:
            return "Cancelled: no members are drawn"
        far = f" {job.done} of {job.total}" if job.total > 1 else ""
        return f"Drawing members from the posterior …{far}"

    def _probability(self) -> Any:
        """Return the percentage of members with the event, the same array each time, or None."""
        ensemble = self.ensemble() if self._has_members else None
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
        task = self._analyses.task
        if task is None or self._state.model != "analysis":
            return False
        method = METHODS[task.method]
        decoded = method.latent != "none" and not task.residual
        return method.posterior and not method.latent_only and not decoded

    @property
    def moves_analysis(self) -> bool:
        """Whether what is shown is an analysis whose latent vector was moved by hand."""
        origin: Origin | None = self._state.origin
        return self._state.model == "own" and origin is not None and origin.kind == "analysis"

    @property
    def residual(self) -> Any:
        """What an analysis that is moved by hand has beyond its latent vector, anomalies, or None.

        Without it the first touch of a slider takes away all that the 100 numbers do not hold: of
        December 1997 from 100 stations, Nino 3.4 fell from +2.1 to +0.9 K by a step of 0.01.
        """
        if not self.moves_analysis or self._analyses.month != self._state.month:
            return None
        return self._analyses.remainder()

    def paused(self) -> str:
        """Return why the analysis is not shown and what that costs; '' where it is shown."""
        state, work = self._state, self._analyses
        if state.model == "analysis" or not len(self._observe.table):
            return ""
        what = shown_instead(state.model, state.origin, self._bundle.seasons.step)
        if self.residual is not None:
            what = "the analysis with its latents moved and its residual as it was"
        words = f"Paused: the model shows {what}."
        if (
            work.manual_cost is None
            or not work.costs
            or self._observe.wanted() is not self._observe.task
        ):
            return words
        least, now = work.costs[-1][2], work.manual_cost.total
        rise = signed(round(now, 1) - round(least, 1), 1)
        return f"{words} Cost {number(least, 1)} → {number(now, 1)} ({rise})"

    def column(self) -> frames.Column:
        """Return what the model's column shows; the same object while it stays the same."""
        observed: ObservationSettings = self._state.observations
        kind, analysis = observed.column, self._analyses.analysis
        fields = reference = None
        if kind == "member":
            # A state like any other, with its own scatter.
            kind = "model"
        elif kind == "probability":
            fields = self._probability()
        if kind == "increment" and analysis is not None:
            fields = self._analyses.increment()
        elif kind == "influence":
            fields = self._analyses.influence(self._observe.focus)
        elif kind == "spread":
            fields, reference = self._analyses.spread() or (None, None)
        elif kind == WHERE_NEXT:
            self._column = self._next.column()
            return self._column
        said: tuple[str, ...] = ()
        if kind == "probability":
            event = (observed.event, observed.threshold)
            said = tuple(event_words(variable, *event) for variable in self._bundle.variables)
        made = frames.Column(kind, fields, reference, observed.hatch, said=said)
        old, same = self._column, ("kind", "hatch", "said")
        if any(getattr(made, k) != getattr(old, k) for k in same) or made.fields is not old.fields:
            self._column = made
        return self._column

    def withheld_points(self) -> dict[str, tuple[Any, Any]]:
        """Return observed and analysed values of withheld observations, by variable, as shown."""
        misfit = self._observe.misfit()
        analysis = self._analyses.analysis
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
        operator, season = self._bundle.operator, self._bundle.seasons.of(self._state.month)
        rows = np.array([names.index(name) for name in table["variable"]], dtype=np.int64)
        places = operator.locate(rows, table["lat"], table["lon"])
        return operator.apply(places, self._bundle.climatology(season))

    def note(self, observed: ObservationSettings) -> str:
        """Return what the column shows just now, in words."""
        if self._observe.stale:
            # The first analysis of a season takes seconds: the old one must not pass for it.
            return f"still of {self._observe.late(self._analyses.drawn)}"
        if observed.column == WHERE_NEXT:
            return self._next.late
        if observed.column == "influence":
            row = self._observe.focus
            return "" if row is None else row_name(self._observe.table, row, self._observe.names)
        return ""

    def hint(self, observed: ObservationSettings) -> str:
        """Return what to do while the model's column is empty, to be written over its maps."""
        if observed.column in OF_ANALYSES and self._analyses.analysis is None:
            return "Shown after the first analysis"
        if observed.column == WHERE_NEXT:
            return self.why_no_posterior("Where next") or self._next.hint()
        if observed.column in ("member", "probability"):
            none = self.why_no_posterior("Members")
            drawn = self.member if observed.column == "member" else self.column().fields is not None
            if none or (not drawn and self._analyses.answered):
                return none or self._drawing()
        if observed.column == "influence" and self._observe.focus is None:
            return "Point at an observation; a click keeps it"
        empty = observed.kind in ("none", "custom") and not len(self._observe.table)
        if empty and self._state.tool == "observe" and self._state.model == "analysis":
            return "Click a map to observe there"
        return ""

    def why_no_posterior(self, what: str) -> str:
        """Return why there is nothing that is computed from a posterior; '' where there is."""
        if self._has_members:
            return ""
        if self._state.model != "analysis":
            return f"{what}: of the analysis, so resume it to see this"
        if self._analyses.task is None:
            return ""
        if METHODS[self._analyses.task.method].posterior:
            return f"{what}: needs the residual analysis; switch it on, or choose VAE"
        return f"{what}: this method has no posterior; choose VAE, EOFs or ensemble OI"

"""The column beside the model: the target, a pinned state, or another method's analysis.

Also what is drawn over both columns: the bundle's vector as arrows, and a smaller colour range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from app.components import Message
from app.context import Action, SessionContext
from app.jobs.analysis import AnalysisJob
from app.maps import frames
from app.maps.color_scales import UNSIGNED
from app.text import place
from app.tools.heading_comparison import ComparisonHeading
from app.tools.methods import METHOD_LABELS
from app.tools.pinned import Pinned
from app.widgets import keep_focus
from mlda_core.assimilation.options import OPTIONS
from mlda_core.evaluation.single_observation import (
    PLACE,
    ExperimentError,
    observe,
    scalar_of,
)
from mlda_core.page_state.analyses import AnalysisRequest
from mlda_core.page_state.observations import PINNED, ObservationSettings
from mlda_core.page_state.pinned import pin_words
from mlda_core.page_state.rows import InvalidObservationError, Row, check_row
from mlda_core.page_state.settings import InvalidStateError, options_of
from mlda_core.page_state.snapshot import OTHERS

if TYPE_CHECKING:
    from app.tools.observe import ObserveTool
    from mlda_core.bundle.bundle import Bundle

# The increment of one observation is about a fifth of what months differ by.
TRIAL_SCALE = 5
# What an increment of the decoder's covariance is compared with: a covariance of months alone.
BASELINE = "enoi"


def trial_words(bundle: Bundle) -> str:
    """Return the experiment of one observation in words; '' where a bundle cannot show it."""
    try:
        name = scalar_of(bundle)
    except ExperimentError:
        return ""
    label = next(v.label for v in bundle.variables if v.name == name)
    return f"Try one alone: {label}, {place(*PLACE)}" if bundle.has_statistics else ""


def trial(bundle: Bundle, month: str, observed: ObservationSettings) -> ObservationSettings:
    """Return the experiment of one observation: it alone, and its increment by two methods.

    Parameters
    ----------
    bundle : Bundle
        With a vector.
    month : str
        ``YYYY-MM``, or ``YYYY-MM-DD`` of a bundle of days: sets the local standard deviation.
    observed : ObservationSettings
        What there is; how it is assimilated stays.
    """
    row = observe(bundle, bundle.seasons.of(month)).iloc[0]
    own = Row(row["variable"], row["lat"], row["lon"], float(row["value"]), label=row["label"])
    # Beside itself, or without an increment, there would be nothing to compare.
    pointless = observed.method in {BASELINE, "climatology"}
    method = OPTIONS["method"].default if pointless else observed.method
    made = observed.adjust(
        {
            "kind": "none",
            "method": method,
            "column": "increment",
            "beside": BASELINE,
            "scale": TRIAL_SCALE,
            "arrows": True,
            "live": True,
        },
    )
    return made.replace(own=(check_row(own),))


class Comparison:
    """The column beside the model, and what is drawn over both.

    Parameters
    ----------
    context : SessionContext
    observe : ObserveTool
        Whose observations are analysed here too.
    """

    def __init__(self, context: SessionContext, observe: ObserveTool) -> None:
        bundle = context.bundle
        self._bundle, self._state, self._observe = bundle, context.state, observe
        self.work = AnalysisJob(context)
        self.pinned = Pinned(context, observe)
        self._of: tuple[AnalysisRequest, str] | None = None
        self._scene: tuple[tuple[Any, ...], frames.ColumnContent] | None = None
        self._empty: Any = None
        self._trial = trial_words(bundle)
        can = bundle.has_statistics
        self.heading = ComparisonHeading(
            context.on_messages,
            [
                (key, label)
                for key, label in options_of(ObservationSettings, "beside").items()
                if can or key in ("target", PINNED)
            ],
        )
        # The keyboard goes along where the button of the one heading makes room.
        keep_focus((self.heading.unpin, observe.heading.pin))

    @property
    def method(self) -> str:
        """The method that stands beside the model; '' where the target does."""
        beside: str = self._state.observations.beside
        shown = beside not in ("target", PINNED) and self._state.tool not in OTHERS
        return beside if shown and self._bundle.has_statistics else ""

    @property
    def shows_pinned(self) -> bool:
        """Whether the pinned state stands beside the model."""
        state = self._state
        chosen = state.observations.beside == PINNED and bool(state.pinned)
        return chosen and state.tool not in OTHERS

    @property
    def beside(self) -> str:
        """What stands beside the model: ``target``, ``pinned`` or a method."""
        return PINNED if self.shows_pinned else self.method or "target"

    @property
    def label(self) -> str:
        """What the column shows, within a sentence."""
        if self.shows_pinned:
            return "pinned state"
        words = METHOD_LABELS.get(self.method, "target")
        return words if words.isupper() or words == "EOFs" else words[:1].lower() + words[1:]

    @property
    def stale(self) -> bool:
        """Whether what stands there is still of another month or network than the state's."""
        if self.shows_pinned:
            return self.pinned.pending
        return bool(self.method and self._observe.late(self.work.drawn))

    @property
    def pending(self) -> bool:
        """Whether the analysis of the state's month is under way and none of it is drawn."""
        if self.shows_pinned:
            return self.pinned.pending
        return self.stale and self.work.run == "live"

    def refresh(self) -> None:
        """Analyse the observations of Observe by the other method, in the background."""
        task = self._observe.task
        if self._state.tool not in OTHERS:
            self.pinned.refresh()
        if not self.method:
            if self._of is not None:
                self.work.cancel()
                self._of = None
            return
        if task is None:
            return
        wanted = (task, self.method)
        if self._of is None or self._of[0] is not task or self._of[1] != self.method:
            self._of = wanted
            self.work.start(replace(task, method=self.method))

    def scene(self) -> frames.ColumnContent | None:
        """Return what stands in the columns, the same object while it stays the same.

        None where the target does.
        """
        if self.beside == "target":
            self._scene = None
            return None
        observed: ObservationSettings = self._state.observations
        season: int | None = None
        if self.shows_pinned:
            left, fields = frames.PLAIN, self.pinned.fields
            season = self._bundle.seasons.of(self.pinned.month)
        else:
            left, fields = self._column(observed), self.work.fields
        words = (self.label, frames.COLUMNS.get(observed.column, self._observe.view.name))
        if observed.column == "difference":
            words = (self.label, f"{self._observe.view.name} − {self.label}")
        key = (
            self.beside,
            season,
            fields,
            left.fields,
            left.reference,
            left.hatch,
            left.kind,
            *words,
        )
        known = self._scene
        if known is None or not _same(known[0], key):
            if fields is None:
                fields = self._nothing()
            old = known[1] if known is not None else None
            # The same column again, so that only what changed is drawn.
            if old is not None and _alike(old.left, left):
                left = old.left
            self._scene = known = (
                key,
                frames.ColumnContent(fields, fields, words, left=left, season=season),
            )
        return known[1]

    def _column(self, observed: ObservationSettings) -> frames.Column:
        work, kind = self.work, observed.column
        if kind == "increment":
            return frames.Column(kind, None if work.analysis is None else work.increment())
        if kind == "influence":
            return frames.Column(kind, work.influence(self._observe.focus))
        if kind == "spread":
            fields, reference = work.spread() or (None, None)
            return frames.Column(kind, fields, reference, observed.hatch)
        # Beside a difference the column shows what it is the difference from.
        return frames.PLAIN

    def _nothing(self) -> Any:
        if self._empty is None:
            shape = (len(self._bundle.variables), *self._bundle.grid.shape)
            self._empty = np.full(shape, np.nan, dtype=np.float32)
        return self._empty

    def show(self) -> None:
        """Update the control; the caller holds the document."""
        observed: ObservationSettings = self._state.observations
        note = ""
        if self.shows_pinned:
            note = self._pinned_note()
        elif self.stale:
            note = f"still of {self._observe.late(self.work.drawn)}"
        elif self.method and self.work.fields is None:
            note = "after the first analysis"
        # Beside a difference the column shows what it is the difference from.
        whole = observed.column in ("model", "difference", "member", "probability")
        self.heading.put(
            beside=self.beside,
            pinned=bool(self._state.pinned),
            name_within=self.label,
            note=note,
            stale=self.stale,
            quantity="analysis" if whole else frames.COLUMNS[observed.column],
        )
        self._observe.heading.put(
            against=self.label + (", anomalies" if self._across_seasons else ""),
            who=METHOD_LABELS.get(observed.method, "") if self.method else "",
            scale=observed.scale,
            arrows=observed.arrows,
            vector=bool(self._bundle.vectors) and observed.column not in UNSIGNED,
        )
        self._observe.panel.put(trial=self._trial)

    def _pinned_note(self) -> str:
        snapshot = self.pinned.snapshot
        words = "" if snapshot is None else pin_words(snapshot, month_first=True)
        if self.pinned.failed:
            return f"not made: {words}"
        return f"being made: {words}" if self.pinned.pending else words

    @property
    def _across_seasons(self) -> bool:
        """Whether full fields of another season stand there: the difference is of anomalies."""
        if not self.shows_pinned or self._state.fields != "full":
            return False
        seasons = self._bundle.seasons
        return seasons.of(self.pinned.month) != seasons.of(self._state.month)

    # -- messages ----------------------------------------------------------------------------

    def actions(self) -> Mapping[str, Action]:
        """Return what each message about the columns does."""
        return {
            "beside": self.choose_beside,
            "pin": self.pin,
            "unpin": self.unpin,
            "scale": self.choose_scale,
            "arrows": self.switch_arrows,
            "trial": self.set_up_trial,
        }

    def choose_beside(self, message: Message) -> str:
        """Choose what stands beside the model."""
        if message.get("value") == PINNED and not self._state.pinned:
            raise InvalidStateError("Nothing is pinned yet; press Pin above the model first.")
        self._set("beside", message.get("value"))
        words = f"Beside the analysis: {self.label}"
        return f"{words}, of the same observations." if self.method else f"{words}."

    def pin(self, _: Message) -> str:
        """Pin what the model shows, and show it beside the model."""
        state = self._state
        text = self.pinned.take()
        with state.gesture():
            state.param.update(pinned=text, observations=state.observations.replace(beside=PINNED))
        return f"Pinned: {self.pinned.words}. It stays beside the model while that goes on."

    def unpin(self, _: Message) -> str:
        """Let go of the pinned state."""
        state = self._state
        if not state.pinned:
            raise InvalidStateError("Nothing is pinned.")
        observed: ObservationSettings = state.observations
        if observed.beside == PINNED:
            observed = observed.replace(beside="target")
        with state.gesture():
            state.param.update(pinned="", observations=observed)
        return "Unpinned. Undo brings it back."

    def choose_scale(self, message: Message) -> str:
        """Divide the colour range of the model's column by a factor."""
        self._set("scale", message.get("value"))
        return ""

    def switch_arrows(self, message: Message) -> str:
        """Switch arrows on or off."""
        self._set("arrows", message.get("value"))
        return ""

    def set_up_trial(self, _: Message) -> str:
        """Set the experiment of one observation up."""
        if not self._trial:
            raise InvalidObservationError("This bundle has no vector, so it lacks that experiment.")
        month = self._state.month
        made = trial(self._bundle, month, self._state.observations)
        self._observe.show_analysis(observations=made, tool="observe")
        row = made.own[0]
        return (
            f"One observation, {self._observe.names[row.variable]} at "
            f"{place(row.lat, row.lon)}, by two methods."
        )

    def _set(self, name: str, value: Any) -> None:
        self._state.observations = self._state.observations.adjust({name: value})
        self._state.commit()

    def close(self) -> None:
        """Release everything at the end of the session."""
        self.work.close()
        self.pinned.close()
        self.heading.listen(None)


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two keys hold the same objects; arrays are not compared by value."""
    return all(
        a is b or (isinstance(a, str | int | float) and a == b)
        for a, b in zip(one, other, strict=True)
    )


def _alike(one: frames.Column, other: frames.Column) -> bool:
    return (
        one.kind == other.kind
        and one.fields is other.fields
        and one.reference is other.reference
        and one.hatch == other.hatch
    )

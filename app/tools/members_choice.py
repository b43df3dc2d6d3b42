"""How members are drawn from the posterior: the sampler, how far it is, and what it said."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from app.components import Message
from app.context import Action, SessionContext
from app.jobs.members import MembersJob
from app.text import counted
from app.widgets import Choice, block, button, explained, fields, keep_focus, progress_bar, text
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.posterior.ensemble import checked_sampler
from mlda_core.assimilation.posterior.sampler import MEMBERS
from mlda_core.assimilation.posterior.samplers import SAMPLERS
from mlda_core.climate.errors import UserError
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.settings import field_of, options_of

if TYPE_CHECKING:
    from app.jobs.analysis import AnalysisJob
    from mlda_core.bundle.bundle import Bundle

# Views of the model's column that are made of members.
OF_MEMBERS = ("member", "probability")
# Which sampler shows a posterior that is skewed, and one with several minima or modes.
SKEWED, MANY = "perturbed", "multistart"


def unavailable(bundle: Bundle, setting: Setting) -> dict[str, str]:
    """Return why samplers cannot draw members, in a sentence each; those that can are left out.

    Parameters
    ----------
    bundle : Bundle
    setting : Setting
        Of the analysis.
    """
    reasons = {}
    for key, sampler in SAMPLERS.items():
        try:
            checked_sampler(setting, key, MEMBERS, 0)
            sampler.check(bundle)
        except UserError as error:
            reasons[key] = str(error)
    return reasons


class MembersChoice:
    """The choice of the sampler, its progress with *Cancel*, and its outcome.

    Parameters
    ----------
    context : SessionContext
    analyses : AnalysisJob
        Of whose last answer members are.
    job : MembersJob
        Draws them.
    """

    def __init__(self, context: SessionContext, analyses: AnalysisJob, job: MembersJob) -> None:
        self._bundle, self._state = context.bundle, context.state
        self._analyses, self._job = analyses, job
        self._refused: tuple[Setting, dict[str, str]] | None = None
        send = context.on_messages
        field = field_of(ObservationSettings, "sampler")
        self.sampler = Choice(
            field["label"],
            lambda key: self._choose(key, send),
            options_of(ObservationSettings, "sampler"),
            ObservationSettings.param.sampler.default,
            title=field["title"],
            css_classes=["labelled", "grows"],
        )
        self.cancel = button(
            "Cancel",
            lambda: send([{"type": "members-cancel"}]),
            "Stop; the members drawn before stay",
        )
        self.again = button("Draw", lambda: send([{"type": "members-again"}]), "Draw the members")
        keep_focus((self.cancel, self.again), (self.again, self.cancel))
        self.progress = progress_bar("Steps of the sampler that are done", most=100)
        self.count = text(name="count")
        self.shows = button(
            "Show it in members",
            lambda: send([{"type": "members-of-shape"}]),
            "Draw members by the sampler that shows it, and show them in the model's column",
        )
        self.words = text(name="sampler", sizing_mode="stretch_width")
        self.root = block(
            fields(self.sampler.widget, explained("sampler")),
            # One line whatever is under way: nothing below it moves.
            fields(self.progress, self.count, self.cancel, self.again, self.words),
            self.shows,
        )
        self.root.visible = False

    def _choose(self, key: str, send: Any) -> None:
        send([{"type": "observing", "name": "sampler", "value": key}])
        # What was refused shows what is in force again.
        self.show()

    # -- actions -----------------------------------------------------------------------------

    def actions(self) -> Mapping[str, Action]:
        """Return what each message does."""
        return {
            "members-cancel": self.stop,
            "members-again": self.draw_again,
            "members-of-shape": self.show_shape,
        }

    def stop(self, _: Message) -> str:
        """Stop drawing; members drawn before, and their sampler, stay."""
        if not self._job.running:
            return ""
        before = self._job.cancel()
        if not before:
            return "Cancelled: no members are drawn."
        self._state.observations = self._state.observations.adjust({"sampler": before})
        self._state.commit()
        return f"Cancelled: the members are those of {SAMPLERS[before].label} still."

    def draw_again(self, _: Message) -> str:
        """Draw what was cancelled or failed."""
        self._job.forget()
        return ""

    def show_shape(self, _: Message) -> str:
        """Show members by the sampler that shows a posterior that is not normal."""
        sampler = self._shaped
        if not sampler:
            return ""
        made = self._state.observations.adjust({"sampler": sampler, "column": "member"})
        self._state.observations = made
        self._state.commit()
        return f"Members by {SAMPLERS[sampler].label}."

    # -- what is drawn -----------------------------------------------------------------------

    @property
    def _shaped(self) -> str:
        """The sampler that shows the posterior's shape; '' where it is normal, or as said.

        Those that the method cannot have are not offered.
        """
        analysis = self._analyses.analysis
        if analysis is None or not self._analyses.answered or analysis.shape is None:
            return ""
        shape = analysis.shape
        sampler = MANY if shape.is_split else SKEWED if shape.is_skewed else ""
        return "" if sampler in self._reasons() else sampler

    def _reasons(self) -> dict[str, str]:
        """Return why samplers cannot be chosen; nothing where the method has no members at all."""
        observed: ObservationSettings = self._state.observations
        setting = Setting(method=observed.method, residual=observed.residual)
        if self._refused is None or self._refused[0] != setting:
            found = unavailable(self._bundle, setting)
            self._refused = setting, {} if len(found) == len(SAMPLERS) else found
        return self._refused[1]

    def show(self) -> None:
        """Update the controls; the caller holds the document."""
        state, job = self._state, self._job
        observed: ObservationSettings = state.observations
        ready = state.model == "analysis" and self._analyses.task is not None
        seen = observed.column in OF_MEMBERS or bool(state.members)
        shaped = self._shaped if ready else ""
        offered = bool(shaped) and not (seen and observed.sampler == shaped)
        self.root.visible = ready and (seen or offered)
        if not self.root.visible:
            return
        reasons = self._reasons()
        idle = [key for key in reasons if key != observed.sampler]
        doc = field_of(ObservationSettings, "sampler")["title"]
        known = [f"{SAMPLERS[key].label}: {SAMPLERS[key].sentence}." for key in SAMPLERS]
        title = "\n".join([doc, *known, *(reasons[key] for key in idle)])
        # First without: one of them may be the value that is shown.
        self.sampler.widget.disabled_options = []
        self.sampler.show(observed.sampler)
        self.sampler.widget.disabled_options = idle
        self.sampler.explain(title)
        self.progress.visible = job.running and job.total > 1
        # In per cent: a bar refuses a value beyond its end.
        self.progress.value = round(100 * job.done / max(job.total, 1))
        far = f"{job.done} of {job.total}" if self.progress.visible else "Drawing members …"
        self.count.object = far if job.running else ""
        self.count.visible = job.running
        self.cancel.visible = job.running
        self.again.visible = seen and not job.running and (job.cancelled or bool(job.failed))
        self.words.object = "".join(f"<p>{escape(part)}</p>" for part in self._words(seen=seen))
        self.shows.visible = offered

    def _words(self, *, seen: bool) -> list[str]:
        job, key = self._job, self._state.observations.sampler
        made = job.drawn(self._analyses.analysis, key)
        if not seen:
            return []
        if job.failed:
            return [job.failed]
        if job.cancelled:
            return ["Cancelled: no members are drawn."]
        if made is not None:
            took = f"{1e3 * made.seconds:.0f} ms" if made.seconds < 1 else f"{made.seconds:.1f} s"
            return [f"{counted(len(made), 'member')}: {made.outcome}. {took}."]
        return []

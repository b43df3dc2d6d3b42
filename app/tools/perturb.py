"""The tool Perturb of one session: changes of the sea, the response, and how both are shown.

The changes are in the state (`mlda_core.page_state.perturbations`); the response follows from them
and the month (`app.jobs.response`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.components import PerturbGestures
from app.context import SessionContext
from app.jobs.response import ResponseJob
from app.maps.color_scales import Look, response_look, sensitivity_look
from app.maps.frames import Column, ColumnContent
from app.maps.outlines import Outlines
from app.tools.atlas import AtlasTool
from app.tools.heading_perturb import PerturbHeading
from app.tools.perturb_form import PerturbForm
from app.tools.perturb_panel import PerturbPanel
from app.tools.perturb_text import (
    beyond_words,
    change_words,
    gcm_readings,
    gcm_words,
    place_label,
    response_readings,
    sensitivity_readings,
    sensitivity_words,
    titles,
)
from mlda_core.climate.regions import REGIONS
from mlda_core.page_state.perturbations import MOST_KELVIN, Box, PerturbationSettings, region_of
from mlda_core.page_state.responses import (
    ResponseRequest,
    ResponseResult,
    SensitivityRequest,
    sensitive_variable,
)
from mlda_core.page_state.settings import options_of
from mlda_core.perturbation.gcm import GcmError, GcmResponse, gcm_responses
from mlda_core.perturbation.response import HELD
from mlda_core.perturbation.sst_patches import PerturbationError

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.floating]


def sea_of(bundle: Any) -> str:
    """Return the name of the variable that can be changed; '' where there is none."""
    return next((v.name for v in bundle.variables if v.domain == "sea"), "")


@lru_cache(maxsize=4)
def gcm_of(bundle: Bundle) -> dict[str, GcmResponse]:
    """Return the GCM's responses that ship with a bundle, read once; none where they are broken."""
    try:
        return gcm_responses(bundle)
    except GcmError:
        return {}


class PerturbTool:
    """State and actions of the tool Perturb.

    Parameters
    ----------
    context : SessionContext
    """

    def __init__(self, context: SessionContext) -> None:
        bundle = context.bundle
        self._bundle, self._state = bundle, context.state
        self.work = ResponseJob(context)
        self.sea = sea_of(bundle)
        self.atlas = AtlasTool(context, self.sea)
        self.gcm = gcm_of(bundle) if self.sea else {}
        self.outlines: Outlines | None = None
        self._scene: tuple[Any, ColumnContent] | None = None
        self._note = ""
        self.panel = PerturbPanel(
            context.on_messages,
            most=MOST_KELVIN,
            regions=[[key, place_label(key)] for key in REGIONS],
            helds=[[key, held.label, held.question] for key, held in HELD.items()],
            variables=[[variable.name, variable.label] for variable in bundle.variables],
            experiments=[[key, response.label] for key, response in self.gcm.items()],
        )
        self.form = PerturbForm(self.panel, self.atlas.root)
        self.gestures = PerturbGestures(context.on_messages, margin=0, width=0, height=0)
        # Whether the browser has drawn the page: the form would delay its maps.
        self.opened = False
        self.heading = PerturbHeading(
            context.on_messages,
            [
                (key, label)
                for key, label in options_of(PerturbationSettings, "view").items()
                if key != "gcm" or self.gcm
            ],
        )

    @property
    def active(self) -> bool:
        """Whether this tool draws the columns."""
        return bool(self._state.tool == "perturb" and self.sea)

    # -- requests ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Request what the state shows; long work starts in the background."""
        if not self.active:
            self.atlas.refresh(shown=False, ready=False)
            return
        if self._view != "gcm":
            self.work.ask(self.question())
        if self._view == "sensitivity":
            self.work.aim_at(self.aim())
        # After the response of the month: they share the factors of the network.
        ready = self.work.asked is None
        self.atlas.refresh(shown=self._view == "atlas", ready=ready)

    @property
    def _view(self) -> str:
        """The view; that of the GCM only where its responses are there."""
        view: str = self._state.perturbations.view
        return "sum" if view == "gcm" and not self.gcm else view

    @property
    def _beside_gcm(self) -> bool:
        """Whether the atlas stands beside the GCM's own."""
        return self._view == "atlas" and bool(self.atlas.compared)

    def question(self) -> ResponseRequest:
        """Return the request of the state."""
        p: PerturbationSettings = self._state.perturbations
        return ResponseRequest.of(self._state.month, p)

    def aim(self) -> SensitivityRequest:
        """Return the sensitivity that the state requests."""
        p: PerturbationSettings = self._state.perturbations
        return SensitivityRequest.of(self._state.month, p, self._bundle)

    @property
    def variable(self) -> str:
        """The variable whose sensitivity is requested."""
        return sensitive_variable(self._state.perturbations, self._bundle)

    # -- what is drawn -----------------------------------------------------------------------

    @property
    def month(self) -> str:
        """The month that is drawn: the old one until the new one's response is there."""
        answer = self.work.answer
        if self._view == "gcm" or answer is None:
            return str(self._state.month)
        return answer.question.month

    def scene(self) -> ColumnContent | None:
        """Return what both columns show, the same object while it stays the same; else None."""
        if not self.active:
            return None
        p: PerturbationSettings = self._state.perturbations
        answer, sensitivity = self.work.answer, self.work.sensitivity
        key: tuple[Any, ...]
        if self._view == "gcm":
            key = ("gcm", self._experiment)
        elif self._view == "atlas":
            # It needs no response: there is none where a change of the sea is refused.
            key = ("atlas", self._state.month, answer, *self.atlas.key)
        elif answer is None:
            key = ("none", self._state.month)
        elif self._view == "sensitivity":
            key = ("sensitivity", answer.response.control, sensitivity, answer.all_fields)
        elif self._view == "response":
            key = ("response", answer, p.per_kelvin, p.fade)
        else:
            key = ("sum", answer)
        if self._scene is None or not _same(self._scene[0], key):
            self._scene = (key, self._make(key[0]))
        return self._scene[1]

    def _make(self, view: str) -> ColumnContent:
        answer, variables = self.work.answer, self._bundle.variables
        self._note = ""
        if view == "gcm":
            return self._compared(self.gcm[self._experiment])
        if view == "atlas":
            return self._mapped(answer)
        if answer is None:
            target = self._bundle.target(self._state.month)
            return ColumnContent(target, np.full_like(target, np.nan), ("target", "analysis"))
        if view == "sensitivity":
            return self._sensitive(answer)
        second = answer.all_fields + answer.response.anomalies
        readings = response_readings(answer, self._bundle)
        if view == "sum":
            words = ("analysis", "with response")
            return ColumnContent(answer.all_fields, second, words, readings=readings)
        p: PerturbationSettings = self._state.perturbations
        fields, spread, per_kelvin = answer.response.anomalies, answer.spread, p.per_kelvin
        if per_kelvin:
            try:
                fields = answer.response.per_kelvin()
                spread = spread / (abs(answer.response.mean_change) or 1.0)
            except PerturbationError as error:
                # Changes of both signs: there is no kelvin to divide by.
                self._note, per_kelvin = str(error), False
        right = Column(
            "response",
            fields,
            spread if p.fade else None,
            look=response_look(variables, per_kelvin=per_kelvin, faded=p.fade),
        )
        words = ("analysis", "response")
        return ColumnContent(answer.all_fields, second, words, readings=readings, right=right)

    def _mapped(self, answer: ResponseResult | None) -> ColumnContent:
        """Show the atlas beside the GCM's own, or where its runs do not tell, the analysis."""
        right, readings, left = self.atlas.column()
        if left is not None and left.fields is not None and right.fields is not None:
            return ColumnContent(
                left.fields,
                right.fields,
                ("GCM", "emulator"),
                left=left,
                right=right,
                spans=tuple(limit or 1.0 for limit in right.look.limits) if right.look else (),
                readings=readings,
            )
        if answer is None:
            target = self._bundle.target(self._state.month)
            empty = np.full_like(target, np.nan)
            words = ("target", "analysis")
            return ColumnContent(target, empty, words, right=right, readings=readings)
        first, second = answer.all_fields, answer.response.control
        words = ("all fields", "held")
        return ColumnContent(first, second, words, right=right, readings=readings)

    def _sensitive(self, answer: ResponseResult) -> ColumnContent:
        """Show what is held, and on the sea's row the sensitivity."""
        known = self.work.sensitivity
        fields = np.full_like(answer.all_fields, np.nan)
        unit = ""
        sea = [variable.name for variable in self._bundle.variables].index(self.sea)
        if known is not None:
            fields[sea], unit = known[1].smooth, known[1].units
        look = sensitivity_look(self._bundle.variables, fields[sea], unit)
        # The sea's row has a map of another kind: there is nothing to compare it with.
        held = answer.response.control.copy()
        held[sea] = np.nan
        return ColumnContent(
            answer.all_fields,
            held,
            ("all fields", "held"),
            right=Column("sensitivity", fields, look=look),
            readings=sensitivity_readings(self._bundle, answer, fields[sea], unit),
        )

    def _compared(self, response: GcmResponse) -> ColumnContent:
        """Show the GCM's response beside the emulator's."""
        variables = self._bundle.variables
        look = response_look(variables, per_kelvin=False, faded=False)
        shown = Column("response", response.emulated, look=look)
        return ColumnContent(
            response.gcm,
            response.emulated,
            ("GCM", "emulator"),
            left=Column("response", response.gcm, look=look),
            right=shown,
            spans=tuple(limit or 1.0 for limit in look.limits),
            readings=gcm_readings(response, self._bundle),
        )

    @property
    def _experiment(self) -> str:
        wanted: str = self._state.perturbations.gcm
        return wanted if wanted in self.gcm else next(iter(self.gcm))

    @property
    def view(self) -> str:
        """What the columns show, an option of the setting ``view``."""
        return self._view

    @property
    def compared(self) -> GcmResponse | None:
        """The GCM's response, where it stands beside the emulator's; else None."""
        return self.gcm[self._experiment] if self.active and self._view == "gcm" else None

    def legend_look(self) -> Look | None:
        """Return the scales of the rows' colour bars, where they are not those of anomalies."""
        scene = self.scene()
        return None if scene is None else scene.left.look

    # -- controls ----------------------------------------------------------------------------

    def show(self) -> None:
        """Update outlines and controls; the caller holds the document."""
        self._show_on_maps()
        if not self.active:
            # A response that goes on while another tool is open: nobody waits for it here.
            self.gestures.put(busy=False)
            return
        p: PerturbationSettings = self._state.perturbations
        fresh = self._fresh()
        busy = (self._view != "gcm" and self.work.busy is not None) or self.atlas.busy
        self.panel.put(
            patches=[
                {"where": x.where, "kelvin": x.kelvin, "on": x.enabled, "selected": i == p.selected}
                for i, x in enumerate(p.patches)
            ],
            settings={
                "held": p.held,
                "within": p.within if isinstance(p.within, str) else "box",
                "within_words": "" if isinstance(p.within, str) else place_label(p.within),
                "view": self._view,
                "fade": p.fade,
                "gcm": self._experiment if self.gcm else "",
                "variable": self.variable,
                "over": p.over if isinstance(p.over, str) else "box",
                "over_words": "" if isinstance(p.over, str) else place_label(p.over),
            },
            words={
                "change": self._change(),
                "beyond": self._beyond(),
                "outcome": self._outcome(),
                "sensitivity": self._sensitivity_words(),
                "gcm": gcm_words(self.gcm[self._experiment]) if self.gcm else "",
            },
            busy=busy,
        )
        self.gestures.put(view=self._view, chosen=p.selected, busy=busy)
        if self.opened:
            self.form.build()
            self.heading.build()
        self.atlas.show(shown=self._view == "atlas")
        self.heading.put(
            view=self._view,
            per_kelvin=p.per_kelvin,
            fade=p.fade,
            pair=titles(
                self._view,
                there=self.work.answer is not None,
                late=self.month if self.stale else "",
                months=len(self.gcm[self._experiment].months) if self._view == "gcm" else 0,
                beside_gcm=self._beside_gcm,
            ),
            note=(self._note or self._far()) if fresh else self._still(),
            stale=self.stale,
            hint=self._hint(),
        )

    def _show_on_maps(self) -> None:
        p: PerturbationSettings = self._state.perturbations
        if self.outlines is not None:
            patches = p.patches if self.active and self._view in ("sum", "response") else ()
            self.outlines.write(patches, p.selected, self._framed(), self._state.projection)

    def _framed(self) -> dict[str, Box]:
        """Return by variable the region to be outlined on its maps."""
        p: PerturbationSettings = self._state.perturbations
        if not self.active or self._view == "gcm":
            return {}
        if self._view == "sensitivity":
            return {self.variable: _box_of(p.over)}
        if self._view == "atlas":
            return {variable.name: _box_of(p.over) for variable in self._bundle.variables}
        if p.held == "outside" and p.within:
            return {variable.name: _box_of(p.within) for variable in self._bundle.variables}
        return {}

    def _fresh(self) -> bool:
        """Whether the response drawn is that of the state."""
        answer = self.work.answer
        return self._view == "gcm" or (
            answer is not None and answer.question.month == self._state.month
        )

    @property
    def stale(self) -> bool:
        """Whether what is drawn is still of another month than the state's."""
        return self.work.answer is not None and not self._fresh()

    @property
    def pending(self) -> bool:
        """Whether the response of the state's month is under way."""
        return self.stale and self.work.asked is not None

    def _still(self) -> str:
        if self.work.complaint and not self.work.busy:
            return f"still of {self.month}: no response" if self.stale else "no response: see above"
        if self.work.answer is None:
            return "the first response takes some seconds"
        return f"still of {self.work.answer.question.month}"

    def _hint(self) -> str:
        """Return why the second column is empty; '' where it is not."""
        if self.work.answer is not None or self._view in ("gcm", "atlas"):
            return ""
        if self.work.complaint and not self.work.busy:
            return "No response: the tool says why"
        return "Computing the first response …"

    def _change(self) -> str:
        answer = self.work.answer
        if self._view == "gcm":
            return "The comparison below has a change of its own; these take no part in it."
        if not self._state.perturbations.enabled:
            return "Nothing is changed: the response is zero."
        if answer is None or answer.question != self.question():
            return ""
        return change_words(answer.response, self._bundle)

    def _beyond(self) -> str:
        answer = self.work.answer
        # As long as an amount is dragged that of the response drawn stays.
        if answer is None or self._view == "gcm" or not self._fresh():
            return ""
        return beyond_words(answer.response)

    def _far(self) -> str:
        """Return a word beside the maps of responses that are extrapolated."""
        whole = self._view in ("sensitivity", "atlas")
        return "extrapolates" if not whole and self._beyond() else ""

    def _outcome(self) -> str:
        answer, asked = self.work.answer, self.work.asked
        # While an amount is dragged the words stay: they would change five times a second.
        if asked is not None and answer is not None and answer.seconds < 1:
            asked = None if asked.control == answer.question.control else asked
        if self._view == "gcm":
            return ""
        if asked is not None:
            return f"Computing the response of {asked.month} \u2026"
        if self.work.complaint:
            return self.work.complaint
        if answer is None:
            return ""
        return f"Response of {answer.question.month} in {_time(answer.seconds)}."

    def _sensitivity_words(self) -> str:
        known = self.work.sensitivity
        if self._view != "sensitivity":
            return ""
        if known is None or known[0] != self.aim():
            return "Computing the sensitivity \u2026" if self.work.busy else ""
        labels = {v.name: v.label for v in self._bundle.variables}
        return sensitivity_words(*known, label=labels[known[0].variable])

    def nino_words(self) -> tuple[str, str] | None:
        """Return what the two numbers of Nino 3.4 are of; None where they are of no month."""
        if self._view == "gcm" or self._beside_gcm or self.work.answer is None:
            return None
        whole = self._view in ("sensitivity", "atlas")
        return ("analysis", "held") if whole else ("analysis", "changed")

    def close(self) -> None:
        """Release everything at the end of the session."""
        self.work.close()
        self.atlas.close()
        self.panel.listen(None)
        self.gestures.listen(None)
        self.heading.listen(None)


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two keys hold the same objects; arrays are not compared by value."""
    return len(one) == len(other) and all(
        a is b or (isinstance(a, str | bool) and a == b) for a, b in zip(one, other, strict=True)
    )


def _box_of(place: str | Box) -> Box:
    region = region_of(place)
    return region.south, region.north, region.west, region.east


def _time(seconds: float) -> str:
    return f"{1e3 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"

"""The members of the posterior ensemble, for the foot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from app.charts.members import COLUMNS
from app.components import Message
from app.context import Action, SessionContext
from app.maps.color_scales import limits, units
from app.maps.member_maps import contours, stamps
from app.results.panel import Foot
from app.text import number
from mlda_core.assimilation.posterior.samplers import SAMPLERS
from mlda_core.page_state.rows import InvalidObservationError
from mlda_core.page_state.settings import number as checked

if TYPE_CHECKING:
    from app.tools.observe import ObserveTool
    from mlda_core.assimilation.posterior.ensemble import Ensemble

# The largest value of a contour, either way, in any variable's units.
FAR = 1000.0


class MembersPanel:
    """State and actions of the part *Members*.

    Parameters
    ----------
    context : SessionContext
    foot : Foot
    observe : ObserveTool
        Whose analysis the members are of.
    """

    def __init__(self, context: SessionContext, foot: Foot, observe: ObserveTool) -> None:
        self._bundle, self._state = context.bundle, context.state
        self._foot, self._observe = foot, observe
        # As what they are shown when they are opened again.
        self._mode = "stamps"
        # None: half of what the colours of the variable end at.
        self._chosen_level: float | None = None
        self._drawn: tuple[Any, ...] | None = None
        self._pair: tuple[Ensemble, tuple[int, int]] | None = None
        foot.param.watch(lambda _: self.show(), "variable")

    def actions(self) -> Mapping[str, Action]:
        """Return what each message does."""
        return {
            "members-mode": self.choose_mode,
            "members-level": self.choose_level,
            "members-flip": self.flip,
            "member-shown": self.show_member,
        }

    def choose_mode(self, message: Message) -> str:
        """Show stamps or contours."""
        value = message.get("value")
        if value not in ("stamps", "spaghetti"):
            raise InvalidObservationError(f"Members cannot be shown as '{str(value)[:24]}'.")
        self._mode = self._state.members = str(value)
        return ""

    def follow(self) -> None:
        """Open or fold the part where the state, as from a link, shows members or not."""
        shown, foot = self._state.members, self._foot
        if not shown:
            foot.opened = [part for part in foot.opened if part != "members"]
        elif not self._state.impact and self._state.asked is None:
            self._mode = shown
            if "members" not in foot.opened:
                foot.opened = foot.beside("members")

    def opened(self, parts: Sequence[str]) -> bool:
        """Follow which parts were opened; True where that changed whether members are shown."""
        shown = self._mode if "members" in parts else ""
        changed = shown != self._state.members
        self._state.members = shown
        return changed

    def choose_level(self, message: Message) -> None:
        """Choose the value of the contour."""
        self._chosen_level = checked(
            "value of the contour", message.get("value"), -FAR, FAR, InvalidObservationError
        )

    @property
    def _level(self) -> float:
        if self._chosen_level is not None:
            return self._chosen_level
        variable = next(v for v in self._bundle.variables if v.name == self._foot.variable)
        return 0.5 * limits(variable, full=False)[1]

    def show_member(self, message: Message) -> str:
        """Show a member in the model's column."""
        value = message.get("value")
        made = self._state.observations.adjust({"column": "member", "member": value})
        self._state.observations = made
        self._state.commit()
        return f"Member {made.member}."

    def flip(self, _: Message) -> str:
        """Show one of the two members that differ most, then the other."""
        ensemble, why = self._observe.view.members()
        if ensemble is None:
            raise InvalidObservationError(why)
        one, other = (member + 1 for member in self._most_different(ensemble))
        at = self._state.observations
        shown = other if at.column == "member" and at.member == one else one
        self.show_member({"value": shown})
        return f"Members {one} and {other} differ most; shown is {shown}."

    def _most_different(self, ensemble: Ensemble) -> tuple[int, int]:
        if self._pair is None or self._pair[0] is not ensemble:
            self._pair = (ensemble, ensemble.most_different())
        return self._pair[1]

    def show(self) -> None:
        """Update the part; the caller holds the document."""
        foot = self._foot
        if "members" not in foot.opened:
            return
        ensemble, why = self._observe.view.members()
        observed = self._state.observations
        head = {
            "mode": self._mode,
            "level": self._level,
            "member": observed.member if observed.column == "member" else 0,
        }
        if ensemble is None:
            self._drawn = None
            foot.put(members={**head, "words": why})
            return
        drawn = (ensemble, foot.variable, self._state.projection, self._mode, self._level)
        old = self._drawn
        same = old is not None and old[0] is ensemble and old[1:] == drawn[1:]
        if same and all(foot.members.get(name) == value for name, value in head.items()):
            return
        self._drawn = drawn
        made = self._picture(ensemble) if not same else {}
        kept = {k: v for k, v in foot.members.items() if k not in head} if same else {}
        foot.members = {**kept, **head, **made}

    def _picture(self, ensemble: Ensemble) -> dict[str, Any]:
        bundle, key = self._bundle, self._state.projection
        names = [v.name for v in bundle.variables]
        row = names.index(self._foot.variable)
        variable = bundle.variables[row]
        analysis = ensemble.analysis.anomalies[row]
        target = bundle.target(self._state.month)[row]
        members = f"{len(ensemble)} members by {SAMPLERS[ensemble.sampler].label}"
        if self._mode == "stamps":
            limit = limits(variable, full=False)[1]
            fields = np.concatenate([[target, analysis], ensemble.anomalies[:, row]])
            return {
                "image": stamps(fields, bundle.grid, key, limit, COLUMNS),
                "n": len(ensemble),
                "variable": variable.name,
                "projection": key,
                "words": f"{members}; a click shows one",
            }
        shown = {
            "members": list(ensemble.anomalies[:, row]),
            "analysis": [analysis],
            "target": [target],
        }
        lines = {
            name: [
                line for field in several for line in contours(field, bundle.grid, self._level, key)
            ]
            for name, several in shown.items()
        }
        level = f"{number(self._level, 1)} {units(variable, full=False)}"
        return {"lines": lines, "projection": key, "words": legend(level, members, lines)}


def legend(level: str, members: str, lines: Mapping[str, Sequence[Any]]) -> str:
    """Return what the contours of one value are, and which of them there are none of.

    >>> legend("2.5 K", "9 members", {"members": [0], "analysis": [], "target": [0]})
    '2.5 K: 9 members (thin), target (plain); none in the analysis'
    """
    of = {"analysis": "analysis (orange)", "target": "target (plain)"}
    drawn = [words for name, words in of.items() if lines[name]]
    none = [f"the {name}" for name in of if not lines[name]]
    if not lines["members"]:
        but = f", but in the {' and the '.join(drawn)}" if drawn else ""
        return f"{level} is nowhere in the members{but}"
    said = ", ".join([f"{level}: {members} (thin)", *drawn])
    return f"{said}; none in {' or '.join(none)}" if none else said

"""The parts of a session from which downloads are made, and whether what they show is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlda_core.climate.errors import StateError

if TYPE_CHECKING:
    from app.maps.frames import Frame
    from app.results.panel import Foot
    from app.state import State
    from app.tools.comparison import Comparison
    from app.tools.cycle import CycleTool
    from app.tools.observe import ObserveTool
    from app.tools.perturb import PerturbTool
    from mlda_core.bundle.bundle import Bundle


@dataclass(frozen=True, eq=False)
class Parts:
    """What a session consists of, as far as it is taken away.

    Parameters
    ----------
    bundle : Bundle
    state : State
    observe, comparison, perturb, cycle
        The tools.
    foot : Foot
        The results panel.
    frame : callable
        Returns what the maps show.
    stale : callable
        Returns of each column whether it still shows another month or network than the state's.
    link : callable
        Returns the state as the query of a link.
    """

    bundle: Bundle
    state: State
    observe: ObserveTool
    comparison: Comparison
    perturb: PerturbTool
    cycle: CycleTool
    foot: Foot
    frame: Callable[[], Frame]
    stale: Callable[[], tuple[bool, bool]]
    link: Callable[[], str]

    def rows(self, variable: str) -> tuple[str, ...]:
        """Return the variable that is alone to be drawn; () for all.

        Raises
        ------
        StateError
            If the bundle has no such variable.
        """
        if variable and variable not in [v.name for v in self.bundle.variables]:
            raise StateError(f"This bundle has no variable '{variable[:24]}'.")
        return (variable,) if variable else ()

    @property
    def shows(self) -> str:
        """What the maps show: 'state', 'analysis', 'response' or 'cycle'."""
        if self.perturb.active:
            return "response"
        if self.cycle.active:
            return "cycle"
        return "analysis" if self.state.model == "analysis" else "state"

    def refuse_stale(self) -> None:
        """Refuse what is still of another month or network.

        Raises
        ------
        StateError
            In words, with what to wait for.
        """
        if any(self.stale()):
            raise StateError(
                f"The {self._awaited} is still under way and the maps show the one before; "
                "download it once it is there."
            )

    def refuse_empty(self) -> None:
        """Refuse maps of which a column shows nothing.

        Raises
        ------
        StateError
            In words, with the reason that the page gives.
        """
        self.refuse_stale()
        request = self.frame().request
        column, scene = request.column, request.scene
        drawn = [request.analysis if self.shows == "analysis" else self.frame().model]
        if column.kind not in ("model", "difference"):
            drawn = [column.fields]
        if scene is not None:
            drawn.append(scene.first if scene.left.fields is None else scene.left.fields)
        if all(field is not None and np.isfinite(field).any() for field in drawn):
            return
        hint = {
            "response": self.perturb.heading.hint,
            "cycle": self.cycle.heading.note,
        }.get(self.shows, self.observe.heading.hint)
        why = f"{hint[:1].lower()}{hint[1:]}" if hint else f"the {self._awaited} is still under way"
        raise StateError(f"A column of the maps is still empty: {why.rstrip('. …')}.")

    @property
    def _awaited(self) -> str:
        return {"cycle": "day", "response": "response"}.get(self.shows, "analysis")

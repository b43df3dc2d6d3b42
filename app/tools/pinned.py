"""The state that is pinned: its fields, held by the session or made again in the background."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.context import SessionContext
from app.jobs.analysis import sentence
from app.jobs.worker import ANALYSES, Latest
from mlda_core.climate.errors import StateError
from mlda_core.page_state.latents import with_remainder
from mlda_core.page_state.opened import PageState
from mlda_core.page_state.pinned import pin_of, pin_words, rests_on_analysis
from mlda_core.page_state.serialize import read_pin
from mlda_core.page_state.snapshot import OTHERS, Snapshot

if TYPE_CHECKING:
    from app.tools.observe import ObserveTool

Float = NDArray[np.floating]
# Undo goes back to states pinned before; each holds 74 kB of a bundle with four variables.
KEPT = 8
WAIT = "The analysis is still under way; pin it once it is there."


class Pinned:
    """The pinned state of one session.

    What is pinned is the setting ``pinned``: a link to a state alone. Its fields are those that
    the model showed; of a link, a file or a step of undo long ago they are made again.

    Parameters
    ----------
    context : SessionContext
    observe : ObserveTool
        Whose model is pinned.
    """

    def __init__(self, context: SessionContext, observe: ObserveTool) -> None:
        self._bundle, self._state, self._observe = context.bundle, context.state, observe
        self._redraw, self._complain = context.redraw, context.complain
        self._work = Latest(context.schedule, self._failed, pool=ANALYSES)
        self._held: dict[str, Float] = {}
        self._asked = ""
        self.failed = False
        # One text is read at each redraw.
        self._read = lru_cache(maxsize=KEPT)(lambda text: read_pin(text, self._state.limits))

    @property
    def snapshot(self) -> Snapshot | None:
        """What is pinned; None where nothing is."""
        text: str = self._state.pinned
        return self._read(text) if text else None

    @property
    def month(self) -> str:
        """The month that it is of; '' where nothing is pinned."""
        snapshot = self.snapshot
        return "" if snapshot is None else str(snapshot.month)

    @property
    def words(self) -> str:
        """What it is, in a few words; '' where nothing is pinned."""
        snapshot = self.snapshot
        return "" if snapshot is None else pin_words(snapshot)

    @property
    def fields(self) -> Float | None:
        """Its anomalies, the same array each time; None until they are made."""
        return self._held.get(self._state.pinned)

    @property
    def pending(self) -> bool:
        """Whether its fields are being made."""
        return bool(self._state.pinned) and self.fields is None and not self.failed

    def refresh(self) -> None:
        """Make the fields, where they are wanted and not there."""
        text: str = self._state.pinned
        if text == self._asked or not text or text in self._held:
            return
        self._asked, self.failed = text, False
        state = PageState(self._read(text), self._bundle, self._state.limits)

        def made(fields: Float) -> None:
            self._hold(text, fields)
            self._asked = ""
            self._redraw()

        self._work.submit(lambda _: state.fields(), made)

    def take(self) -> str:
        """Return the setting for what the model shows now, and hold its fields.

        Raises
        ------
        StateError
            If the model shows nothing that could be pinned.
        InvalidStateError
            If more was done to observations by hand than can be pinned.
        """
        state = self._state
        if state.tool in OTHERS:
            raise StateError("What Perturb and Cycle show cannot be pinned; go to Observe first.")
        snapshot: Snapshot = state.snapshot()
        if rests_on_analysis(snapshot):
            snapshot = self._as_analysed(snapshot)
        text = pin_of(snapshot, state.limits)
        self._hold(text, self._shown())
        return text

    def _as_analysed(self, snapshot: Snapshot) -> Snapshot:
        """Return a state with the observations that its analysis was really made of."""
        view, work = self._observe.view, self._observe.analysing
        task = work.task
        moved = snapshot.model == "own"
        if task is None or task.source is None or not work.answered or task.month != snapshot.month:
            raise StateError(WAIT)
        if view.residual is None if moved else view.fields is None or work.drawn is not task:
            raise StateError(WAIT)
        # While *Live* is off the settings may be others than what is shown is of.
        names: dict[str, Any] = {"column": snapshot.observations.column if view.member else "model"}
        names |= {n: snapshot.observations.values[n] for n in ("member", "sampler")}
        return snapshot.replace(observations=task.source.replace(**names))

    def _shown(self) -> Float:
        """Return the fields that the model shows, as `app.maps.frames.draw` makes them."""
        view, state, bundle = self._observe.view, self._state, self._bundle
        if state.model == "analysis":
            return np.asarray(view.fields)
        season = bundle.seasons.of(state.month)
        fields = bundle.decode_anomalies(state.z, season)
        residual = view.residual
        return fields if residual is None else with_remainder(fields, residual, bundle, season)

    def _hold(self, text: str, fields: Float) -> None:
        self._held.pop(text, None)
        self._held[text] = fields
        while len(self._held) > KEPT:
            del self._held[next(iter(self._held))]

    def _failed(self, error: Exception) -> None:
        self.failed = True
        self._complain(sentence(error, "The pinned state"))
        self._redraw()

    def close(self) -> None:
        """Release everything at the end of the session."""
        self._work.cancel()

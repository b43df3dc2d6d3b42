"""The atlas of responses of one session, made patch by patch in the background."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.context import SessionContext
from app.jobs.analysis import sentence
from app.jobs.worker import ANALYSES, Latest
from mlda_core.page_state.perturbations import Place, region_of
from mlda_core.page_state.responses import responder_of
from mlda_core.perturbation.atlas import Atlas, AtlasRun

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

# Patches between two drawings of the maps: a drawing takes a fifth of a response.
EVERY = 4
# Atlases that are kept for all sessions, 8 MB each for the bundle of SPEEDY.
KEPT = 6


@dataclass(frozen=True)
class AtlasRequest:
    """Request of an atlas.

    Parameters
    ----------
    month : str
        ``YYYY-MM``.
    held : str
        What both analyses are given.
    within : str or tuple of float
        The region outside of which everything is held; '' where that is no matter.
    kelvin : float
        At each patch's centre.
    """

    month: str
    held: str
    within: Place
    kelvin: float


_finished: OrderedDict[tuple[int, AtlasRequest], Atlas] = OrderedDict()
_LOCK = threading.Lock()


def _known(bundle: Bundle, request: AtlasRequest) -> Atlas | None:
    with _LOCK:
        found = _finished.get((id(bundle), request))
        # By the bundle's identity: one that was closed may have left its number to another.
        return found if found is not None and found.bundle is bundle else None


def _keep(bundle: Bundle, request: AtlasRequest, atlas: Atlas) -> None:
    with _LOCK:
        _finished[id(bundle), request] = atlas
        while len(_finished) > KEPT:
            _finished.popitem(last=False)


class AtlasJob:
    """Makes one atlas at a time; another request stops it, and what is done of it is kept.

    Parameters
    ----------
    context : SessionContext
        Whose page is drawn with new patches.
    """

    def __init__(self, context: SessionContext) -> None:
        self._bundle, self._changed = context.bundle, context.redraw
        self._work = Latest(context.schedule, self._broken, pool=ANALYSES)
        self._run: AtlasRun | None = None
        self.asked: AtlasRequest | None = None
        self.atlas: Atlas | None = None
        self.running = False
        self.stopped = False
        self.done = self.total = 0
        self.failed = ""

    def ask(self, request: AtlasRequest) -> None:
        """Make an atlas, unless it is there, under way, or was stopped by hand."""
        if request == self.asked:
            if not (self.running or self.stopped or self.failed or self._whole):
                self._start(request)
            return
        self._work.cancel()
        self.asked, self.failed = request, ""
        self.atlas, self._run = _known(self._bundle, request), None
        self.running = self.stopped = False
        self.done = self.total = 0
        if self.atlas is None:
            self._start(request)
        else:
            self.done = self.total = len(self.atlas.patches)

    @property
    def _whole(self) -> bool:
        return self.total > 0 and self.done == self.total

    def _start(self, request: AtlasRequest) -> None:
        self.running, self.stopped = True, False
        bundle, before = self._bundle, self._run

        def make() -> Iterator[tuple[AtlasRun, int, Atlas | None]]:
            run = before
            if run is None:
                region = region_of(request.within) if request.within else None
                run = AtlasRun(
                    responder_of(bundle),
                    [request.month],
                    kelvin=request.kelvin,
                    held=request.held,
                    region=region,
                )
            yield run, run.done, None
            for done in run.steps():
                drawn = done % EVERY == 0 or done == run.total
                yield run, done, run.atlas() if drawn else None

        def deliver(result: tuple[AtlasRun, int, Atlas | None]) -> None:
            self._run, self.done, made = result
            self.total = self._run.total
            if made is not None:
                self.atlas = made
            if self._whole and made is not None:
                self.running = False
                _keep(bundle, request, made)
            self._changed()

        self._work.stream(make, deliver)

    def stop(self, *, by_hand: bool) -> None:
        """Stop; what is done stays, and it goes on from there.

        Parameters
        ----------
        by_hand : bool
            It then goes on by hand alone, and not when it is next shown.
        """
        if not self.running:
            return
        self._work.cancel()
        self.running, self.stopped = False, by_hand

    def go_on(self) -> None:
        """Go on with what was stopped."""
        if self.asked is not None and not self.running and not self._whole:
            self.failed = ""
            self._start(self.asked)

    def _broken(self, error: Exception) -> None:
        self.running = False
        self.failed = sentence(error, "The atlas")
        self._changed()

    def close(self) -> None:
        """Release everything at the end of the session."""
        self._work.cancel()

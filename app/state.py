"""The state of a session: month, latent vector and settings, and their history.

It is independent of how it is drawn, and is all that is saved.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import param
from numpy.typing import NDArray

from mlda_core.page_state.settings import Changeable, declared, setting
from mlda_core.page_state.snapshot import Limits, Snapshot, View

if TYPE_CHECKING:
    from collections.abc import Iterator

HISTORY = 200


class State(Changeable, View):
    """The state of one session: the settings of the view, set in place.

    Set several parameters at once with ``state.param.update(...)``, so that the page is drawn
    once. `commit` marks the end of a gesture: undo returns to the commit before.

    Parameters
    ----------
    limits : Limits
        What the bundle allows.
    """

    z = param.Array(
        allow_None=False,
        doc="The latent vector, shape (n_latent,), float32.",
        metadata=setting(saved=False),
    )
    can_undo = param.Boolean(default=False)
    can_redo = param.Boolean(default=False)

    def __init__(self, limits: Limits, **params: Any) -> None:
        first = {"z": np.zeros(limits.n_latent, dtype=np.float32)} | params
        super().__init__(**limits.first_view().values | first)
        self.limits = limits
        self._past: list[Snapshot] = [self.snapshot()]
        self._future: list[Snapshot] = []

    def snapshot(self) -> Snapshot:
        """Return the state as it is now."""
        values = self.values | {"z": tuple(np.asarray(self.z, dtype=float).tolist())}
        if self.model == "analysis":
            # The z of an analysis follows from its observations, so it is no step of the history.
            values |= {"z": None, "origin": None}
        return Snapshot(**values)

    def restore(self, snapshot: Snapshot, z: NDArray[np.floating] | None = None) -> None:
        """Take over a state in one event.

        Parameters
        ----------
        snapshot : Snapshot
            What to show.
        z : ndarray, optional
            The latent vector, where the snapshot has none: the code of its month, or what stands
            until its analysis is there.
        """
        vector = snapshot.z if z is None else z
        if vector is None:
            vector = self.z
        self.param.update(**snapshot.values | {"z": np.asarray(vector, dtype=np.float32)})

    def commit(self) -> bool:
        """Put the state into the history, unless nothing of the work changed; True if it did."""
        now = self.snapshot()
        if now.work == self._past[-1].work:
            return False
        self._past.append(now)
        del self._past[:-HISTORY]
        self._future.clear()
        self._flags()
        return True

    def undo(self) -> bool:
        """Return to the commit before; an uncommitted change counts as one."""
        now = self.snapshot()
        if now.work != self._past[-1].work:
            self._future.append(now)
        elif len(self._past) > 1:
            self._future.append(self._past.pop())
        else:
            return False
        self._back_to(self._past[-1])
        return True

    def redo(self) -> bool:
        """Take back an undo."""
        if not self._future:
            return False
        self._past.append(self._future.pop())
        self._back_to(self._past[-1])
        return True

    def forget(self) -> None:
        """Start the history here."""
        self._past = [self.snapshot()]
        self._future.clear()
        self._flags()

    def _back_to(self, snapshot: Snapshot) -> None:
        # Undo leaves settings that are no step of the history, such as the theme, unchanged.
        left = [name for name, p in declared(Snapshot).items() if not p.metadata["history"]]
        self.restore(snapshot.replace(**{name: getattr(self, name) for name in left}))
        self._past[-1] = self.snapshot()
        self._flags()

    def _flags(self) -> None:
        self.param.update(can_undo=len(self._past) > 1, can_redo=bool(self._future))

    @contextmanager
    def gesture(self) -> Iterator[None]:
        """Change several parameters as one event and one step of the history."""
        with param.parameterized.batch_call_watchers(self):
            yield
        self.commit()

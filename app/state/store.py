"""What a session holds: month, latent vector and settings, and their history.

Nothing here knows how anything is drawn, and nothing but this is saved.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import param
from numpy.typing import NDArray

from app.state.observations import ObservationSettings
from app.state.perturbations import PerturbationSettings
from app.state.snapshot import (
    FIELDS,
    MAX_SEED,
    MODELS,
    PROJECTIONS,
    THEMES,
    TOOLS,
    Limits,
    Origin,
    Snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

HISTORY = 200


def _same_work(one: Snapshot, other: Snapshot) -> bool:
    # The theme is about the room, what is selected about the hand and the impact about what one
    # looks at, not about the work: they are no step of the history.
    perturbations = replace(one.perturbations, selected=other.perturbations.selected)
    alike = replace(one, theme=other.theme, perturbations=perturbations, impact=other.impact)
    return alike == other


class State(param.Parameterized):
    """The state of one session.

    Set several parameters at once with ``state.param.update(...)``, so that the page is drawn
    once. `commit` marks the end of a gesture: undo returns to the commit before.

    Parameters
    ----------
    limits : Limits
        What the bundle allows.
    """

    month = param.String(doc="The month shown, YYYY-MM.")
    z = param.Array(allow_None=False, doc="The latent vector, shape (n_latent,), float32.")
    model: Any = param.Selector(default=MODELS[0], objects=list(MODELS))
    origin: Any = param.ClassSelector(class_=Origin, allow_None=True, doc="Where z came from.")
    projection = param.String(default=PROJECTIONS[0], doc="One of its limits' projections.")
    fields: Any = param.Selector(default=FIELDS[0], objects=list(FIELDS))
    theme: Any = param.Selector(default=THEMES[0], objects=list(THEMES))
    seed = param.Integer(default=1, bounds=(0, MAX_SEED))
    tool: Any = param.Selector(default=TOOLS[0], objects=list(TOOLS))
    observations: Any = param.ClassSelector(class_=ObservationSettings, allow_None=False)
    perturbations: Any = param.ClassSelector(class_=PerturbationSettings, allow_None=False)
    impact = param.String(default="", doc="The impact head whose series is shown, '' for none.")

    can_undo = param.Boolean(default=False)
    can_redo = param.Boolean(default=False)

    def __init__(self, limits: Limits, **params: Any) -> None:
        params.setdefault("month", limits.first_month())
        params.setdefault("projection", limits.projections[0])
        params.setdefault("tool", limits.tools[0])
        params.setdefault("model", limits.model)
        params.setdefault("observations", ObservationSettings())
        params.setdefault("perturbations", PerturbationSettings())
        params.setdefault("z", np.zeros(limits.n_latent, dtype=np.float32))
        super().__init__(**params)
        self.limits = limits
        self._past: list[Snapshot] = [self.snapshot()]
        self._future: list[Snapshot] = []

    def snapshot(self) -> Snapshot:
        """Return the state as it is now."""
        return Snapshot(
            month=self.month,
            # An analysis finds its z again; and while it does, its z is no step of the history.
            z=None if self.model == "analysis" else tuple(np.asarray(self.z, dtype=float).tolist()),
            model=self.model,
            origin=None if self.model == "analysis" else self.origin,
            projection=self.projection,
            fields=self.fields,
            theme=self.theme,
            seed=self.seed,
            tool=self.tool,
            observations=self.observations,
            perturbations=self.perturbations,
            impact=self.impact,
        )

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
        self.param.update(
            month=snapshot.month,
            z=np.asarray(vector, dtype=np.float32),
            model=snapshot.model,
            origin=snapshot.origin,
            projection=snapshot.projection,
            fields=snapshot.fields,
            theme=snapshot.theme,
            seed=snapshot.seed,
            tool=snapshot.tool,
            observations=snapshot.observations,
            perturbations=snapshot.perturbations,
            impact=snapshot.impact,
        )

    def commit(self) -> bool:
        """Put the state into the history, unless nothing but the theme changed; True if it did."""
        now = self.snapshot()
        if _same_work(now, self._past[-1]):
            return False
        self._past.append(now)
        del self._past[:-HISTORY]
        self._future.clear()
        self._flags()
        return True

    def undo(self) -> bool:
        """Return to the commit before; an uncommitted change counts as one."""
        now = self.snapshot()
        if not _same_work(now, self._past[-1]):
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
        # Undo leaves the theme and what is looked at below as they are.
        self.restore(replace(snapshot, theme=self.theme, impact=self.impact))
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

"""A cycled run: forecast, analysis, forecast, ... as a generator that can be saved and resumed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.cycling.method import Analysed, CycledMethod, Estimate, State, Workspace
from mlda_core.cycling.methods import cycled_method
from mlda_core.cycling.problem import Problem

Array = NDArray[np.float64]
# In front of the names of what the method carries, in a saved state.
_CARRIED = "carried/"


@dataclass(frozen=True)
class CycledStep:
    """One cycle of a run.

    Parameters
    ----------
    cycle : int
        0 is the start.
    time : object
        As of the problem.
    background, analysis : Estimate
        Before and after the observations of the cycle; the same where there are none.
    diagnostics : mapping
        Of the analysis, by name; empty without observations.
    """

    cycle: int
    time: object
    background: Estimate
    analysis: Estimate
    diagnostics: Mapping[str, float | NDArray[Any]]

    @property
    def observed(self) -> bool:
        """Whether the cycle had observations."""
        return self.analysis is not self.background


class Cycle:
    """A method cycled through a problem.

    Every cycle draws from a generator of its own, seeded by the run's seed and its number, so a
    run that was saved and resumed gives the same bits as one that was not.

    Parameters
    ----------
    problem : Problem
    method : str or CycledMethod
    seed : int
    **settings
        Of the method; see :meth:`CycledMethod.configured`.

    Raises
    ------
    UserError
        If there is no such method or setting.
    """

    def __init__(
        self, problem: Problem, method: str | CycledMethod, seed: int = 0, **settings: Any
    ) -> None:
        found = cycled_method(method) if isinstance(method, str) else method
        self.method = found.configured(**settings)
        self.problem = problem
        self.seed = seed
        self._work = Workspace(problem)
        self._carried: State | None = None
        self._next = 0

    @property
    def next(self) -> int:
        """The cycle that comes next."""
        return self._next

    @property
    def carried(self) -> State:
        """What the method carries after the last cycle, by name: members, weights, ...

        Raises
        ------
        UserError
            If nothing was run yet.
        """
        if self._carried is None:
            raise UserError("Nothing was cycled yet; run a cycle first.")
        return self._carried

    def run(self, end: int | None = None) -> Iterator[CycledStep]:
        """Run from the next cycle on.

        Parameters
        ----------
        end : int, optional
            The last cycle; all by default.

        Yields
        ------
        CycledStep
            From cycle 0, the start, on.
        """
        last = self.problem.cycles if end is None else min(end, self.problem.cycles)
        while self._next <= last:
            yield self._one(self._next)

    def _one(self, cycle: int) -> CycledStep:
        generator = np.random.default_rng((self.seed, cycle))
        if self._carried is None:
            state = self.method.start(self._work, generator)
        else:
            state = self.method.forecast(self._work, self._carried, cycle, generator)
        background = self.method.estimate(self._work, state, cycle)
        observations = self.problem.observations[cycle]
        done = Analysed(state, background)
        if observations is not None:
            done = self.method.analyse(self._work, state, cycle, observations, generator)
        self._carried, self._next = done.state, cycle + 1
        return CycledStep(
            cycle, self.problem.time(cycle), background, done.estimate, done.diagnostics
        )

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the run as plain arrays by name, as :func:`numpy.savez` takes them."""
        return {
            "seed": np.array(self.seed),
            "next": np.array(self._next),
            "method": np.array(self.method.key),
            **{_CARRIED + name: value.copy() for name, value in self.carried.items()},
        }

    def resume(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a saved run of the same problem and settings.

        Parameters
        ----------
        state : mapping
            As of :meth:`state`.

        Raises
        ------
        UserError
            If it is of another method or seed.
        """
        if str(state["method"]) != self.method.key or int(state["seed"]) != self.seed:
            raise UserError(
                f"The saved run is of the method '{state['method']}' with seed {state['seed']}, "
                f"this one of '{self.method.key}' with seed {self.seed}; use the saved run's."
            )
        self._next = int(state["next"])
        self._carried = {
            name.removeprefix(_CARRIED): np.array(value)
            for name, value in state.items()
            if name.startswith(_CARRIED)
        }

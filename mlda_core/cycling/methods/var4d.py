"""4D-Var: the trajectory of a window that fits its observations, with the model exact or not.

Le Dimet and Talagrand 1986, https://doi.org/10.1111/j.1600-0870.1986.tb00459.x; with model errors
Tremolet 2006, https://doi.org/10.1256/qj.05.224. Gradients come through the forecast model by
automatic differentiation. The moving window is that of Bocquet and Sakov 2014,
https://doi.org/10.1002/qj.2236, with a shift of one and each observation assimilated once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.cycling.covariance import Covariance, observed_covariance
from mlda_core.cycling.dual import Forcings, minimum
from mlda_core.cycling.gain import interpolated
from mlda_core.cycling.method import Analysed, CycledMethod, Estimate, State, Workspace
from mlda_core.cycling.problem import Observations, Problem
from mlda_core.cycling.window import Window, gauss_newton
from mlda_core.forecast.dynamics import advance
from mlda_core.forecast.model_error import ModelError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Var4D(CycledMethod):
    """A window of some cycles with a static covariance at its start.

    Parameters
    ----------
    lag : int
        Length of the window in cycles.
    factor : float
        Of the covariance of background errors.
    window : {"moving", "overlapping"}
        Both start ``lag`` cycles back, or at the first cycle. A moving window assimilates the
        newest observations only: those before have moved its start. An overlapping one
        assimilates all of its observations, from the forecast that was made for its first cycle
        without them: each window is a 4D-Var of its own, whose background has the errors that a
        static covariance was learnt from.
        The moving window is minimised exactly, with a copy of the state for each observation, and
        has no spread; the overlapping one, for large states, by conjugate gradients in the space of
        observations. Its spread is that of 3D-Var with the newest observations alone: the window's
        own needs as many minimisations as observations.
    iterations : int
        Gauss-Newton steps at most; of an overlapping window all are made.
    residual : float
        Of the conjugate gradients, relative.
    """

    lag: int = 1
    factor: float = 1.0
    window: Literal["moving", "overlapping"] = "moving"
    iterations: int = 10
    residual: float = 1e-2

    key = "4dvar"
    label = "4D-Var"
    sentence = "The trajectory of a window that fits the observations, the model exact"
    source = "Le Dimet and Talagrand 1986, https://doi.org/10.1111/j.1600-0870.1986.tb00459.x"
    rank = 60
    # Whether each step has an error of its own.
    weak: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse settings that name no method."""
        if self.lag < 1:
            raise UserError(f"A window of {self.lag} cycles: give a lag of 1 or more.")
        if self.window not in ("moving", "overlapping"):
            raise UserError(f"There is no window '{self.window}'; use moving or overlapping.")
        if not 0 < self.residual < 1:
            raise UserError(
                f"A residual of {self.residual:g}: give one above 0 and below 1, such as 0.01."
            )

    def start(self, work: Workspace, generator: np.random.Generator) -> State:
        """Start a window at the mean of the initial Gaussian."""
        del generator
        mean = np.array(work.problem.initial.mean, np.float64)
        self._check(work.problem)
        return {
            "starts": mean[None],
            "first": np.array(0),
            "errors": np.zeros((0, mean.size)),
            "end": mean,
        }

    def _check(self, problem: Problem) -> None:
        """Refuse a problem that lacks what the method needs: nothing here."""

    def forecast(
        self, work: Workspace, state: State, cycle: int, generator: np.random.Generator
    ) -> State:
        """Lengthen the window by a cycle, and move its start where it has become too long."""
        del generator
        problem = work.problem
        starts, first, errors = state["starts"], int(state["first"]), state["errors"]
        every = problem.every
        overlapping = self.window == "overlapping"
        if self.weak and not overlapping:
            errors = np.concatenate((errors, np.zeros((every, starts.shape[1]))))
        end = _stepped(problem, state["end"], cycle - 1, np.zeros((0, starts.shape[1])))
        if overlapping:
            # What each cycle's forecast was before its observations: a later window's background.
            starts = np.concatenate((starts, end[None]))
        while cycle - first > self.lag:
            if overlapping:
                starts = starts[1:]
            else:
                starts = _stepped(problem, starts[0], first, errors[:every])[None]
            first, errors = first + 1, errors[every:]
        return {"starts": starts, "first": np.array(first), "errors": errors, "end": end}

    def estimate(self, work: Workspace, state: State, cycle: int) -> Estimate:
        """Return the forecast at the window's end, with a spread if windows overlap."""
        if self.window != "overlapping":
            return Estimate(state["end"])
        variance = work.problem.background_at(cycle).variance
        return Estimate(state["end"], np.sqrt(self.factor * variance))

    def analyse(
        self,
        work: Workspace,
        state: State,
        cycle: int,
        observations: Observations,
        generator: np.random.Generator,
    ) -> Analysed:
        """Minimise the cost of the window; see :meth:`CycledMethod.analyse`."""
        del generator
        if self.window == "overlapping":
            return self._from_forecast(work, state, cycle, observations)
        problem, first = work.problem, int(state["first"])
        window = Window(
            problem,
            first,
            cycle,
            state["starts"][0],
            problem.background_at(first).scaled(self.factor),
            [(cycle, observations)],
            state["errors"] if self.weak else None,
        )
        control, count = gauss_newton(window, np.zeros(window.rank), self.iterations, _TOLERANCE)
        start, end = window.ends(control)
        after = {**state, "starts": start[None], "end": end}
        if self.weak:
            after["errors"] = window.model_errors(control)
        return Analysed(after, Estimate(end), {"iterations": count})

    def _from_forecast(
        self, work: Workspace, state: State, cycle: int, newest: Observations
    ) -> Analysed:
        """Assimilate all observations of a window that starts from its own first forecast."""
        problem, first = work.problem, int(state["first"])
        covariance = problem.background_at(first)
        earlier = [(c, problem.observations[c]) for c in range(first, cycle)]
        used = [(c, seen) for c, seen in earlier if seen is not None] + [(cycle, newest)]
        start = state["starts"][0]
        window = Forcings(
            problem,
            first,
            cycle,
            start,
            [(covariance, self.factor), *self._of_steps(problem, covariance, first, cycle)],
            used,
        )

        def between(seen: Observations) -> Array:
            owners = (seen.operator, covariance) if seen.operator.linear else None
            found: Array = work.kept(
                "between", owners, lambda: observed_covariance(covariance, seen.operator, start)
            )
            return self.factor * found

        states, count = minimum(window, self.iterations, self.residual, between)
        today = problem.background_at(cycle)
        sd = interpolated(work, today, state["end"], newest, factor=self.factor)[0].sd
        estimate = Estimate(states[-1], sd)
        return Analysed({**state, "end": states[-1]}, estimate, {"iterations": count})

    def _of_steps(
        self, problem: Problem, covariance: Covariance, first: int, cycle: int
    ) -> list[tuple[ModelError, float]]:
        """Return the covariance of each step's error: none, for the model is exact here."""
        del problem, covariance, first, cycle
        return []


def _stepped(problem: Problem, state: Array, cycle: int, errors: Array) -> Array:
    """Step one cycle, with given model errors if any."""
    for k, time in enumerate(problem.steps(cycle, cycle + 1)):
        state = advance(problem.dynamics, state[None], (time,))[0]
        if len(errors):
            state = state + errors[k]
    return state


# Mean square of a Gauss-Newton step, in standard deviations of the background: a thousandth of one
# is far below what a score shows. DAPPER makes ten steps always.
_TOLERANCE = 1e-6

CYCLED = (Var4D(),)

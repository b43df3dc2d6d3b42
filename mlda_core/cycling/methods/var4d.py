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
from mlda_core.cycling.method import Analysed, CycledMethod, Estimate, State, Workspace
from mlda_core.cycling.problem import Observations, Problem
from mlda_core.cycling.window import Window, gauss_newton, quasi_newton
from mlda_core.forecast.dynamics import advance

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
    window : {"moving", "growing"}
        A moving window starts ``lag`` cycles back, and assimilates the newest observations only:
        those before have shaped its background. A growing one assimilates all observations since
        its start, and starts anew, from its analysis, when it is ``lag`` cycles long.
    minimiser : {"gauss_newton", "lbfgs"}
        Gauss-Newton makes a copy of the state for each observation; L-BFGS is for large states.
    iterations : int
        At most.
    """

    lag: int = 1
    factor: float = 1.0
    window: Literal["moving", "growing"] = "moving"
    minimiser: Literal["gauss_newton", "lbfgs"] = "gauss_newton"
    iterations: int = 10

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
        for name, known in (
            ("window", ("moving", "growing")),
            ("minimiser", ("gauss_newton", "lbfgs")),
        ):
            if getattr(self, name) not in known:
                raise UserError(
                    f"There is no {name} '{getattr(self, name)}'; use {' or '.join(known)}."
                )

    def start(self, work: Workspace, generator: np.random.Generator) -> State:
        """Start a window at the mean of the initial Gaussian."""
        del generator
        mean = np.array(work.problem.initial.mean, np.float64)
        if self.weak and work.problem.dynamics.model_error is None:
            raise UserError(
                f"The weak constraint needs a model error, and {work.problem.dynamics.name} has "
                "none; give it one, or use 4dvar."
            )
        return self._window_from(mean, 0)

    def _window_from(self, start: Array, cycle: int) -> State:
        nothing = np.zeros((0, start.size))
        first = np.array(cycle)
        return {"start": start, "first": first, "errors": nothing, "end": start, "control": _NONE}

    def forecast(
        self, work: Workspace, state: State, cycle: int, generator: np.random.Generator
    ) -> State:
        """Lengthen the window by a cycle, and move its start where it has become too long."""
        del generator
        problem = work.problem
        start, first, errors = state["start"], int(state["first"]), state["errors"]
        control = state["control"]
        every = problem.every
        if self.weak:
            errors = np.concatenate((errors, np.zeros((every, start.size))))
        if self.window == "growing" and cycle - 1 - first >= self.lag:
            start, first, control = state["end"], cycle - 1, _NONE
            errors = errors[-every:] if self.weak else errors
        while cycle - first > self.lag:
            start = _stepped(problem, start, first, errors[:every])
            first, errors = first + 1, errors[every:]
        end = _stepped(problem, state["end"], cycle - 1, np.zeros((0, start.size)))
        return {
            "start": start,
            "first": np.array(first),
            "errors": errors,
            "end": end,
            "control": control,
        }

    def estimate(self, work: Workspace, state: State, cycle: int) -> Estimate:
        """Return the forecast at the window's end, without spread."""
        del work, cycle
        return Estimate(state["end"])

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
        problem = work.problem
        first = int(state["first"])
        window = Window(
            problem,
            first,
            cycle,
            state["start"],
            problem.background_at(first).scaled(self.factor),
            self._used(problem, first, cycle, observations),
            state["errors"] if self.weak else None,
        )
        # From the minimum of one cycle ago: long windows have local minima (Pires et al. 1996).
        guess = np.zeros(window.rank)
        guess[: state["control"].size] = state["control"]
        if self.minimiser == "gauss_newton":
            control, count = gauss_newton(window, guess, self.iterations, _TOLERANCE)
        else:
            control, count = quasi_newton(window, guess, self.iterations)
        start, end = window.ends(control)
        cost = window.value_and_gradient(control)[0]
        after = {**state, "end": end}
        if self.window == "growing":
            after["control"] = control
        if self.window == "moving":
            after["start"] = start
            if self.weak:
                after["errors"] = window.model_errors(control)
        return Analysed(after, Estimate(end), {"iterations": count, "cost": cost})

    def _used(
        self, problem: Problem, first: int, cycle: int, newest: Observations
    ) -> list[tuple[int, Observations]]:
        used = [(cycle, newest)]
        if self.window == "growing":
            # Those of a restarted window's first cycle are in its background already.
            since = 0 if first == 0 else first + 1
            earlier = [(c, problem.observations[c]) for c in range(since, cycle)]
            used = [(c, o) for c, o in earlier if o is not None] + used
        return used


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
_NONE = np.zeros(0)

CYCLED = (Var4D(),)

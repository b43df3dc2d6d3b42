"""4D-Var with a weak constraint: each step of the forecast model has an error of its own.

Tremolet 2006, https://doi.org/10.1256/qj.05.224; the control is the start of the window and the
errors of its steps, with the model's own covariance Q.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from mlda_core.climate.errors import UserError
from mlda_core.cycling.covariance import Covariance
from mlda_core.cycling.methods.var4d import Var4D
from mlda_core.cycling.problem import Problem
from mlda_core.forecast.model_error import ModelError


@dataclass(frozen=True)
class WeakVar4D(Var4D):
    """See :class:`mlda_core.cycling.methods.var4d.Var4D`.

    Parameters
    ----------
    model_error : float
        In an overlapping window, the variance of each cycle's error in units of the covariance of
        background errors; 0 takes the forecast's own covariance.
    """

    model_error: float = 0.0

    key = "4dvar_weak"
    label = "4D-Var, weak constraint"
    sentence = "4D-Var with an error of the model at each step"
    source = "Tremolet 2006, https://doi.org/10.1256/qj.05.224"
    rank = 70
    weak = True
    # Found on VALIDATION (docs/cycling.md).
    offered: ClassVar[Mapping[str, Any] | None] = MappingProxyType(
        {"lag": 1, "window": "overlapping", "iterations": 1, "model_error": 0.3}
    )

    def __post_init__(self) -> None:
        """Refuse a negative variance too."""
        super().__post_init__()
        if self.model_error < 0:
            raise UserError(
                f"A variance of {self.model_error:g} for the model's error: give 0 or more."
            )

    def _check(self, problem: Problem) -> None:
        """Refuse a moving window of a forecast without model error."""
        given = self.model_error > 0 and self.window == "overlapping"
        if problem.dynamics.model_error is None and not given:
            raise UserError(
                f"The weak constraint needs a model error, and {problem.dynamics.name} has none; "
                "give it one, or overlapping windows with a setting 'model_error', or use 4dvar."
            )

    def _of_steps(
        self, problem: Problem, covariance: Covariance, first: int, cycle: int
    ) -> list[tuple[ModelError, float]]:
        steps = (cycle - first) * problem.every
        own = problem.dynamics.model_error
        if self.model_error > 0 or own is None:
            return [(covariance, self.model_error / problem.every)] * steps
        return [(own, 1.0)] * steps


CYCLED = (WeakVar4D(),)

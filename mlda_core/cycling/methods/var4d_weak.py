"""4D-Var with a weak constraint: each step of the forecast model has an error of its own.

Tremolet 2006, https://doi.org/10.1256/qj.05.224; the control is the start of the window and the
errors of its steps, with the model's own covariance Q.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlda_core.cycling.methods.var4d import Var4D


@dataclass(frozen=True)
class WeakVar4D(Var4D):
    """See :class:`mlda_core.cycling.methods.var4d.Var4D`."""

    key = "4dvar_weak"
    label = "4D-Var, weak constraint"
    sentence = "4D-Var with an error of the model at each step"
    source = "Tremolet 2006, https://doi.org/10.1256/qj.05.224"
    rank = 70
    weak = True


CYCLED = (WeakVar4D(),)

"""The ensemble Kalman filter with perturbed observations.

Evensen 1994, https://doi.org/10.1029/94JC00572; Burgers, van Leeuwen and Evensen 1998,
https://doi.org/10.1175/1520-0493(1998)126<1719:ASITEK>2.0.CO;2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlda_core.cycling.ensemble_method import EnsembleMethod
from mlda_core.cycling.ensemble_transform import perturbed_update
from mlda_core.cycling.method import Workspace
from mlda_core.cycling.problem import Observations

Array = NDArray[np.float64]


@dataclass(frozen=True)
class EnKF(EnsembleMethod):
    """Each member sees observations with errors of its own; see :class:`EnsembleMethod`."""

    key = "enkf"
    label = "EnKF"
    sentence = "Ensemble Kalman filter with perturbed observations"
    source = (
        "Burgers et al. 1998, https://doi.org/10.1175/1520-0493(1998)126%3C1719:ASITEK%3E2.0.CO;2"
    )
    rank = 30

    def update(
        self,
        work: Workspace,
        members: Array,
        observations: Observations,
        generator: np.random.Generator,
    ) -> Array:
        """Update with perturbed observations; see :meth:`EnsembleMethod.update`."""
        del work
        observed = observations.operator.observe(members)
        return perturbed_update(members, observed, observations.values, observations.sd, generator)


CYCLED = (EnKF(),)

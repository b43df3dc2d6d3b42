"""The ensemble transform Kalman filter, with the symmetric square root.

Bishop, Etherton and Majumdar 2001,
https://doi.org/10.1175/1520-0493(2001)129<0420:ASWTET>2.0.CO;2; Sakov and Oke 2008,
https://doi.org/10.1175/2007MWR2021.1, for the symmetric root and the rotations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlda_core.cycling.ensemble_method import EnsembleMethod
from mlda_core.cycling.ensemble_transform import centred, scaled_anomalies, symmetric_transform
from mlda_core.cycling.method import Workspace
from mlda_core.cycling.problem import Observations

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ETKF(EnsembleMethod):
    """All members are transformed at once, without perturbations; see :class:`EnsembleMethod`."""

    key = "etkf"
    label = "ETKF"
    sentence = "Ensemble transform Kalman filter with the symmetric square root"
    source = "Sakov and Oke 2008, https://doi.org/10.1175/2007MWR2021.1"
    rank = 40

    def update(
        self,
        work: Workspace,
        members: Array,
        observations: Observations,
        generator: np.random.Generator,
    ) -> Array:
        """Transform the anomalies; see :meth:`EnsembleMethod.update`."""
        del work, generator
        observed = observations.operator.observe(members)
        s = scaled_anomalies(observed, observations.sd)
        departures = (observations.values - observed.mean(axis=0)) / observations.sd
        weights, transform = symmetric_transform(s @ s.T, s @ departures)
        mean, anomalies = centred(members)
        return mean + (weights + transform) @ anomalies


CYCLED = (ETKF(),)

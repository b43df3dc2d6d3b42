"""The local ensemble transform Kalman filter.

Hunt, Kostelich and Szunyogh 2007, https://doi.org/10.1016/j.physd.2006.11.008: each group of
components has its own transform, from the observations near it, whose error variances grow with
their distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.cycling.ensemble_method import EnsembleMethod
from mlda_core.cycling.ensemble_transform import centred, scaled_anomalies, symmetric_transform
from mlda_core.cycling.method import Workspace
from mlda_core.cycling.problem import Observations

Array = NDArray[np.float64]
# Groups transformed at once: 64 MB of transforms with 30 members.
_AT_ONCE = 2**23


@dataclass(frozen=True)
class LETKF(EnsembleMethod):
    """Localised by the problem's localisation; see :class:`EnsembleMethod`."""

    key = "letkf"
    label = "LETKF"
    sentence = "Ensemble transform Kalman filter with a transform for each place"
    source = "Hunt et al. 2007, https://doi.org/10.1016/j.physd.2006.11.008"
    rank = 50
    # Twenty members are a second a day.
    offered = MappingProxyType({"members": 20, "adaptive": 0.1})

    def update(
        self,
        work: Workspace,
        members: Array,
        observations: Observations,
        generator: np.random.Generator,
    ) -> Array:
        """Transform the anomalies group by group; see :meth:`EnsembleMethod.update`."""
        del generator
        localisation = work.problem.localisation
        if localisation is None:
            raise UserError("The LETKF needs a localisation; give one to the problem, or use ETKF.")
        n = len(members)
        observed = observations.operator.observe(members)
        s = scaled_anomalies(observed, observations.sd)
        departures = (observations.values - observed.mean(axis=0)) / observations.sd
        weight = localisation.weights(observations.operator)
        # S W S^T of all groups in one product: no group has its own copy of S.
        pairs = (s[:, None, :] * s[None, :, :]).reshape(n * n, -1)
        toward = weight @ (s * departures).T
        mean, anomalies = centred(members)
        # The component that pads short groups is a spare one at the end.
        padded = np.concatenate((anomalies, np.zeros((n, 1))), axis=1)
        out = np.zeros((n, mean.size + 1))
        size = max(1, _AT_ONCE // (n * n))
        for first in range(0, len(weight), size):
            part = slice(first, first + size)
            gram = (weight[part] @ pairs.T).reshape(-1, n, n)
            shift, transform = symmetric_transform(gram, toward[part])
            at = localisation.members[part]
            local = np.moveaxis(padded[:, at], 0, 1)
            out[:, at] = np.moveaxis((shift[:, None, :] + transform) @ local, 0, 1)
        return mean + out[:, :-1]


CYCLED = (LETKF(),)

"""The ensemble transform Kalman filter of codes, with linear dynamics in the latent space.

The dynamics are those of :mod:`mlda_core.forecast.koopman`, the transform that of :mod:`.etkf`.
"""

from __future__ import annotations

from mlda_core.cycling.latent_method import LatentMethod
from mlda_core.cycling.methods.etkf import ETKF


class LatentETKF(LatentMethod):
    """Members are codes; see :class:`LatentMethod`."""

    key = "enkf_latent"
    label = "EnKF of codes"
    sentence = "Ensemble filter in the latent space, linear dynamics, small scales as persistence"
    source = "Bishop et al. 2001, https://doi.org/10.1175/1520-0493(2001)129<0420:ASWTET>2.0.CO;2"
    rank = 55


# Twice as many members as codes: fewer would need a localisation, which codes have none of.
CYCLED = (LatentETKF(inner=ETKF(members=400)),)

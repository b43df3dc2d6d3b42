"""A setting that only tests declare: what follows from one that is declared, and nothing else."""

from __future__ import annotations

import param

from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.settings import setting


class Smoothed(ObservationSettings):
    """The observations with one setting more, which nothing else knows."""

    smoothing = param.Number(
        default=1.0,
        bounds=(0.5, 4.0),
        step=0.5,
        label="Smoothing",
        doc="Factor on the smoothing length.",
        metadata=setting("smooth", words="smoothing length", digits=2),
    )

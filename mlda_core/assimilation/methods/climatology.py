"""Climatology: zero anomaly whatever is observed; explained variance 0 by definition."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from mlda_core.assimilation.method import Array, Engine, Float, Method

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.assimilation.analysis import Step
    from mlda_core.assimilation.options import Setting
    from mlda_core.climate.interpolation import Places


class Climatology(Method):
    """The reference of the scores."""

    takes_kinds = True

    def steps(
        self, engine: Engine, table: pd.DataFrame, month: int, setting: Setting
    ) -> Iterator[Step]:
        """Return the climatology of the month."""
        from mlda_core.assimilation.unmodelled import Estimate, step_of
        from mlda_core.observations.standardised import standardise

        del setting
        bundle = engine.bundle
        began = time.perf_counter()
        every = standardise(table, bundle, month)
        zero = np.where(bundle.mask, 0.0, np.nan).astype(np.float32)
        estimate = Estimate(
            self.key,
            began,
            np.zeros(bundle.mask.size, np.float32),
            np.ones(bundle.mask.shape, np.float32),
            "climatology",
            np.zeros(len(table), bool),
        )
        yield step_of(estimate, bundle, table, every, month, zero)

    def states(
        self,
        engine: Engine,
        places: Places,
        variance: Array,
        values: Array,
        month: int,
        setting: Setting,
    ) -> tuple[Float, Float]:
        """Return zeros."""
        del places, variance, month, setting
        shape = engine.bundle.mask.shape
        return np.zeros((len(values), *shape), np.float32), np.zeros(shape, np.float32)


METHODS = (
    Climatology(
        "climatology",
        "Climatology",
        "No anomaly anywhere: explained variance 0",
        "docs/assimilation.md",
        rank=90,
        scored_in=(),
    ),
)

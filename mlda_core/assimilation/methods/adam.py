"""Adam on z from a random start, without a prior and with a diagonal R, as in earlier scripts.

Kingma and Ba 2015, https://arxiv.org/abs/1412.6980.
"""

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
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.climate.interpolation import Places
    from mlda_core.observations.standardised import Observed

ADAM_STEPS, ADAM_RATE = 200, 0.05


def descend(
    bundle: Bundle, observed: Observed, month: int, *, seed: int = 0
) -> Iterator[tuple[int, Array, float]]:
    """Fit z step by step.

    Parameters
    ----------
    bundle : Bundle
    observed : Observed
    month : int
        Calendar month 1..12.
    seed : int
        Of the random start.

    Yields
    ------
    step, z, cost : int, ndarray of shape (L,), float
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(bundle.n_latent, generator=generator).requires_grad_()
    optimiser = torch.optim.Adam([z], lr=ADAM_RATE)
    index = torch.from_numpy(observed.places.index)
    weight = torch.from_numpy(observed.places.weight).float()
    value = torch.from_numpy(observed.value).float()
    precision = torch.from_numpy(1.0 / observed.variance).float()
    which = torch.tensor([bundle.calendar_month(month)])
    for step in range(1, ADAM_STEPS + 1):
        x = bundle.decoder(z[None], which).flatten()
        left = value - (x[index] * weight).sum(dim=1)
        cost = 0.5 * (precision * left**2).sum()
        optimiser.zero_grad(set_to_none=True)
        cost.backward()
        optimiser.step()
        yield step, z.detach().numpy().astype(np.float64), float(cost.detach())


class Adam(Method):
    """A fit of the decoder to the observations, stopped after a fixed number of steps."""

    # 200 decodings with gradients, 2.8 s a month.
    most_scored_months = 24

    def steps(
        self, engine: Engine, table: pd.DataFrame, month: int, setting: Setting
    ) -> Iterator[Step]:
        """Run the descent."""
        from mlda_core.assimilation.analysis import Cost, Step
        from mlda_core.assimilation.unmodelled import Estimate, step_of
        from mlda_core.observations.standardised import standardise, thin

        bundle = engine.bundle
        began = time.perf_counter()
        every = standardise(table, bundle, month, error_scale=setting.error_scale)
        offered = np.flatnonzero(~table["withheld"].to_numpy(bool))
        rows = offered[thin(every.places.where(offered), every.variance[offered])]
        z: Array = np.zeros(bundle.n_latent)
        path: list[float] = []
        for index, z, value in descend(bundle, every.where(rows), month):
            path.append(value)
            at = z.copy()

            def fields(at: Array = at) -> Float:
                return bundle.decode_anomalies(at, month)

            yield Step(index, at, Cost(0.0, value), 0.0, f"{index} steps of Adam", fields)
        estimate = Estimate(
            self.key,
            began,
            bundle.decode_standardised(z[None], month).ravel(),
            np.asarray(bundle.residual_sd, np.float32),
            f"stopped after {ADAM_STEPS} steps",
            np.isin(np.arange(len(table)), rows),
            z=z,
            path=tuple(path),
            converged=False,
            thins=True,
        )
        fields_at = bundle.decode_anomalies(z, month)
        yield step_of(estimate, bundle, table, every, month, fields_at)

    def states(
        self,
        engine: Engine,
        places: Places,
        variance: Array,
        values: Array,
        month: int,
        setting: Setting,
    ) -> tuple[Float, Float]:
        """Fit months one by one."""
        from mlda_core.observations.standardised import Observed, thin

        del setting
        bundle = engine.bundle
        kept = thin(places, variance)
        ends = []
        for row in values:
            *_, (_, z, _) = descend(bundle, Observed(places, row, variance).where(kept), month)
            ends.append(z)
        sd = np.asarray(bundle.residual_sd, np.float32)
        return bundle.decode_standardised(np.stack(ends), month), sd


METHODS = (
    Adam(
        "adam",
        "Adam, no prior",
        "Gradient descent by Adam from a random start: no prior, diagonal R",
        "Kingma and Ba 2015, https://arxiv.org/abs/1412.6980",
        rank=50,
        latent="decoder",
    ),
)

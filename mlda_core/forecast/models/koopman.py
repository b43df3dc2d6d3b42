"""The linear model of latent vectors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlda_core.forecast.kind import ForecastKind, Tick, Trained

if TYPE_CHECKING:
    from torch import Tensor

    from mlda_core.bundle.bundle import Bundle
    from mlda_core.forecast.latent_states import DecodedDynamics
    from mlda_core.vae.dataset import TrainingData


class Koopman(ForecastKind):
    """Linear in the latent space; see :mod:`mlda_core.forecast.koopman`."""

    def train(
        self, bundle: Bundle, data: TrainingData, run: Path, *, seed: int, tick: Tick | None = None
    ) -> Trained:
        """Estimate it; see :meth:`ForecastKind.train`."""
        import torch

        from mlda_core.forecast.koopman import choose_linear, lost_of
        from mlda_core.forecast.latent_states import latent_data

        del run, seed
        say = tick or (lambda *_: None)
        say(f"{self.key}: encoding", 0, 2)
        given = latent_data(bundle, data)
        say(f"{self.key}: encoding", 1, 2)
        found, ridge = choose_linear(given.train, given.held)
        say(f"{self.key}: encoding", 2, 2)
        arrays = {
            "matrix": found.matrix,
            "covariance": found.error,
            "damping": given.damping,
            "rest": given.rest,
        }
        return Trained(
            {k: torch.from_numpy(v).float().contiguous() for k, v in arrays.items()},
            {},
            {"ridge": ridge, "validation_explained_variance": 1 - lost_of(found, given.held)},
        )

    def build(
        self, bundle: Bundle, tensors: Mapping[str, Tensor], shape: Mapping[str, Any]
    ) -> DecodedDynamics:
        """Build it; see :meth:`ForecastKind.build`."""
        import numpy as np

        from mlda_core.forecast.koopman import LinearDynamics
        from mlda_core.forecast.latent_states import DecodedDynamics

        del shape
        matrix, error = (tensors[k].numpy().astype(np.float64) for k in ("matrix", "covariance"))
        latent = LinearDynamics(matrix, 0.5 * (error + error.T))
        return DecodedDynamics(bundle, latent, tensors["damping"].float(), self.key)


FORECAST = Koopman(
    "koopman",
    "Linear in the latent space",
    "A matrix that steps latent vectors, and damped persistence of the small scales",
    "Penland and Sardeshmukh 1995, https://doi.org/10.1175/1520-0442(1995)008<1999:TOGOTS>2.0.CO;2",
    rank=20,
)

"""A small residual network on latent vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlda_core.forecast.kind import ForecastKind, Tick, Trained

if TYPE_CHECKING:
    from torch import Tensor

    from mlda_core.bundle.bundle import Bundle
    from mlda_core.forecast.latent_states import DecodedDynamics
    from mlda_core.vae.dataset import TrainingData


class Latent(ForecastKind):
    """See :mod:`mlda_core.forecast.latent_network`."""

    def train(
        self, bundle: Bundle, data: TrainingData, run: Path, *, seed: int, tick: Tick | None = None
    ) -> Trained:
        """Train it from the linear model on; see :meth:`ForecastKind.train`."""
        import torch

        from mlda_core.forecast.koopman import choose_linear
        from mlda_core.forecast.latent_network import LatentTraining, loss_of, train_latent
        from mlda_core.forecast.latent_states import latent_data

        del run
        say = tick or (lambda *_: None)
        say(f"{self.key}: encoding", 0, 2)
        given = latent_data(bundle, data)
        say(f"{self.key}: encoding", 1, 2)
        start, _ = choose_linear(given.train, given.held)
        settings = replace(LatentTraining(), seed=seed)
        network, epoch = train_latent(
            given.train, given.held, bundle.seasons, start.matrix, settings=settings
        )
        say(f"{self.key}: encoding", 2, 2)
        left = given.held.after - _stepped(network, bundle, given.held)
        tensors = {f"network.{k}": v.float() for k, v in network.state_dict().items()}
        tensors |= {
            "covariance": torch.from_numpy(left.T @ left / len(left)).float(),
            "damping": torch.from_numpy(given.damping),
            "rest": torch.from_numpy(given.rest),
        }
        return Trained(
            {k: v.contiguous() for k, v in tensors.items()},
            network.config.to_dict(),
            {
                "training": asdict(settings),
                "best_epoch": epoch,
                "validation_explained_variance": 1 - loss_of(network, given.held, bundle.seasons),
            },
        )

    def build(
        self, bundle: Bundle, tensors: Mapping[str, Tensor], shape: Mapping[str, Any]
    ) -> DecodedDynamics:
        """Build it; see :meth:`ForecastKind.build`."""
        import numpy as np

        from mlda_core.forecast.latent_network import (
            LatentDynamics,
            LatentNetwork,
            LatentNetworkConfig,
        )
        from mlda_core.forecast.latent_states import DecodedDynamics
        from mlda_core.vae.packing import tensors_under

        network = LatentNetwork(bundle.n_latent, LatentNetworkConfig(**shape))
        network.load_state_dict(tensors_under("network.", tensors))
        network.eval().requires_grad_(False)
        error = tensors["covariance"].numpy().astype(np.float64)
        latent = LatentDynamics(network, bundle.seasons, 0.5 * (error + error.T))
        return DecodedDynamics(bundle, latent, tensors["damping"].float(), self.key)


def _stepped(network: Any, bundle: Bundle, pairs: Any) -> Any:
    import torch

    from mlda_core.forecast.grid_training import season_features

    features = season_features(bundle.seasons, pairs.season, network.config.harmonics)
    with torch.no_grad():
        return network(torch.from_numpy(pairs.before).float(), features).numpy()


FORECAST = Latent(
    "latent",
    "Network in the latent space",
    "A residual network that steps latent vectors, and damped persistence of the small scales",
    "Lusch, Kutz and Brunton 2018, https://doi.org/10.1038/s41467-018-07210-0",
    rank=30,
)

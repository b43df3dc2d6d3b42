"""The grid forecast: a U-Net from the fields of one day to those of the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlda_core.forecast.kind import ForecastKind, Tick, Trained

if TYPE_CHECKING:
    from torch import Tensor

    from mlda_core.bundle.bundle import Bundle
    from mlda_core.forecast.grid_dynamics import GridDynamics
    from mlda_core.vae.dataset import TrainingData


class Grid(ForecastKind):
    """A network on the grid."""

    def train(
        self, bundle: Bundle, data: TrainingData, run: Path, *, seed: int, tick: Tick | None = None
    ) -> Trained:
        """Train it, or go on where a training stopped; see :meth:`ForecastKind.train`."""
        from mlda_core.forecast.grid_dynamics import GridDynamics
        from mlda_core.forecast.grid_training import GridProgress, GridTraining, train_grid
        from mlda_core.forecast.step_errors import packed_errors, step_errors
        from mlda_core.vae.packing import pack_bytes

        settings = replace(GridTraining(), seed=seed)
        last: list[GridProgress] = []

        def batch(done: int, total: int) -> None:
            if tick:
                at = last[-1].epoch if last else 0
                tick(f"grid: epoch {at + 1}", done, total)

        def report(progress: GridProgress) -> None:
            last.append(progress)

        network = train_grid(data, run, settings=settings, report=report, tick=batch)
        network.requires_grad_(False)
        _, *size = bundle.mask.shape
        fields = (bundle.mask.shape[0], size[0], size[1])
        dynamics = GridDynamics(network, bundle.seasons, fields)
        errors = packed_errors(step_errors(dynamics, data), data.normaliser.weights.ravel())
        # A byte a weight: explained variance after a day changes by .0005 at most.
        kept = pack_bytes(dict(network.state_dict()))
        tensors = {f"network.{k}": v for k, v in kept.items()}
        return Trained(
            {**tensors, **errors},
            network.config.to_dict(),
            {"training": asdict(settings), "seconds": round(sum(p.seconds for p in last))},
        )

    def build(
        self, bundle: Bundle, tensors: Mapping[str, Tensor], shape: Mapping[str, Any]
    ) -> GridDynamics:
        """Build it; see :meth:`ForecastKind.build`."""
        from mlda_core.forecast.grid_dynamics import GridDynamics
        from mlda_core.forecast.grid_network import GridNetwork, GridNetworkConfig
        from mlda_core.forecast.step_errors import unpacked_errors
        from mlda_core.vae.packing import tensors_under, unpack_bytes
        from mlda_core.vae.prior_training import unpack

        variables, rows, columns = bundle.mask.shape
        network = GridNetwork(
            variables,
            (rows, columns),
            GridNetworkConfig(**shape),
            periodic=bundle.grid.is_global,
        )
        unpack(network, unpack_bytes(tensors_under("network.", tensors)))
        return GridDynamics(
            network, bundle.seasons, (variables, rows, columns), unpacked_errors(tensors)
        )


FORECAST = Grid(
    "grid",
    "U-Net on the grid",
    "A U-Net from the fields of one day to those of the next",
    "Weyn, Durran and Caruana 2020, https://doi.org/10.1029/2020MS002109",
    rank=10,
)

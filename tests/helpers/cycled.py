"""The small bundle of days with a forecast and its errors: what the tool Cycle needs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from days import make_daily
from kept import copy_kept

from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.bundle.writing import add_forecast
from mlda_core.cycling.shipped_case import ForecastTrust, save_trust
from mlda_core.forecast.grid_dynamics import GridDynamics
from mlda_core.forecast.grid_network import GridNetwork, GridNetworkConfig
from mlda_core.forecast.step_errors import packed_errors, step_errors
from mlda_core.vae.prior_training import packed

# Of a forecast: untrained, the network damps what it is given.
KEPT = 0.8


def make_cycled(folder: Path) -> Bundle:
    """A bundle of days that can be cycled."""

    def make(to: Path) -> None:
        bundle, data = make_daily(to)
        variables, rows, columns = bundle.mask.shape
        shape = GridNetworkConfig(width=8, depth=1, position_channels=2)
        torch.manual_seed(0)
        network = GridNetwork(variables, (rows, columns), shape, periodic=True)
        network.requires_grad_(False)
        network.persistence.fill_(KEPT)
        dynamics = GridDynamics(network, bundle.seasons, (variables, rows, columns))
        errors = packed_errors(step_errors(dynamics, data), data.normaliser.weights.ravel())
        tensors = {f"network.{name}": value for name, value in packed(network).items()}
        add_forecast(bundle, "grid", {**tensors, **errors}, shape.to_dict(), {"test": True})
        sizes = np.array([30, 300])
        full = np.ones((2, variables, rows))
        save_trust(bundle, ForecastTrust(sizes, 0.9 * full, 0.6 * full))

    copy_kept("cycled", make, folder)
    return load_bundle(folder / "made")

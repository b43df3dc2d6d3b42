"""Errors of forecasts of the small climate of days, and models learnt from them."""

import numpy as np
import pytest
from days import make_config

from mlda_core.cycling.error_training import NetworkErrors, train_error_model


@pytest.fixture(scope="session")
def found(daily):
    """Errors of two sizes of network: half and a quarter of the states of the days."""
    bundle, data = daily
    past, held = data.train, data.observed.in_split("validation")
    flat = [days.x.reshape(len(days), -1) for days in (past, held)]
    return {
        size: NetworkErrors(
            size,
            np.full(bundle.mask.size, 0.9),
            (part * flat[0]).astype(np.float32),
            past,
            (part * flat[1]).astype(np.float32),
            held,
        )
        for size, part in ((10, 0.5), (40, 0.25))
    }


@pytest.fixture(scope="session")
def models(daily, found, tmp_path_factory):
    bundle, data = daily
    folder = tmp_path_factory.mktemp("errors")
    config = make_config(bundle.path.parent)
    return train_error_model(bundle, config, data, found, folder, priors=["flow", "diffusion"])

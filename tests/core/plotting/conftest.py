"""Fields on a small globe, and an analysis and a response of a small bundle."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.climate.grid import Grid
from mlda_core.climate.variables import DEFAULTS
from mlda_core.observations.networks import NetworkSpec, places
from mlda_core.observations.synthetic import synthesise
from mlda_core.perturbation.responder import Responder
from mlda_core.perturbation.sst_patches import Patch

MONTH = "1982-07"


@pytest.fixture(scope="session")
def grid():
    """Latitudes as of a Gaussian grid, not quite regular."""
    return Grid(
        np.array([-72.0, -50.0, -30.5, -10.0, 10.0, 30.5, 50.0, 72.0]), np.arange(16) * 22.5
    )


@pytest.fixture
def field(grid):
    values = np.linspace(-2.0, 2.0, 128).reshape(grid.shape)
    values[3, 2:5] = np.nan
    return values


@pytest.fixture
def state(grid, field):
    """What the plotting functions ask of a bundle, without a model."""
    variables = tuple(DEFAULTS[name] for name in ("psl", "tos", "tas", "pr"))
    return SimpleNamespace(
        variables=variables, grid=grid, mask=np.ones((4, *grid.shape), bool), vectors=()
    )


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "variable": ["psl", "psl", "psl", "tas", "tas"],
            "lat": [50.0, 0.0, -40.0, 60.0, 25.0],
            "lon": [10.0, 200.0, 300.0, 359.0, 181.0],
            "withheld": [False, True, False, False, False],
            "used": [True, False, False, True, True],
        }
    )


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    return Assimilator(make_small(tmp_path_factory.mktemp("plotted"), curved=0.002))


@pytest.fixture(scope="session")
def analysis(engine):
    bundle = engine.bundle
    where = places(NetworkSpec("stations", ("psl", "tas"), count=12, seed=1), bundle)
    observed = synthesise(where, bundle, bundle.target(MONTH), 7, seed=1)
    observed.loc[::4, "withheld"] = True
    return engine.run(observed, MONTH)


@pytest.fixture(scope="session")
def response(engine):
    return Responder(engine).respond(MONTH, [Patch(1.0, box=(-30, 30, 180, 270))])

"""An assimilation that is ready to be sampled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.options import Setting
from mlda_core.observations.standardised import standardise


@pytest.fixture(scope="session")
def prepare():
    """Prepare an assimilation of a few observations: engine and problem."""

    def make(bundle, method="vae", count=6, **columns):
        engine = Assimilator(bundle)
        observed = standardise(table(bundle, count).assign(**columns), bundle, 7)
        rows = np.arange(len(observed))
        return engine, engine.preparation.problem(observed, rows, 7, Setting(method=method))

    return make


@pytest.fixture(scope="session")
def still():
    """Make draws that depart from nothing."""

    def make(draws):
        parts = ("zeta", "error", "error_at", "noise")
        return replace(draws, **{name: 0 * getattr(draws, name) for name in parts})

    return make

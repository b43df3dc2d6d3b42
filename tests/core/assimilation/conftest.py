"""Small calibrated bundles, and the bundled model; nobody changes them."""

import pytest
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator


@pytest.fixture(scope="session")
def linear(tmp_path_factory):
    """A bundle with a linear decoder, for which there are closed forms."""
    return make_small(tmp_path_factory.mktemp("linear"), curved=0.0)


@pytest.fixture(scope="session")
def curved(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("curved"), curved=0.03)


@pytest.fixture(scope="session")
def bundled(speedy):
    return speedy


@pytest.fixture(scope="module")
def engine(speedy):
    return Assimilator(speedy)

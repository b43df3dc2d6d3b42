"""Fixtures of tests/core/reanalysis."""

import pytest
from small import make_small


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("reanalysis"), curved=0.002)

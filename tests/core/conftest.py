"""Bundles of tests in several rooms; nobody changes them."""

import pytest
from aloft import make_bundle


@pytest.fixture(scope="session")
def aloft(tmp_path_factory):
    """A bundle without a sea: 500 hPa height and the wind of 850 hPa in balance with it."""
    return make_bundle(tmp_path_factory.mktemp("aloft"))

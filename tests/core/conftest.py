"""Bundles of tests in several rooms; nobody changes them."""

import pytest
from aloft import make_bundle
from days import make_daily


@pytest.fixture(scope="session")
def aloft(tmp_path_factory):
    """A bundle without a sea: 500 hPa height and the wind of 850 hPa in balance with it."""
    return make_bundle(tmp_path_factory.mktemp("aloft"))


@pytest.fixture(scope="session")
def daily(tmp_path_factory):
    """A bundle of days whose waves move eastwards, and its training data."""
    return make_daily(tmp_path_factory.mktemp("daily"))

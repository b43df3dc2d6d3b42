"""Fixtures of tests/core/observations."""

from __future__ import annotations

import pytest
from small import make_linear

from mlda_core.bundle.bundle import Bundle


@pytest.fixture(scope="session")
def bundle(speedy: Bundle) -> Bundle:
    return speedy


@pytest.fixture(scope="session")
def linear(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A small climate's bundle with statistics, whose decoder is the EOFs'."""
    return make_linear(tmp_path_factory.mktemp("linear"))

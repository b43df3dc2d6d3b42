"""Fixtures of tests/core/observations."""

from __future__ import annotations

import pytest

from mlda_core.bundle.bundle import Bundle


@pytest.fixture(scope="session")
def bundle(speedy: Bundle) -> Bundle:
    return speedy

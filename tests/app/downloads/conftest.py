"""Visits whose downloads are looked at, and what opens them."""

from __future__ import annotations

import pytest
import xarray as xr
from visiting import SeaVisit


@pytest.fixture(scope="module")
def sea(speedy):
    """A visit of Perturb with a response to a warmer Pacific."""
    visit = SeaVisit(speedy, "?tool=perturb&network=none&model=code&sst=nino34:2")
    visit.settle()
    yield visit
    visit.session.close()


@pytest.fixture
def opened(tmp_path):
    """Opens the bytes of a netCDF file, or a group of it."""

    def read(message, group=None):
        path = tmp_path / message["name"]
        path.write_bytes(message["bytes"])
        with xr.open_dataset(path, group=group) as data:
            return data.load()

    return read

"""Files of responses: months in any order, and nothing left where it broke."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from mlda_core.climate.cf import coordinates
from mlda_core.climate.grid import Grid
from mlda_core.perturbation.netcdf import label_of, provenance, writing
from mlda_core.perturbation.sst_patches import Patch

GRID = Grid(np.linspace(-60.0, 60.0, 3), np.arange(4) * 90.0)
MONTHS = ("1997-12", "1998-01", "1998-02")


def month(name, value):
    field = np.full((1, *GRID.shape), value, np.float32)
    field[0, 0, 0] = np.nan
    return xr.Dataset(
        {
            "psl_response": (("time", "lat", "lon"), field, {"units": "Pa"}),
            "mean_change": ("time", [value], {"units": "K"}),
        },
        coords=coordinates(GRID, [name]),
    )


def test_months_stand_in_order_whatever_they_were_added_in(tmp_path):
    path = tmp_path / "new" / "r.nc"
    with writing(path, MONTHS, {"source": "a test"}) as add:
        for i in (2, 0, 1):
            add(month(MONTHS[i], float(i)))
        assert not path.exists(), "only once it is complete"
    with xr.open_dataset(path) as file:
        assert [str(t)[:7] for t in file["time"].values] == list(MONTHS)
        np.testing.assert_array_equal(file["mean_change"], [0, 1, 2])
        np.testing.assert_array_equal(file["psl_response"][:, 1, 1], [0, 1, 2])
        assert np.isnan(file["psl_response"][:, 0, 0]).all()
        assert file["psl_response"].attrs["units"] == "Pa"
        assert file.attrs["source"] == "a test"
    assert [p.name for p in path.parent.iterdir()] == ["r.nc"]


def test_a_run_that_breaks_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "r.nc"
    path.write_text("old")

    def broken():
        with writing(path, MONTHS, {}) as add:
            add(month(MONTHS[0], 1.0))
            add(month("2001-01", 1.0))

    with pytest.raises(KeyError, match="2001-01"):
        broken()
    assert [p.name for p in tmp_path.iterdir()] == ["r.nc"]
    assert path.read_text() == "old"


def test_a_file_says_the_change_and_what_is_held(small):
    patches = [Patch.parse("nino34:+2K"), Patch.parse("globe:+1K")]
    about = provenance(small, patches, {"held": "sst_only", "method": "vae"})
    assert label_of(patches) in about["title"]
    assert about["held"].startswith("SST only.")
    settings = json.loads(about["settings"])
    assert settings["sst"] == [patch.to_dict() for patch in patches]
    assert label_of([]) == "no change of the sea"

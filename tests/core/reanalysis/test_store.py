"""The store of a reanalysis."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from mlda_core.assimilation.regional_series import observer
from mlda_core.observations.networks import NetworkSpec
from mlda_core.observations.table import empty
from mlda_core.reanalysis.run import make_tasks
from mlda_core.reanalysis.store import lay_out, months_between, read_done, read_tables


@pytest.mark.slow
def test_a_century_is_laid_out_and_shared_out(bundle, tmp_path):
    months = months_between("1880-01", "1999-12")
    observe = observer(NetworkSpec("stations", count=3), bundle)

    def observed(month):
        # Of the years before the bundle's own, every fifth is observed.
        if int(month[:4]) % 5:
            return empty()
        return observe(f"1982-{month[5:]}").assign(value=float(month[:4]))

    store = tmp_path / "century.zarr"
    lay_out(store, bundle, months, observed, {"settings": "{}"})
    tasks = make_tasks(months, read_done(store))
    assert len(tasks) == 12 * 6
    assert sorted(i for rows in tasks for i in rows) == list(range(1440))
    for rows in (tasks[0], tasks[40], tasks[-1]):
        for i, table in read_tables(store, rows).items():
            year = int(months[i][:4])
            assert len(table) == (0 if year % 5 else len(observe("1982-01")))
            assert (table["value"] == year).all()
    with xr.open_zarr(store, chunks=None) as found:
        assert [str(t)[:7] for t in found["time"].values[[0, -1]]] == ["1880-01", "1999-12"]
        assert np.isnan(found["tas"].isel(time=[0, 700, 1439])).all()

"""One task of a reanalysis."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.regional_series import observer
from mlda_core.bundle.bundle import load_bundle
from mlda_core.observations.networks import NetworkSpec
from mlda_core.reanalysis import work
from mlda_core.reanalysis.store import lay_out, write_month


def test_a_strongly_curved_decoder_is_minimised_from_several_starts(bundle, monkeypatch):
    engine = Assimilator(load_bundle(bundle.path))
    curved = replace(engine.bundle.settings, nonlinearity=0.6)
    monkeypatch.setattr(type(engine.bundle), "settings", curved)
    observe = observer(NetworkSpec("stations", count=8), bundle)
    tables = {7: observe("1982-07")}
    settings = {"method": "vae", "error_scale": 1.0}
    made = work.assimilate(engine, tables, 7, settings, spread=True)[7]
    expected = engine.run(tables[7], 7)
    np.testing.assert_array_equal(made.anomalies, expected.anomalies)
    np.testing.assert_array_equal(made.spread, expected.spread)


@pytest.mark.slow
def test_a_task_that_comes_again_leaves_what_it_has_done(bundle, tmp_path):
    store = tmp_path / "x.zarr"
    observe = observer(NetworkSpec("stations", count=5), bundle)
    about = {
        "settings": json.dumps({"method": "eof", "error_scale": 1.0, "spread": False}),
        "observations_sha256": "",
        "bundle_checksums": json.dumps(bundle.config["checksums"], sort_keys=True),
    }
    lay_out(store, bundle, ("1981-05", "1982-05"), observe, about)
    fields = {k: np.full(bundle.grid.shape, 7.0) for v in bundle.variables for k in names(v)}
    write_month(store, 0, fields, 5)
    outcome = work.assimilate_rows(str(store), str(bundle.path), [0, 1])
    assert (outcome.done, outcome.found, outcome.failed) == (2, 1, ())
    with xr.open_zarr(store, chunks=None) as found:
        assert (found["tas"].values[0] == 7.0).all()
        assert 250 < found["tas"].values[1].mean() < 320
    again = work.assimilate_rows(str(store), str(bundle.path), [0, 1])
    assert (again.done, again.found) == (2, 2)


def names(variable):
    return variable.name, f"{variable.name}_anomaly"

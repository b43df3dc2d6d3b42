"""Observations written to CSV and netCDF."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlda_core.observations.table import empty, read, to_csv, to_netcdf


def some(n, seed=0):
    rng = np.random.default_rng(seed)
    rows = [
        {
            "variable": "tas" if i % 2 else "psl",
            "lat": rng.uniform(-90, 90),
            "lon": rng.uniform(0, 360),
            "value": rng.normal(),
            "error_sd": rng.uniform(0.1, 1),
            "withheld": bool(i % 3),
            "label": f'Ø, {i}; "a"',
        }
        for i in range(n)
    ]
    return pd.DataFrame(rows).astype({"variable": "str", "label": "str"})


@pytest.mark.parametrize("n", [0, 1, 20])
def test_csv_and_netcdf_give_back_what_was_written(bundle, tmp_path, n):
    given = some(n) if n else empty()
    to_netcdf(given, tmp_path / "mine.nc", {"history": "made by a test"})
    from_netcdf, rejected, _ = read(tmp_path / "mine.nc", bundle)
    pd.testing.assert_frame_equal(from_netcdf, given)
    assert not rejected
    from_csv, rejected, _ = read(to_csv(given), bundle)
    pd.testing.assert_frame_equal(from_csv, given, rtol=1e-9)
    assert not rejected
    assert [p.name for p in tmp_path.iterdir()] == ["mine.nc"]

"""Small tables of observations, and what tests say of their reading."""

from __future__ import annotations

import netCDF4
import numpy as np
import pandas as pd

from mlda_core.observations.table import read

HEAD = "variable,lat,lon,value"
MONTH = "1997-12"


def lines(*rows: str) -> str:
    return "".join(f"{row}\n" for row in rows)


def told(reading, *words: str) -> None:
    for word in words:
        assert any(word in note for note in reading.notes), reading.notes


def refused(reading, row: int, *words: str) -> None:
    found = {bad.row: bad.reason for bad in reading.rejected}
    for word in words:
        assert word in found[row], found


def netcdf(path, **columns):
    """Write columns along one dimension: values, or values and attributes."""
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("obs", None)
        for name, given in columns.items():
            values, attributes = given if isinstance(given, tuple) else (given, {})
            kind = str if isinstance(values[0], str) else attributes.pop("dtype", "f8")
            fill = attributes.pop("_FillValue", False if kind is not str else None)
            made = file.createVariable(name, kind, ("obs",), fill_value=fill)
            if kind is str:
                made[:] = np.array(values, object)
                continue
            made.set_auto_maskandscale(False)
            made[:] = np.array(values, kind)
            made.setncatts(attributes)
    return path


def columns(n=3, **more):
    made = {"variable": ["psl"] * n, "lat": [50.0 + i for i in range(n)], "lon": [10.0] * n}
    return made | {"value": [2.0] * n} | more


GOOD = {"variable": "tas", "lat": 51.0, "lon": 10.0, "value": 2.5, "error_sd": 0.5}


def table(*rows, **more):
    return pd.DataFrame([{**GOOD, **more, **r} for r in (rows or ({},))])


def only_reason(bundle, month=None, **cells):
    """Return why a row is refused, with a good row on either side that must be kept."""
    found, rejected, _ = read(table({}, cells, {"label": "last"}), bundle, month=month)
    assert list(found["lat"]) == [51.0, 51.0]
    assert [r.row for r in rejected] == [2]
    return rejected[0].reason

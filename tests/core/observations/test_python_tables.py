"""Observations in Python's own tables."""

from __future__ import annotations

import datetime as dt

import cftime
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from observation_tables import MONTH, refused

from mlda_core.observations.table import ObservationError, read

ROW = {"variable": "tas", "lat": 50.0, "lon": 10.0, "value": 3.0, "error_sd": 0.5}


def python_tables(rows):
    """One table in every form that Python has."""
    frame = pd.DataFrame(rows)
    held = {k: [r[k] for r in rows] for k in rows[0]}
    yield "frame", frame
    yield "records", rows
    yield "columns", held
    yield "arrays", {k: np.array(v) for k, v in held.items()}
    yield "shuffled index", {k: pd.Series(v, index=range(len(v), 0, -1)) for k, v in held.items()}
    yield "dataset", xr.Dataset({k: ("obs", v) for k, v in held.items()})
    yield "csv", frame.to_csv(index=False)
    yield "bytes", frame.to_csv(index=False).encode()


def test_every_form_of_a_table_is_checked_by_the_same_code(bundle, tmp_path):
    rows = [
        {**ROW, "withheld": "no", "kind": "anomaly", "units": "degC", "time": "1997-12"},
        {**ROW, "lat": 51.0, "withheld": "false", "kind": "", "units": "K", "time": "199712"},
        {**ROW, "lat": 52.0, "withheld": "yes", "kind": "", "units": "", "time": "1997-12-31"},
        {
            **ROW,
            "lat": 53.0,
            "value": 288.0,
            "withheld": "",
            "kind": "",
            "units": "K",
            "time": MONTH,
        },
        {**ROW, "lat": 54.0, "value": 280.0, "withheld": "", "kind": "absolute", "units": "K"}
        | {"time": MONTH},
        {**ROW, "lat": 55.0, "withheld": "", "kind": "", "units": "", "time": "1998-01"},
        {**ROW, "lat": 56.0, "withheld": "perhaps", "kind": "", "units": "", "time": MONTH},
    ]
    path = tmp_path / "mine.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    for name, source in [*python_tables(rows), ("path", path)]:
        found = read(source, bundle, month=MONTH)
        assert found.table["lat"].tolist() == [50, 51, 52, 54], name
        assert found.table["withheld"].tolist() == [False, False, True, False], name
        assert found.table["value"].tolist()[:3] == [3.0, 3.0, 3.0], name
        assert abs(found.table["value"][3]) < 20, name
        assert [bad.row for bad in found.rejected] == [4, 7], name
        refused(found, 4, "anomaly of 288 K", "kind or units")
        refused(found, 7, "neither true nor false")


def test_python_tables_take_the_usual_names_and_types(bundle):
    times = [pd.Timestamp("1997-12-15"), dt.date(1997, 12, 1), cftime.DatetimeNoLeap(1997, 12, 3)]
    rows = [
        {
            "variable": "tas",
            "latitude": 50.0 + i,
            "longitude": -10,
            "value": 3,
            "withheld": w,
            "date": t,
        }
        for i, (w, t) in enumerate(zip([True, np.False_, 0], times, strict=True))
    ]
    found = read(rows, bundle, month=dt.date(1997, 12, 1))
    assert found.table["lat"].tolist() == [50, 51, 52]
    assert found.table["withheld"].tolist() == [True, False, False]
    assert not found.rejected


def test_an_index_of_dates_is_a_column_of_times(bundle):
    index = pd.to_datetime(["1997-11-30", "1997-12-31", None])
    for made in (index, index.to_period("M"), index.rename("date")):
        frame = pd.DataFrame([ROW] * 3, index=made)
        found = read(frame, bundle, month=MONTH)
        assert len(found.table) == 1
        refused(found, 3, "time is empty")


def test_datasets_have_units_and_missing_times(bundle):
    data = xr.Dataset(
        {
            "variable": ("obs", ["psl"] * 3),
            "value": ("obs", [200.0, 300.0, np.nan], {"units": "Pa"}),
            "error_sd": ("obs", [1.0, 1.0, 1.0], {"units": "hPa"}),
            "time": ("obs", np.array(["1997-12-05", "NaT", "1997-12-31"], "datetime64[ns]")),
        },
        coords={"latitude": ("obs", [50.0, 51.0, 52.0]), "longitude": ("obs", [10.0] * 3)},
    )
    found = read(data, bundle, month=MONTH)
    assert found.table["value"].tolist() == [2.0]
    assert found.table["error_sd"].tolist() == [1.0]
    assert [bad.row for bad in found.rejected] == [2, 3]
    for name in ("sigma", "time"):
        with pytest.raises(ObservationError, match=f"'{name}' along another dimension"):
            read(data.drop_vars(["error_sd", "time"]).assign({name: ("x", [1.0])}), bundle, month=1)
    with pytest.raises(ObservationError, match="2 dimensions"):
        read(data.expand_dims(two=2), bundle, month=MONTH)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (3, "int"),
        ([1, 2], "is a int; give each as a dict"),
        ({"variable": ["tas"], "lat": [1, 2], "lon": [1], "value": [1]}, "give them one length"),
        (pd.DataFrame({"variable": ["tas"]}), "no column 'lat'"),
        (xr.Dataset({"variable": ("obs", ["tas"])}), "no variable 'value'"),
    ],
)
def test_python_objects_that_are_no_table_are_refused_in_a_sentence(bundle, source, words):
    with pytest.raises(ObservationError, match=words):
        read(source, bundle, month=MONTH)

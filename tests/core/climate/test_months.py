"""Months of dates in any usual form."""

from __future__ import annotations

import datetime as dt

import cftime
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from observation_tables import HEAD, MONTH, lines

from mlda_core.climate.months import MonthError, month_of
from mlda_core.observations.table import read


@pytest.mark.parametrize(
    "value",
    [
        *("1997-12", "199712", 199712, "1997/12", "Dec 1997", "1997-12-31T10:00Z", "19971231"),
        *(
            dt.date(1997, 12, 31),
            dt.datetime(1997, 12, 31, 10, tzinfo=dt.UTC),
            pd.Timestamp("1997-12-31"),
        ),
        *(np.datetime64("1997-12"), np.datetime64("1997-12-31T10:00", "ns"), pd.Period("1997-12")),
        *(cftime.DatetimeNoLeap(1997, 12, 31), cftime.Datetime360Day(1997, 12, 30)),
        xr.DataArray(np.datetime64("1997-12-31", "ns")),
    ],
)
def test_a_month_is_asked_for_in_any_usual_form(speedy, value):
    assert month_of(value) == MONTH
    found = read(lines(f"{HEAD},time", "tas,50,10,3,1997-12"), speedy, month=value)
    assert found.table["value"].tolist() == [3.0]


@pytest.mark.parametrize(
    "value",
    [
        *("1997", "97-12", "1997-13", "soon", "", "05/04/1997", True, None, 1997, 13.5, [1, 2]),
        *(np.datetime64("NaT"), pd.NaT, np.datetime64("1997"), pd.Period("1997Q4"), object()),
        pd.Timestamp("1998-01-01", tz="Europe/Zurich"),
    ],
)
def test_what_is_no_month_is_refused_in_a_sentence(value):
    with pytest.raises(MonthError, match=r"^'.*' .*\.$"):
        month_of(value)

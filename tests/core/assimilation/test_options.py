"""Settings of an assimilation, and the months that people ask for."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from mlda_core.assimilation.options import OPTIONS, Setting, season_asked, time_asked
from mlda_core.climate.errors import StateError


def test_what_people_set_is_explained():
    defaults = Setting()
    assert {"method", "residual", "localisation", "error_scale"} <= set(OPTIONS)
    for name, option in OPTIONS.items():
        assert option.default == getattr(defaults, name)
        assert option.help.endswith(".")


@pytest.mark.parametrize(
    ("given", "month", "calendar"),
    [
        ("1997-12", "1997-12", 12),
        (dt.date(1997, 2, 14), "1997-02", 2),
        (np.datetime64("1997-02"), "1997-02", 2),
        (pd.Period("1997-02"), "1997-02", 2),
        (7, 7, 7),
        (np.int64(7), 7, 7),
        ("07", 7, 7),
        (" 7 ", 7, 7),
    ],
)
def test_a_month_is_said_in_many_ways(given, month, calendar):
    assert time_asked(given) == month
    assert season_asked(given) == calendar


@pytest.mark.parametrize("given", [0, 13, True, None, "soon", "1997-13", 1.5])
def test_what_is_no_month_is_refused(given):
    with pytest.raises(StateError, match="is not a month"):
        time_asked(given)

"""The months that a bundle holds."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.bundle.files import MISSING, MONTH_STEP
from mlda_core.bundle.months import BundledMonths
from mlda_core.climate.errors import StateError


def packed(**more):
    x = np.array([[[[0, 25]]], [[[-50, MISSING]]]], np.int16)
    months = {
        "x": x,
        "split": np.array(["train", "test"]),
        "month": np.array(["1999-12", "2000-01"]),
    }
    return BundledMonths({**months, **more})


@pytest.mark.parametrize("more", [{}, {"step": np.float32(0.1)}])
def test_months_are_unpacked_by_their_step_and_missing_stays_missing(more):
    months = packed(**more)
    step = more.get("step", MONTH_STEP)
    assert months.names == ("1999-12", "2000-01")
    assert months.split("2000-01") == "test"
    np.testing.assert_allclose(months.standardised("1999-12"), [[[0.0, 25 * step]]], rtol=1e-6)
    np.testing.assert_allclose(months.standardised("2000-01"), [[[-50 * step, np.nan]]], rtol=1e-6)
    assert months.standardised("1999-12").dtype == np.float32


@pytest.mark.parametrize("month", ["1999-11", "soon", ""])
def test_another_month_is_refused_with_those_that_there_are(month):
    for read in (packed().split, packed().standardised):
        with pytest.raises(StateError, match=f"no month '{month}'; it holds 1999-12 to 2000-01"):
            read(month)

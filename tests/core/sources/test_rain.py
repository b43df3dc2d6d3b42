"""Amounts of rain: over what time."""

import numpy as np
import pytest
from gridded_files import DAYS, prepared, write


@pytest.mark.parametrize("units", ["mm/month", "mm month-1", "mm/mon", "kg m-2 month-1"])
@pytest.mark.parametrize("calendar", ["standard", "noleap", "360_day"])
def test_amounts_a_month_are_divided_by_that_months_days(tmp_path, units, calendar):
    path = write(tmp_path / "a.nc", "prate", 84.0, units=units, calendar=calendar)
    days = np.full(12, 30) if calendar == "360_day" else DAYS
    rain = prepared(path, source="ncep")["pr"].values[0, :, 0, 0] * 86_400
    np.testing.assert_allclose(rain, 84.0 / days, rtol=1e-6)
    if calendar != "360_day":
        assert rain[1] == pytest.approx(3.0)

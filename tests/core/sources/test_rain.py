"""Amounts of rain: over what time."""

import numpy as np
import pytest
from gridded_files import DAYS, SAHARA, prepared, refusal, write

from mlda_core.sources.choices import Choices
from mlda_core.sources.prepare import read_files


@pytest.mark.parametrize("units", ["mm/month", "mm month-1", "mm/mon", "kg m-2 month-1"])
@pytest.mark.parametrize("calendar", ["standard", "noleap", "360_day"])
def test_amounts_a_month_are_divided_by_that_months_days(tmp_path, units, calendar):
    path = write(tmp_path / "a.nc", "prate", 84.0, units=units, calendar=calendar)
    days = np.full(12, 30) if calendar == "360_day" else DAYS
    rain = prepared(path, source="ncep")["pr"].values[0, :, 0, 0] * 86_400
    np.testing.assert_allclose(rain, 84.0 / days, rtol=1e-6)
    if calendar != "360_day":
        assert rain[1] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("methods", "amount", "a_day"),
    [
        ("time: sum", "", False),
        ("time: sum within days time: mean over days", "", True),
        ("", "day", True),
        # What the user says wins over what the file says.
        ("time: sum", "day", True),
        ("", "", None),
    ],
)
def test_an_amount_is_of_the_time_that_the_file_or_the_user_says(tmp_path, methods, amount, a_day):
    path = write(tmp_path / "a.nc", "rain", 56.0, units="mm", where=SAHARA,
                 attrs={"cell_methods": methods})  # fmt: skip
    choices = Choices(names=(("pr", "rain"),), amount=amount)
    if a_day is None:
        message = refusal(read_files, [path], choices=choices)
        assert "'mm', an amount over a time that it does not say; give --amount day" in message
    else:
        rain = read_files([path], choices=choices)["pr"].values[0, :, 0, 0] * 86_400
        np.testing.assert_allclose(rain, 56.0 / (1 if a_day else DAYS), rtol=1e-6)

"""Codes for missing values."""

from __future__ import annotations

import pytest
from observation_tables import HEAD, MONTH, lines, refused

from mlda_core.observations.table import TableOptions, read


@pytest.mark.parametrize(
    "code",
    [
        *("-9.99", "-99.9", "-99.99", "-999", "-999.9", "-999.99", "-9999", "-9999.9", "-99999"),
        *("9999", "9999.9", "99999", "1e20", "9.96921e36", "-1e30", "-32768", "99.9", "999.9"),
    ],
)
def test_a_code_for_a_missing_value_is_refused_by_row(bundle, code):
    text = lines(HEAD, "psl,51.5,0,2.0", f"psl,53.3,-6.3,{code}", "psl,55.9,-3.2,1.5")
    found = read(text, bundle, month=MONTH)
    assert found.table["value"].tolist() == [2.0, 1.5]
    refused(found, 2, "a code for a missing value", "keep_codes")


def test_a_real_value_like_a_code_is_kept_on_request(bundle):
    text = lines(HEAD, "psl,51.5,0,-9.99", "psl,53.3,-6.3,-9999")
    found = read(text, bundle, month=MONTH, options=TableOptions(keep_codes=True))
    assert found.table["value"].tolist() == [-9.99]
    refused(found, 2, "none that sea-level pressure can have")


def test_a_code_that_the_variable_can_have_is_a_value(bundle):
    """999.9 hPa is a pressure; 99.9 degrees Fahrenheit a temperature."""
    rows = ["psl,60,-20,999.9,absolute,hPa", "tas,20,40,99.9,absolute,degF"]
    found = read(lines(f"{HEAD},kind,units", *rows), bundle, month=7)
    assert not found.rejected


def test_an_extreme_that_many_places_share_is_refused(bundle):
    rows = [f"psl,{40 + i},10,{v}" for i, v in enumerate([1, -2, -88.8, 3, -88.8, -88.8, 0.5])]
    found = read(lines(HEAD, *rows), bundle, month=MONTH)
    assert found.table["value"].tolist() == [1, -2, 3, 0.5]
    refused(found, 3, "-88.8 stands at 3 places", "keep_codes")
    # Zero rain stands at many places too, and is no code.
    dry = [f"pr,{20 + i / 10},{10 + i},0,absolute" for i in range(5)]
    assert not read(lines(f"{HEAD},kind", *dry), bundle, month=MONTH).rejected


def test_a_code_in_the_error_is_refused(bundle):
    for code in ("-999", "9999", "1e20"):
        found = read(lines(f"{HEAD},error_sd", f"psl,50,10,2,{code}"), bundle, month=MONTH)
        refused(found, 1, "error_sd", "code for a missing value", "default error")

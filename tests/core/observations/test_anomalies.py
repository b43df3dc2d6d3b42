"""Values as anomalies in display units."""

from __future__ import annotations

import numpy as np
import pytest
from observation_tables import HEAD, MONTH, lines, only_reason, refused, table

from mlda_core.observations.table import read, read_months


def test_errors_have_units_of_their_own(bundle):
    """In its name, in its cell, or those of the value."""
    for names, cells, right in (
        ("value [Pa],error_sd [hPa]", "200,0.75", 0.75),
        ("value [Pa],error_sd", "200,75", 0.75),
        ("value,error_sd", "200 Pa,0.75 hPa", 0.75),
    ):
        text = lines(f"variable,lat,lon,{names}", f"psl,50,10,{cells}")
        found = read(text, bundle, month=MONTH)
        assert found.table["value"].tolist() == [2.0]
        assert found.table["error_sd"].tolist() == pytest.approx([right])
    found = read(lines(f"{HEAD},error_sd", "psl,50,10,2,5%"), bundle, month=MONTH)
    refused(found, 1, "its error: '%'")


def test_units_that_contradict_each_other_are_refused(bundle):
    found = read(lines("variable,lat,lon,value [hPa],units", "psl,50,10,2,Pa"), bundle, month=MONTH)
    refused(found, 1, "'Pa' and 'hPa'")


def test_an_amount_a_month_is_divided_by_the_days_of_that_month(bundle):
    text = lines(f"{HEAD},units,time", "pr,0,10,28,mm/month,1997-02", "pr,0,10,29,mm/month,1996-02")
    for found in read_months(text, bundle).values():
        assert found.table["value"].tolist() == pytest.approx([1.0])
    text = lines(f"{HEAD},units", "pr,0,10,31,mm/month")
    assert read(text, bundle, month=12).table["value"].tolist() == pytest.approx([1.0])
    refused(read(text, bundle, month=2), 1, "needs the month")


def test_negative_rain_is_refused_where_it_is_a_full_field_only(bundle):
    reason = only_reason(bundle, 6, variable="pr", lat=0, value=-1, kind="absolute")
    assert "cannot be negative" in reason
    found, rejected, _ = read(table(variable="pr", lat=0.0, value=-1.0), bundle, month=6)
    assert len(found) == 1
    assert not rejected


def test_absolute_values_lose_the_climatology_of_their_month_at_their_place(bundle):
    grid = bundle.grid
    lat, lon = grid.lat[30], grid.lon[40]
    for month in (1, 7):
        climatology = bundle.climatology(month)
        rows = [
            {"variable": v.name, "value": float(climatology[i, 30, 40]) + 0.75}
            for i, v in enumerate(bundle.variables)
            if bundle.mask[i, 30, 40]
        ]
        given = table(*rows, lat=lat, lon=lon, kind="Absolute")
        found, rejected, _ = read(given, bundle, month=f"1997-{month:02d}")
        assert not rejected
        np.testing.assert_allclose(found["value"], 0.75, atol=1e-4)


@pytest.mark.parametrize(
    ("variable", "units", "given", "kind", "shown"),
    [
        ("psl", "Pa", 250.0, "anomaly", 2.5),
        ("psl", "mbar", -3.0, "anomaly", -3.0),
        ("psl", "mb", -3.0, "anomaly", -3.0),
        ("psl", "inHg", 0.1, "anomaly", 3.38639),
        ("tas", "degF", 9.0, "anomaly", 5.0),
        ("tas", "degC", 2.0, "anomaly", 2.0),
        ("tas", "K", 2.0, "anomaly", 2.0),
        ("pr", "kg m-2 s-1", 1 / 86_400, "anomaly", 1.0),
        ("pr", "inch/day", 0.1, "anomaly", 2.54),
        ("pr", "m s-1", 1e-3 / 86_400, "anomaly", 1.0),
    ],
)
def test_units_are_converted_and_errors_with_them(bundle, variable, units, given, kind, shown):
    cells = {"variable": variable, "lat": 0.0, "value": given, "units": units, "kind": kind}
    found, rejected, _ = read(table(cells, error_sd=abs(given)), bundle, month=3)
    assert not rejected
    assert found["value"][0] == pytest.approx(shown, rel=1e-4)
    assert found["error_sd"][0] == pytest.approx(abs(shown), rel=1e-4)


def test_a_misplaced_absolute_value_says_so_rather_than_pass(bundle):
    """A kelvin taken for degrees Celsius is 273 off, and must not reach the analysis."""
    assert "correct its value, kind or units" in only_reason(
        bundle, 5, value=287.15, kind="absolute"
    )
    fine, rejected, _ = read(table(value=283.15, kind="absolute", units="K"), bundle, month=5)
    assert not rejected
    assert abs(fine["value"][0]) < 20

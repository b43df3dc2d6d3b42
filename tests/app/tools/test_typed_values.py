"""Typed and uploaded values in the month shown and in others."""

import numpy as np
import pytest
from visiting import CSV, SOME, Visit

ABSOLUTE = """variable,lat,lon,value,kind,error_sd
tas,51.5,-0.1,280.2,absolute,0.5
psl,-12.4,130.8,1005.2,absolute,0.5
"""


def climatology_at(bundle, row, month):
    which = [x.name for x in bundle.variables].index(row.variable)
    spot = bundle.operator.locate([which], [row.lat], [row.lon])
    return float(bundle.operator.apply(spot, bundle.climatology(int(month[5:7])))[0])


@pytest.mark.slow
def test_absolute_values_are_taken_from_the_climatology_of_the_month_shown(visit, speedy):
    v = visit(f"{SOME}&live=0")
    v.send(type="obs-upload", name="a.csv", text=ABSOLUTE)
    then = v.rows["value"].to_numpy()
    assert v.panel.months == ""
    v.send(type="month", value="1998-06")
    for i, row in enumerate(v.rows.itertuples()):
        step = climatology_at(speedy, row, "1997-12") - climatology_at(speedy, row, "1998-06")
        assert row.value == pytest.approx(then[i] + step, abs=1e-3)
        assert abs(step) > 0.1
    assert "1997-12" in v.panel.months
    again = Visit(speedy, "?" + v.session.bar.query)
    assert np.allclose(again.rows["value"], v.rows["value"])
    again.session.close()
    v.send(type="month", value="1998-12")
    assert np.allclose(v.rows["value"], then, atol=1e-3)
    # An edited one is an anomaly of the month in which it was typed.
    v.session.observe_actions._edited(0, "value", 1.5)
    assert v.session.state.observations.own[0].month == "1998-12"
    assert not v.session.state.observations.own[0].absolute


@pytest.mark.slow
def test_anomalies_of_another_month_are_said_to_be_so_while_they_are(visit):
    v = visit(f"{SOME}&live=0")
    v.send(type="obs-upload", name="mine.csv", text=CSV)
    v.session.observe_actions._edited(0, "value", 2.0)
    v.send(type="month", value="1998-06")
    assert v.rows["value"].tolist() == [2.0, -2.0]
    assert "Observed for 1997-12, not for 1998-06: 2 values" in v.panel.months
    v.send(type="theme", value="dark")
    assert v.panel.months
    v.send(type="month", value="1997-12")
    assert v.panel.months == ""
    # A file that says its months is of those, absolute or not.
    v.send(
        type="obs-upload",
        name="t.csv",
        text="time,variable,lat,lon,value,kind\n1997-12,tas,51.5,0,280,absolute\n",
    )
    value = v.rows["value"].tolist()
    v.send(type="month", value="1998-06")
    assert v.rows["value"].tolist() == value
    assert "not for 1998-06" in v.panel.months


def test_a_file_without_errors_has_that_of_the_slider(visit):
    v = visit(f"{SOME}&live=0")
    v.send(type="obs-upload", name="e.csv", text="variable,lat,lon,value\ntas,51.5,0,1\n")
    before = v.rows["error_sd"].iloc[0]
    v.send(type="observing", name="error", value=0.6)
    assert v.rows["error_sd"].iloc[0] == pytest.approx(3 * before)

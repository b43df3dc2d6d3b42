"""The impact: gauge, series and words."""

import numpy as np
from bokeh.document import Document

from app.charts.impact_gauge import ROWS
from app.results.impacts import now_for


def test_a_slider_changes_one_source_and_the_words(impact):
    view, head, foot = impact.views["impact"], impact.head, impact.foot
    z = np.array(impact.world.code("1998-01"), np.float32)
    events = []

    def record(event):
        events.append((type(event).__name__, getattr(event, "attr", "")))

    document = Document()
    for root in (view.chart.figure, view.gauge.figure):
        document.add_root(root)
    document.on_change(record)
    z[:6] += 1.5
    before = view.number.object
    foot.put(impact_now=now_for(head, "1998-01", head.predict(z, "1998-01")))
    assert view.number.object != before
    assert events == [("ColumnDataChangedEvent", "data")]


def test_gauge_and_chart_mark_the_same_prediction(impact):
    view, now = impact.views["impact"], impact.foot.impact_now
    row = ROWS.index("predicted")
    marked = view._now.data
    assert (marked["low"][row], marked["median"][row], marked["high"][row]) == (
        now["low"],
        now["median"],
        now["high"],
    )
    assert marked["x"][row] == view.chart.place_of("1998-01")
    assert np.isfinite(marked["x"]).sum() == 1
    assert marked["median"][ROWS.index("measured")] == now["observed"]
    assert view.gauge.figure.xaxis[0].axis_label == view.chart.figure.yaxis[0].axis_label == "m³/s"
    # What lies beyond the axis has a mark at its end.
    assert not np.isfinite(marked["beyond"]).any()
    impact.foot.put(impact_now={**now, "median": 9000.0, "high": 9999.0})
    assert view._now.data["beyond"][row] == view.gauge.figure.x_range.end


def test_the_months_near_the_one_shown_test_months_or_all(impact):
    view, record = impact.views["impact"], impact.foot.impact
    assert len(view.month.widget.options) == 2 * 84 + 1
    view.scope.widget.value = "test"
    assert len(view.month.widget.options) == record["split"].count("T")
    texts = view.chart._strips.data["text"]
    assert "no prediction" in texts[0]
    assert "measured " in texts[0]
    view.scope.widget.value = "all"
    assert len(view.chart._strips.data["text"]) == len(record["months"])
    assert view.chart._area.data["xs"], "an interval of each month"


def test_without_a_prediction_the_gauge_shows_the_rest(impact):
    view = impact.views["impact"]
    impact.foot.put(impact_now=now_for(impact.head, "1998-01", None, "Why not."))
    assert "Why not." in view.facts.object
    row = ROWS.index("predicted")
    assert np.isnan(view._now.data["median"][row])
    assert np.isfinite(view._now.data["median"][ROWS.index("usual")])

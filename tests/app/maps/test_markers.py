"""Markers of observations on the maps."""

import bokeh.plotting
import numpy as np
import pandas as pd
import pytest

from app.maps import markers as making
from app.maps.markers import CHOSEN, INK, PAPER, Markers, marker_size
from app.maps.projections import to_map


def figures():
    made = {}
    for name in ("psl", "tas"):
        for kind in ("target", "model", "scatter"):
            fig = bokeh.plotting.figure(tools="pan")
            fig.toolbar.active_drag = fig.tools[0]
            made[name, kind] = fig
    return made


def table(count=4, **columns):
    made = pd.DataFrame(
        {
            "variable": np.where(np.arange(count) % 2, "tas", "psl"),
            "lat": np.linspace(-60, 60, count),
            "lon": np.linspace(10, 300, count),
            "withheld": False,
            "touched": False,
        }
    )
    return made.assign(**columns)


def test_both_maps_of_a_variable_share_its_rows():
    given = figures()
    made = Markers(given)
    rows = table()
    made.write(rows, "robinson", set())
    for name, first in (("psl", 0), ("tas", 1)):
        source = made.sources[name]
        assert source.data["row"].tolist() == [first, first + 2]
        for kind in ("target", "model"):
            assert given[name, kind].renderers[-1].data_source is source
        assert not given[name, "scatter"].renderers
    x, y = to_map("robinson", rows["lon"].to_numpy(), rows["lat"].to_numpy())
    np.testing.assert_allclose(made.sources["tas"].data["x"], x[1::2], rtol=1e-6)
    np.testing.assert_allclose(made.sources["tas"].data["y"], y[1::2], rtol=1e-6)


def test_withheld_ones_are_hollow_and_chosen_ones_ringed():
    made = Markers(figures())
    made.write(table(withheld=[True, False, False, False]), "robinson", {2})
    psl = made.sources["psl"].data
    assert psl["solid"].tolist() == [0.0, 1.0]
    assert psl["line"] == [INK, CHOSEN]
    assert psl["size"][1] > psl["size"][0] > marker_size(2)
    assert made.sources["tas"].data["line"] == [PAPER, PAPER]


def test_what_lies_off_the_map_is_not_drawn():
    made = Markers(figures())
    made.write(table(), "north", set())
    assert made.sources["psl"].data["row"].tolist() == [2]
    assert made.hidden == 0, "it is elsewhere, not too much"


def test_the_same_rows_are_not_sent_again():
    made = Markers(figures())
    sent = []
    for source in made.sources.values():
        source.on_change("data", lambda _attr, _old, _new: sent.append(1))
    made.write(table(), "robinson", set())
    made.write(table(), "robinson", set())
    assert len(sent) == 2
    made.write(table(), "robinson", {1})
    assert len(sent) == 3, "the variable of the chosen one alone"


def test_of_too_many_those_touched_by_hand_are_drawn(monkeypatch):
    monkeypatch.setattr(making, "MOST", 3)
    made = Markers(figures())
    touched = [True, False, True, False, False, False, False, False]
    made.write(table(8, touched=touched), "robinson", set())
    assert made.sources["psl"].data["row"].tolist() == [0, 2]
    assert made.sources["tas"].data["row"].tolist() == []
    assert made.hidden == 2 + 4
    made.write(table(8, touched=True), "robinson", set())
    assert [len(s.data["row"]) for s in made.sources.values()] == [0, 0]
    assert made.hidden == 8


@pytest.mark.parametrize(("few", "many"), [(150, 151), (400, 401)])
def test_many_are_small(few, many):
    assert marker_size(few) > marker_size(many)

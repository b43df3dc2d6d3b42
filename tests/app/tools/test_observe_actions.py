"""Gestures and forms of the tool Observe: what they do, and what is refused."""

import numpy as np
import pytest
from visiting import CSV, SOME

from app.maps.projections import to_map
from mlda_core.climate.projections import KEYS
from mlda_core.page_state.rows import Row


@pytest.fixture(scope="module")
def bundle(speedy):
    return speedy


@pytest.mark.slow
@pytest.mark.parametrize("key", KEYS)
def test_a_click_observes_where_it_was_in_every_projection(visit, key):
    v = visit(f"{SOME}&projection={key}&live=0")
    lat = -55.25 if key == "south" else 61.5
    x, y = to_map(key, np.array([203.75]), np.array([lat]))
    v.send(type="obs-place", variable="psl", x=float(x[0]), y=float(y[0]))
    row = v.rows.iloc[-1]
    assert (row.variable, row.lat, row.lon) == ("psl", pytest.approx(lat), pytest.approx(203.75))
    assert not v.session.bar.failed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"type": "obs-put", "variable": "tos", "lat": "50", "lon": "90"}, "no sea surface"),
        ({"type": "obs-put", "variable": "tas", "lat": "north", "lon": "90"}, "north"),
        ({"type": "obs-put", "variable": "tas", "lat": "99", "lon": "90"}, "latitude"),
        ({"type": "obs-put", "variable": "tas", "lat": "", "lon": "90"}, "latitude is empty"),
        (
            {"type": "obs-put", "variable": "tas", "lat": "999", "lon": "abc"},
            "The latitude '999' is not a number from −90 to 90. The longitude 'abc' is",
        ),
        ({"type": "observing", "name": "count", "value": None}, "number of stations is empty"),
        ({"type": "observing", "name": "year", "value": None}, "year is empty; type a number"),
        ({"type": "hatch", "value": None}, "hatching is empty"),
        ({"type": "obs-place", "variable": "tas", "x": 1.99, "y": 0.99}, "off the globe"),
        ({"type": "obs-place", "variable": "wind", "x": 0, "y": 0}, "wind"),
        ({"type": "obs-place", "variable": "tas", "x": "a", "y": 0}, "place"),
        ({"type": "obs-toggle", "variable": "pr", "row": 0}, "meanwhile"),
        ({"type": "obs-toggle", "variable": "psl", "row": 10**6}, "meanwhile"),
        ({"type": "obs-many", "action": "withhold"}, "selected"),
        ({"type": "observing", "name": "count", "value": -1}, "stations"),
        ({"type": "observing", "name": "own", "value": []}, "own"),
        ({"type": "obs-mode", "value": "fly"}, "fly"),
        ({"type": "obs-drawn", "mode": "fly", "variable": "psl"}, "fly"),
        ({"type": "obs-drawn", "mode": "box", "variable": "wind"}, "wind"),
        ({"type": "obs-drawn", "mode": "region", "variable": "psl", "geometry": 3}, "no box"),
        ({"type": "obs-drawn", "mode": "lasso", "variable": "psl", "geometry": {}}, "no lasso"),
        ({"type": "run", "action": "hop"}, "hop"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(standing, message, words):
    v = standing
    # What was refused before is gone.
    v.session._say("")
    before, table = v.session.state.snapshot(), v.observer.table
    v.send(**message)
    assert v.session.bar.failed
    assert words in v.status
    assert v.session.state.snapshot() == before
    assert v.observer.table is table


def test_a_dragged_observation_moves_and_is_one_step_of_undo(visit):
    v = visit()
    row = v.rows.iloc[3]
    x, y = to_map("robinson", np.array([row.lon + 4.0]), np.array([row.lat * 0.9]))
    place = {"variable": row.variable, "row": 3}
    v.send(type="obs-move", **place, x=float(x[0]) - 0.05, y=float(y[0]), done=False)
    v.send(type="obs-move", **place, x=float(x[0]), y=float(y[0]), done=True)
    moved = v.rows.iloc[3]
    assert moved.lat == pytest.approx(row.lat * 0.9, abs=1e-3)
    assert moved.label == row.label
    v.send(type="undo")
    assert v.rows.iloc[3].lat == row.lat


def test_an_observation_dropped_on_land_stays_where_it_was(visit):
    v = visit("?network=none&live=0")
    v.send(type="obs-put", variable="tos", lat="0", lon="200")
    x, y = to_map("robinson", np.array([90.0]), np.array([50.0]))
    v.send(type="obs-move", variable="tos", row=0, x=float(x[0]), y=float(y[0]), done=True)
    assert "no sea surface temperature" in v.status
    assert v.rows["lat"].iloc[0] == 0


def test_a_lasso_selects_what_it_went_round_and_withholds_it(visit):
    v = visit(f"{SOME}&live=0")
    x, _ = to_map("robinson", v.rows["lon"].to_numpy(), v.rows["lat"].to_numpy())
    around = {"type": "poly", "x": [-2, 0, 0, -2], "y": [-1, -1, 1, 1]}
    v.send(type="obs-drawn", mode="lasso", variable="psl", geometry=around)
    expected = set(np.flatnonzero((x < 0) & (v.rows["variable"] == "psl")).tolist())
    assert v.observer.chosen == expected
    assert len(expected) > 3
    v.send(type="obs-many", action="withhold")
    assert set(np.flatnonzero(v.rows["withheld"]).tolist()) == expected
    v.send(type="obs-many", action="restore")
    assert not v.rows["withheld"].any()
    v.send(type="obs-many", action="delete")
    assert len(v.rows) == 40 - len(expected)
    v.send(type="undo")
    assert len(v.rows) == 40


@pytest.mark.slow
def test_a_drawn_box_keeps_the_network_within_it(visit):
    v = visit("?network=stations&stations=20&live=0&projection=platecarree")
    box = {"type": "rect", "x0": -1.0, "x1": 0.0, "y0": 0.0, "y1": 0.5}
    v.send(type="obs-drawn", mode="region", variable="psl", geometry=box)
    # Plate carree here is centred on 180: -1 is 90 E, 0 is the date line.
    assert v.rows["lon"].between(89, 181).all()
    assert v.rows["lat"].between(-1, 46).all()
    assert v.panel.region_words == "0°–45°N, 90°E–180°"
    # From 161.4951 W, which is kept as 161.5: what is said is what is kept.
    v.send(
        type="obs-drawn", mode="region", variable="psl", geometry={**box, "x0": 0.20561, "x1": 1}
    )
    assert v.panel.region_words == "0°–45°N, 162°W–90°W"
    assert v.status == f"The network is confined to {v.panel.region_words}."


def test_a_drawing_means_what_its_own_message_says(visit):
    v = visit("?network=stations&stations=20&live=0&projection=platecarree")
    before = v.session.state.snapshot()
    box = {"type": "rect", "x0": -1.0, "x1": 0.0, "y0": 0.0, "y1": 0.5}
    # The choice that came last is not heard of yet, or is another one's.
    v.send(type="obs-mode", value="region")
    v.send(type="obs-drawn", mode="box", variable="psl", geometry=box)
    assert v.session.state.snapshot() == before
    inside = v.rows["lon"].between(90, 180) & v.rows["lat"].between(0, 45)
    chosen = inside & (v.rows["variable"] == "psl")
    assert v.observer.chosen == set(np.flatnonzero(chosen).tolist()) != set()
    v.send(type="obs-mode", value="box")
    v.send(type="obs-drawn", mode="region", variable="psl", geometry=box)
    assert v.session.state.observations.region is not None


@pytest.mark.slow
def test_an_edited_cell_changes_the_value_and_a_wrong_one_comes_back(visit):
    v = visit(f"{SOME}&live=0")
    v.session.observe_actions._edited(2, "value", 7.5)
    assert v.rows["value"].iloc[2] == 7.5
    v.session.observe_actions._edited(2, "value", None)
    assert v.rows["value"].iloc[2] != 7.5
    v.session.observe_actions._edited(2, "error", -1.0)
    assert v.session.bar.failed
    assert (v.rows["error_sd"] > 0).all()
    assert (v.observer.listing.widget.value["error"] > 0).all()
    v.session.observe_actions._edited(2, "withheld", True)
    assert v.rows["withheld"].tolist().count(True) == 1


def test_a_csv_comes_in_with_its_bad_rows_named_and_goes_out_again(visit, bundle):
    v = visit()
    sent = []
    v.session.downloads._send = sent.append
    v.send(type="obs-upload", name="mine.csv", text=CSV)
    v.settle()
    assert v.rows["label"].tolist() == ["London", "Darwin"]
    assert v.rows["withheld"].tolist() == [False, True]
    assert [row for row, _ in v.panel.rejected] == [2, 4, 5]
    assert "3 of 5 rows refused" in v.panel.rejected_words
    v.send(type="obs-download")
    v.send(type="obs-upload", name="again.csv", text=sent[0]["text"])
    assert v.panel.rejected == []
    assert v.rows["value"].tolist() == [1.2, -2.0]
    before = v.session.state.snapshot()
    v.send(type="obs-upload", name="none.csv", text="variable,lat,lon,value\nfoo,1,2,3\n")
    assert v.session.bar.failed
    assert v.session.state.snapshot() == before


def test_custom_keeps_what_is_there(visit):
    v = visit(f"{SOME}&live=0")
    before = v.rows[["variable", "lat", "lon", "value"]]
    v.send(type="observing", name="kind", value="custom")
    after = v.rows[["variable", "lat", "lon", "value"]]
    assert np.allclose(before["lat"], after["lat"], atol=1e-3)
    assert isinstance(v.session.state.observations.own[0], Row)
    assert len(after) == len(before)


def test_another_network_keeps_what_was_placed_by_hand(visit):
    v = visit("?network=none&live=0&tool=observe")
    assert v.observer.heading.hint == "Click a map to observe there"
    v.send(type="obs-put", variable="tas", lat="0", lon="230")
    assert v.observer.heading.hint == ""
    v.send(type="observing", name="kind", value="stations")
    assert len(v.session.state.observations.own) == 1
    assert "1 own observation" in v.status
    # Of a frozen network only rows with a value of their own are the visitor's.
    v.send(type="observing", name="kind", value="custom")
    v.session.observe_actions._edited(2, "value", 7.5)
    rows = len(v.session.state.observations.own)
    v.send(type="observing", name="kind", value="sst_only")
    assert [row.value for row in v.session.state.observations.own] == [7.5]
    assert f"{rows - 1} rows" in v.status
    v.send(type="undo")
    assert len(v.session.state.observations.own) == rows


def test_a_whole_station_is_withheld_and_circled(visit):
    v = visit(f"{SOME}&live=0")
    row = v.rows.iloc[0]
    others = np.flatnonzero((v.rows["lat"] == row.lat) & (v.rows["lon"] == row.lon)).tolist()
    assert len(others) == 2
    v.send(type="obs-toggle", variable=row.variable, row=0, whole=True)
    assert np.flatnonzero(v.rows["withheld"]).tolist() == others
    v.send(type="obs-toggle", variable=row.variable, row=0)
    assert v.rows["withheld"].sum() == 1
    v.send(type="undo")
    v.send(type="obs-toggle", variable=row.variable, row=0, whole=True)
    assert not v.rows["withheld"].any()
    around = {"type": "poly", "x": [-2, 0, 0, -2], "y": [-1, -1, 1, 1]}
    v.send(type="obs-drawn", mode="lasso", variable="psl", geometry=around, whole=True)
    chosen = v.rows.iloc[sorted(v.observer.chosen)]
    assert set(chosen["variable"]) == {"psl", "tas"}
    assert (chosen.groupby(["lat", "lon"]).size() == 2).all()


@pytest.mark.slow
def test_where_influence_is_shown_a_click_chooses(visit):
    v = visit()
    v.send(type="column", value="influence")
    variable = v.rows["variable"].iloc[4]
    v.send(type="obs-toggle", variable=variable, row=4)
    assert v.observer.chosen == {4}
    assert not v.rows["withheld"].any()
    v.settle(lambda visit: visit.view.column().fields is not None)
    v.send(type="obs-toggle", variable=variable, row=4)
    assert v.observer.chosen == set()


def test_a_refusal_leaves_when_the_next_thing_succeeds(visit):
    v = visit(f"{SOME}&live=0")
    v.send(type="observing", name="count", value=5000)
    assert v.session.bar.failed
    v.send(type="obs-hover", row=1)
    assert v.session.bar.failed
    v.send(type="foot", value=["scores"])
    assert not v.session.bar.failed
    assert v.status == ""

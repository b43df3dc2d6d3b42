"""Gestures and forms of the tool Perturb: what they do, and what is refused."""

import numpy as np
import pytest
from visiting import PERTURB

from app.maps.projections import to_map
from mlda_core.climate.projections import KEYS

LAND = {"platecarree": (48.0, 55.0, 85.0, 100.0)}


def drawn(mode, geometry):
    return {"type": "sea-drawn", "mode": mode, "variable": "tos", "geometry": geometry}


def rectangle(key, south, north, west, east):
    x, y = to_map(key, np.array([west, east]), np.array([south, north]))
    names = ("x0", "x1", "y0", "y1")
    return {"type": "rect", **dict(zip(names, [*x.tolist(), *y.tolist()], strict=True))}


@pytest.mark.slow
def test_patches_add_up_and_clear(sea_visit):
    v = sea_visit()
    v.send({"type": "sea-add", "region": "globe"})
    v.settle()
    assert [x["where"] for x in v.panel.patches] == ["Niño 3.4", "Everywhere"]
    change = v.work.answer.response.change
    # No cell of this grid lies so far inside Nino 3.4 that its taper leaves all of it.
    assert -1.0 <= change.min() < -0.5
    assert "sea=nino34:-2,globe:1" in v.bar.query
    v.send({"type": "sea-clear"})
    assert v.p.patches == ()
    v.send({"type": "undo"})
    assert len(v.p.patches) == 2


@pytest.mark.slow
def test_a_patch_on_land_is_refused_in_words_and_nothing_changes(sea_visit):
    v = sea_visit(f"{PERTURB}&projection=platecarree")
    before, answer = v.session.state.snapshot(), v.work.answer
    v.send(drawn("box", rectangle("platecarree", *LAND["platecarree"])))
    assert v.bar.failed
    assert "land" in v.bar.status
    assert v.session.state.snapshot() == before
    v.settle()
    assert v.work.answer is answer


@pytest.mark.slow
@pytest.mark.parametrize("key", KEYS)
def test_a_lasso_goes_round_the_same_sea_in_every_projection(sea_visit, key):
    v = sea_visit(f"{PERTURB}&projection={key}&sea=", wait=False)
    middle = -50.0 if key == "south" else 42.0
    turn = np.linspace(0, 2 * np.pi, 300)
    lat, lon = middle + 9 * np.sin(turn), 200 + 15 * np.cos(turn)
    x, y = to_map(key, lon, lat)
    v.send(drawn("lasso", {"type": "poly", "x": x.tolist(), "y": y.tolist()}))
    assert not v.bar.failed, v.bar.status
    (patch,) = v.p.patches
    vertices = np.array(patch.polygon)
    assert 10 < len(vertices) <= 60
    assert vertices[:, 0].min() == pytest.approx(middle - 9, abs=1)
    assert vertices[:, 0].max() == pytest.approx(middle + 9, abs=1)
    assert vertices[:, 1].min() == pytest.approx(185, abs=1.5)
    assert vertices[:, 1].max() == pytest.approx(215, abs=1.5)
    v.settle()
    assert v.work.answer.response.change.max() == pytest.approx(2.0, abs=0.1)


@pytest.mark.slow
def test_a_lasso_that_leaves_the_globe_keeps_what_is_on_it(sea_visit):
    v = sea_visit(f"{PERTURB}&sea=", wait=False)
    around = {"type": "poly", "x": [-2.0, -1.2, -1.2, -2.0], "y": [0.95, 0.95, 0.1, 0.1]}
    v.send(drawn("lasso", around))
    # North America and Europe's side of Robinson's edge: sea, or a sentence.
    assert v.bar.failed or len(v.p.patches) == 1
    v.send(drawn("lasso", {"type": "poly", "x": [1.9, 2, 2], "y": [1, 1, 0.95]}))
    assert v.bar.failed
    assert "globe" in v.bar.status


@pytest.mark.slow
def test_a_box_across_greenwich(sea_visit):
    v = sea_visit(f"{PERTURB}&sea=&projection=north", wait=False)
    x, y = to_map("north", np.array([330.0, 20.0]), np.array([55.0, 65.0]))
    corners = {"x0": x.min(), "x1": x.max(), "y0": y.min(), "y1": y.max()}
    box = {"type": "rect", **{name: float(value) for name, value in corners.items()}}
    v.send(drawn("box", box))
    (patch,) = v.p.patches
    _, _, west, east = patch.box
    assert west > east


def test_a_drawing_means_what_its_own_message_says(sea_visit):
    v = sea_visit(f"{PERTURB}&sea=", wait=False)
    box = rectangle("robinson", 20, 40, 175, 215)
    # The choice that came last is not heard of yet, or is another one's.
    v.send({"type": "sea-mode", "value": "lasso"})
    v.send(drawn("box", box))
    assert len(v.p.patches) == 1
    v.send(drawn("over", box))
    assert len(v.p.patches) == 1
    assert v.p.over == pytest.approx((20, 40, 175, 215), abs=2)
    v.send(drawn("within", box))
    assert v.p.within == pytest.approx((20, 40, 175, 215), abs=2)
    assert len(v.p.patches) == 1


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"type": "sea-add", "region": "atlantis"}, "atlantis"),
        ({"type": "sea-edit", "at": 7, "kelvin": 1}, "gone"),
        ({"type": "sea-edit", "at": 0, "kelvin": "hot"}, "not a number from −5 to 5 K"),
        ({"type": "sea-edit", "at": 0, "kelvin": "−9"}, "−9 K is beyond"),
        (
            {"type": "sea-edit", "at": 0, "kelvin": 50},
            "50 K is beyond the slider's 5 K either way; give −5 to 5",
        ),
        ({"type": "sea-edit", "at": 0, "enabled": "yes"}, "reload"),
        ({"type": "sea-delete", "at": -1}, "gone"),
        ({"type": "sea-mode", "value": "fly"}, "fly"),
        ({"type": "sea-mode", "value": ["box"]}, "box"),
        (drawn("fly", {"type": "rect"}), "fly"),
        (drawn("box", {"type": "poly", "x": [0, 1, 1], "y": [0, 0, 1]}), "no box"),
        (drawn("box", {"type": "rect", "x0": "a", "x1": 1, "y0": 0, "y1": 1}), "place"),
        (drawn("lasso", None), "no lasso"),
        (drawn("lasso", {"type": "poly", "x": [0.0], "y": [0.0]}), "nothing"),
        ({"type": "sea-set", "name": "held", "value": "hands"}, "hands"),
        ({"type": "sea-set", "name": "patches", "value": []}, "patches"),
        ({"type": "sea-set", "name": "variable", "value": "wind"}, "wind"),
        ({"type": "sea-set", "name": "gcm", "value": "plus9"}, ""),
        ({"type": "sea-click", "variable": "tas", "x": 1.99, "y": 0.99}, "off the globe"),
        ({"type": "sea-click", "variable": "wind", "x": 0, "y": 0}, "map"),
        ({"type": "sea-click", "variable": "tas", "x": "a", "y": 0}, "place"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(sea_standing, message, words):
    v = sea_standing
    # What was refused before is gone.
    v.session._say("")
    before = v.session.state.snapshot()
    v.send(message)
    assert v.bar.failed
    assert words in v.bar.status
    assert v.bar.status.endswith(".")
    assert v.session.state.snapshot() == before

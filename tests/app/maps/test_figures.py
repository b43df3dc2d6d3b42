"""Figures whose sources alone change."""

from dataclasses import replace

import numpy as np
import pytest
from visiting import send

from app.maps.figures import Figures, display_options_of
from app.maps.frames import Column, Request, draw
from app.maps.legends import WAITING


def test_dark_coasts_have_a_light_edge_in_full_fields_alone(session):
    halo = session.figures.figures["psl", "target"].select_one({"name": "halo"})
    assert not halo.visible
    send(session.bar, type="fields", value="full")
    assert halo.visible


@pytest.fixture
def first(tiny):
    z = np.ones(tiny.n_latent, np.float32)
    return draw(tiny, Request("1997-12", z, "robinson", full=False))


@pytest.fixture
def figures(tiny, first):
    made = Figures(tiny, first, "light")
    made.write(first)
    return made


def test_a_frame_is_one_packet_of_its_panes_and_makes_no_models(tiny, figures, first):
    before = {name: len(fig.references()) for name, fig in figures.figures.items()}
    assert set(before) == {
        (v.name, k) for v in tiny.variables for k in ("target", "model", "scatter")
    }
    z = np.zeros(tiny.n_latent, np.float32)
    frame = draw(tiny, replace(first.request, z=z), first)
    figures.write(frame)
    (names,), (packed,) = figures._packet.data["panes"], figures._packet.data["bytes"]
    assert names == [f"{name}_{kind}" for name, kind in frame.panes]
    panes = frame.panes.values()
    assert len(packed) == sum(
        p.image.nbytes + getattr(p, "cells", packed[:0]).nbytes for p in panes
    )
    assert {name: len(fig.references()) for name, fig in figures.figures.items()} == before
    shown = figures._cells["psl"].data["model"]
    np.testing.assert_array_equal(shown, frame.panes["psl", "model"].cells)


def test_numbers_of_another_month_are_blanked_until_its_own_are_there(figures):
    told = figures.scores["psl"].text
    figures.wait(True)
    assert figures.scores["psl"].text == WAITING != told
    figures.wait(False)
    assert figures.scores["psl"].text == told


def test_withheld_observations_are_marked_and_the_marks_go(figures):
    sources = figures._withheld
    figures.write_withheld({"psl": (np.array([1.0, 2.0]), np.array([1.5, 1.0]))})
    assert sources["psl"].data["x"].tolist() == [1.0, 2.0]
    assert len(sources["tos"].data["x"]) == 0
    figures.write_withheld({})
    assert len(sources["psl"].data["x"]) == 0


def test_a_difference_is_called_one_and_a_model_by_its_name(first):
    plain = display_options_of(replace(first.request, name="analysis"))
    assert plain.words == ("target", "analysis")
    other = display_options_of(replace(first.request, name="analysis", column=Column("difference")))
    assert other.words == ("target", "analysis − target")

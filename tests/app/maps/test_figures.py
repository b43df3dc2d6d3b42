"""Figures whose sources alone change."""

from visiting import send


def test_dark_coasts_have_a_light_edge_in_full_fields_alone(session):
    halo = session.figures.figures["psl", "target"].select_one({"name": "halo"})
    assert not halo.visible
    send(session.bar, type="fields", value="full")
    assert halo.visible

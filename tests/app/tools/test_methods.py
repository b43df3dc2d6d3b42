"""The methods of analysis as the page offers them."""

from app.tools.methods import METHOD_LABELS, heeds, methods_of
from mlda_core.assimilation.methods import METHODS


def test_each_method_has_a_label_and_a_bundle_those_that_it_can_use(speedy):
    assert set(METHOD_LABELS) == set(METHODS)
    assert set(methods_of(speedy)) == {k for k, m in METHODS.items() if m.usable(speedy)}


def test_a_method_heeds_what_its_posterior_has():
    assert heeds("vae") == ["residual", "localisation"]
    assert heeds("enoi") == ["localisation"]
    assert heeds("climatology") == []

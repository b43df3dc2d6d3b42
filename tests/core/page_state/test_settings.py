"""Settings by their declarations: what follows from one that is declared, and nothing else."""

import json

import pytest

from mlda_core.assimilation.methods import METHODS
from mlda_core.assimilation.options import OPTIONS
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.perturbations import PerturbationSettings
from mlda_core.page_state.serialize import from_json, from_query, to_json, to_query
from mlda_core.page_state.settings import InvalidStateError, declared, options_of
from mlda_core.page_state.snapshot import Limits, View

MONTHS = ("1997-11", "1997-12")
LIMITS = Limits("speedy", MONTHS, 4)
GROUPS = (View, ObservationSettings, PerturbationSettings)


def test_a_declared_setting_is_in_links(smoothed):
    query = to_query(smoothed, LIMITS)
    assert query == "month=1997-12&smooth=2.0"
    assert from_query(query, LIMITS) == smoothed
    plain = from_query("month=1997-12", LIMITS)
    assert plain.observations.smoothing == 1.0
    assert to_query(plain, LIMITS) == "month=1997-12"


def test_a_declared_setting_is_in_files(smoothed):
    text = to_json(smoothed, LIMITS)
    assert json.loads(text)["observing"] == {"smoothing": 2.0}
    assert from_json(text, LIMITS) == smoothed


@pytest.mark.parametrize("given", ["9", "0.1", "smooth", "nan", ""])
def test_a_declared_setting_is_refused_in_one_sentence(smoothed, given):
    with pytest.raises(InvalidStateError, match=r"smoothing length.*0\.5 to 4") as caught:
        from_query(f"smooth={given}", LIMITS)
    assert str(caught.value).endswith(".")
    with pytest.raises(InvalidStateError, match="smoothing length"):
        smoothed.observations.adjust({"smoothing": None})


def test_settings_are_replaced_and_never_changed():
    settings = ObservationSettings()
    with pytest.raises(TypeError, match="count"):
        settings.count = 7
    assert settings.replace(count=7).count == 7
    assert settings.count == 100


def test_no_two_settings_share_a_key_of_links():
    keys = [p.metadata["url"] for group in GROUPS for p in declared(group).values()]
    keys = [key for key in keys if key]
    assert len(keys) == len(set(keys))
    assert not {"bundle", "z", "upon", "rows"} & set(keys)


@pytest.mark.parametrize("group", GROUPS)
def test_every_default_can_be_given_from_outside(group):
    """A default that its own check refuses could be neither saved nor typed."""
    plain = group()
    for name, parameter in declared(group).items():
        if parameter.metadata["saved"] and name in plain.to_dict(whole=True):
            assert group.check(name, plain.to_dict(whole=True)[name]) == parameter.default


def test_what_the_library_declares_is_read_from_there():
    declarations = declared(ObservationSettings)
    assert list(options_of(ObservationSettings, "method")) == list(METHODS)
    for name in ("method", "residual", "localisation"):
        assert declarations[name].default == OPTIONS[name].default
    assert declarations["residual"].doc == OPTIONS["residual"].help


def test_a_bundle_narrows_the_options():
    limits = Limits("speedy", MONTHS, 4, projections=("north",), tools=("explore",))
    for query, culprit in {
        "projection=south": "south",
        "tool=perturb": "sea",
        "month=1998-01": "1997-11 to 1997-12",
        "impact=wheat": "it has none",
    }.items():
        with pytest.raises(InvalidStateError, match=culprit):
            from_query(query, limits)
    assert from_query("projection=north&tool=explore", limits).projection == "north"

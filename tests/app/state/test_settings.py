"""Settings by their declarations: what follows from one that is declared, and nothing else."""

import json

import param
import pytest
from panel.widgets import FloatSlider, Select

from app.state.observations import ObservationSettings
from app.state.perturbations import PerturbationSettings
from app.state.serialize import from_json, from_query, to_json, to_query
from app.state.settings import Changeable, InvalidStateError, declared, options_of, setting
from app.state.snapshot import Limits, Snapshot, View
from app.state.store import State
from mlda_core.assimilation.methods import METHODS
from mlda_core.assimilation.options import OPTIONS

MONTHS = ("1997-11", "1997-12")
LIMITS = Limits("speedy", MONTHS, 4)
GROUPS = (View, ObservationSettings, PerturbationSettings)


class Smoothed(ObservationSettings):
    """The observations with one setting more, which nothing else knows."""

    smoothing = param.Number(
        default=1.0,
        bounds=(0.5, 4.0),
        step=0.5,
        label="Smoothing",
        doc="Factor on the smoothing length.",
        metadata=setting("smooth", words="smoothing length", digits=2),
    )


class SmoothedForm(Changeable, Smoothed):
    """The same, to be set by widgets."""


@pytest.fixture
def smoothed(monkeypatch):
    """Let a view's observations have the setting."""
    monkeypatch.setattr(View.param["observations"], "class_", Smoothed)
    monkeypatch.setattr(View.param["observations"], "default", Smoothed())
    return Snapshot("1997-12", observations=Smoothed(smoothing=2.0))


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


def test_a_declared_setting_is_undone(smoothed):
    state = State(LIMITS)
    state.observations = smoothed.observations
    assert state.commit()
    assert state.undo()
    assert state.observations.smoothing == 1.0
    assert state.redo()
    assert state.observations.smoothing == 2.0


@pytest.mark.parametrize("given", ["9", "0.1", "smooth", "nan", ""])
def test_a_declared_setting_is_refused_in_one_sentence(smoothed, given):
    with pytest.raises(InvalidStateError, match=r"smoothing length.*0\.5 to 4") as caught:
        from_query(f"smooth={given}", LIMITS)
    assert str(caught.value).endswith(".")
    with pytest.raises(InvalidStateError, match="smoothing length"):
        smoothed.observations.adjust({"smoothing": None})


def test_a_declared_setting_has_a_widget(smoothed):
    form = SmoothedForm(smoothing=2.0)
    slider = FloatSlider.from_param(form.param.smoothing)
    assert (slider.name, slider.start, slider.end, slider.step) == ("Smoothing", 0.5, 4.0, 0.5)
    slider.value = 3.0
    assert form.smoothing == 3.0
    method = Select.from_param(form.param.method)
    assert method.options == {label: key for key, label in options_of(Smoothed, "method").items()}


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

"""Settings of an assimilation: how they are spelled, and what is refused."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from mlda_core.assimilation.methods import METHODS
from mlda_core.assimilation.options import (
    OPTIONS,
    Background,
    Setting,
    calendar_month,
    month_asked,
)
from mlda_core.climate.errors import StateError


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"metod": "vae"}, "no setting 'metod'; use some of method"),
        ({"method": "kriging"}, "no method 'kriging'; use one of vae"),
        ({"background_weight": 0}, "background_weight is 0; it must be a number above 0"),
        ({"localisation": float("nan")}, "localisation is nan"),
        ({"error_scale": "2"}, "error_scale is '2'"),
        ({"error_scale": True}, "error_scale is True"),
        ({"max_steps": 2.5}, "max_steps is 2.5; it must be a whole number"),
        ({"start": "noon"}, "cannot start at 'noon'; use linear or background"),
        ({"method": "adam", "robust": True}, "adam has no prior to tell gross errors by; leave"),
        ({"background": 3}, "give an analysis, a Background, a month of the bundle"),
    ],
)
def test_what_cannot_be_is_refused_with_its_remedy(given, words):
    with pytest.raises(StateError, match=words):
        Setting.of(given)


def test_what_can_be_is_taken():
    state = Background(np.zeros(3), np.zeros((1, 2, 2)))
    made = Setting.of({"method": "VAE-latent-only", "max_steps": np.int64(3), "background": state})
    assert (made.method, made.max_steps) == ("vae_latent_only", 3)
    assert made.record is METHODS["vae_latent_only"]
    assert Setting.of({}) == Setting()


def test_without_residual_the_latent_part_is_all_where_there_is_one():
    assert not Setting().latent_only
    for method in ("vae", "eof"):
        assert Setting(method=method, residual=False).latent_only
        assert Setting(method=f"{method}_latent_only").latent_only
    for method in ("enoi", "regression", "adam", "climatology"):
        assert not Setting(method=method, residual=False).latent_only


def test_what_people_set_is_explained():
    defaults = Setting()
    assert {"method", "residual", "localisation", "error_scale"} <= set(OPTIONS)
    for name, option in OPTIONS.items():
        assert option.default == getattr(defaults, name)
        assert option.help.endswith(".")


@pytest.mark.parametrize(
    ("given", "month", "calendar"),
    [
        ("1997-12", "1997-12", 12),
        (dt.date(1997, 2, 14), "1997-02", 2),
        (np.datetime64("1997-02"), "1997-02", 2),
        (pd.Period("1997-02"), "1997-02", 2),
        (7, 7, 7),
        (np.int64(7), 7, 7),
        ("07", 7, 7),
        (" 7 ", 7, 7),
    ],
)
def test_a_month_is_said_in_many_ways(given, month, calendar):
    assert month_asked(given) == month
    assert calendar_month(given) == calendar


@pytest.mark.parametrize("given", [0, 13, True, None, "soon", "1997-13", 1.5])
def test_what_is_no_month_is_refused(given):
    with pytest.raises(StateError, match="is not a month"):
        month_asked(given)

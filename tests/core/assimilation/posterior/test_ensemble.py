"""What an ensemble says of its members, and what may be asked of one."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.posterior.ensemble import Ensemble, anomalies_of, checked_sampler
from mlda_core.assimilation.posterior.sampler import LEAST_MEMBERS, MOST_MEMBERS
from mlda_core.climate.errors import StateError


def ensemble_of(bundle, *levels):
    """Members that are the same number everywhere."""
    there = np.where(bundle.mask, 1.0, np.nan).astype(np.float32)
    analysis = SimpleNamespace(bundle=bundle, month=7, dated="", method="vae")
    fields = np.stack([level * there for level in levels])
    return Ensemble(analysis, fields, None, "laplace", 0, "made up", 1, 0.0)


def test_mean_spread_and_shares_are_those_of_the_members(linear):
    made = ensemble_of(linear, -1.0, 0.0, 1.0, 4.0)
    there = linear.mask
    assert len(made) == 4
    assert made.mean[there] == pytest.approx(1.0)
    assert made.spread[there] == pytest.approx(np.std([-1, 0, 1, 4], ddof=1))
    tas = [v.name for v in linear.variables].index("tas")
    assert made.probability("tas", 0.5)[there[tas]] == pytest.approx(0.5)
    assert made.probability("tas", 0.0, below=True)[there[tas]] == pytest.approx(0.25)
    # A limit of its own for each cell.
    limit = np.full(linear.grid.shape, 2.0)
    limit[0] = 5.0
    found = made.probability("psl", limit)
    assert (set(found[0]), set(found[1])) == ({0.0}, {0.25})
    for fields in (made.event_probability("above"), made.mean):
        np.testing.assert_array_equal(np.isnan(fields), ~there)
    assert made.event_probability("above")[there] == pytest.approx(0.5)
    assert repr(made).startswith("<Ensemble of 4 members of calendar month 7 by vae")


def test_members_are_in_display_units(linear):
    x = np.zeros((2, linear.mask.size), np.float32)
    x[1] = 1.0
    found = anomalies_of(linear, x, 7)
    assert found.shape == (2, *linear.mask.shape)
    tas = [v.name for v in linear.variables].index("tas")
    np.testing.assert_allclose(found[0, tas], 0.0, atol=1e-4)
    np.testing.assert_allclose(found[1, tas], linear.normaliser.spread[6, tas], rtol=1e-3)


def test_the_sampler_is_checked_with_the_settings():
    for n in (LEAST_MEMBERS, np.int64(MOST_MEMBERS)):
        assert checked_sampler(Setting(), "Laplace", n, 0).key == "laplace"
    assert checked_sampler(Setting(method="enoi"), "laplace", 5, 0).key == "laplace"
    for setting, sampler, n, seed, words in (
        (Setting(), "guess", 5, 0, "use one of laplace"),
        (Setting(), "laplace", MOST_MEMBERS + 1, 0, f"to {MOST_MEMBERS}"),
        (Setting(), "laplace", 5, 2**31, "seed is 2147483648"),
        (Setting(method="adam"), "laplace", 5, 0, "no prior of its own"),
        (Setting(residual=False), "laplace", 5, 0, "use one of vae, eof, enoi"),
        (Setting(background="1982-07"), "laplace", 5, 0, "leave background out"),
        (Setting(method="eof"), "multistart", 5, 0, "use laplace"),
    ):
        with pytest.raises(StateError, match=words):
            checked_sampler(setting, sampler, n, seed)

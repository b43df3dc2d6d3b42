"""Synthetic observations."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from mlda_core.observations.networks import NetworkSpec, places, synthesise
from mlda_core.observations.table import COLUMNS, ObservationError, empty, local_spread, read

MONTH = "1997-12"


@pytest.fixture(scope="module")
def somewhere(bundle):
    return places(NetworkSpec("stations", ("psl", "tos", "tas", "pr"), count=300), bundle)


def test_values_are_the_target_at_the_place_plus_noise_of_the_stated_size(bundle, somewhere):
    target = bundle.target(MONTH)
    exact = synthesise(somewhere, bundle, target, 12, error=1e-9)
    names = [v.name for v in bundle.variables]
    spots = bundle.operator.locate(
        [names.index(v) for v in exact["variable"]], exact["lat"], exact["lon"]
    )
    np.testing.assert_allclose(exact["value"], bundle.operator.apply(spots, target), atol=1e-6)
    found = synthesise(somewhere, bundle, target, 12, error=0.3)
    assert tuple(found.columns) == COLUMNS
    assert found.dtypes.equals(empty().dtypes)
    spread = bundle.operator.apply(spots, local_spread(bundle, 12))
    # Where it hardly ever rains there is a least error.
    rainy = spread > 0.01
    np.testing.assert_allclose(found["error_sd"][rainy], 0.3 * spread[rainy], rtol=1e-6)
    assert rainy.mean() > 0.98
    z = (found["value"] - exact["value"]) / found["error_sd"]
    assert abs(z.mean()) < 0.1
    assert z.std() == pytest.approx(1, abs=0.07)
    again, rejected, _ = read(found, bundle, month=MONTH)
    pd.testing.assert_frame_equal(again, found)
    assert not rejected


def test_errors_can_be_given_in_display_units(bundle, somewhere):
    found = synthesise(somewhere, bundle, bundle.target(MONTH), 12, error={"psl": 1.5})
    default = synthesise(somewhere, bundle, bundle.target(MONTH), 12)
    psl = found["variable"] == "psl"
    assert set(found["error_sd"][psl]) == {1.5}
    pd.testing.assert_frame_equal(found[~psl], default[~psl])


def test_noise_belongs_to_seed_variable_and_place(bundle, somewhere):
    target = bundle.target(MONTH)
    all_of_them = synthesise(somewhere, bundle, target, 12, seed=5)
    fewer = somewhere[3::2]
    some = synthesise(fewer, bundle, target, 12, seed=5)
    expected = all_of_them.iloc[3::2].reset_index(drop=True)
    pd.testing.assert_frame_equal(some, expected)
    for other_seed in (6, (5, 1)):
        other = synthesise(somewhere, bundle, target, 12, seed=other_seed)
        assert (other["value"] != all_of_them["value"]).all()
    zero = np.zeros_like(target)
    december, july = (synthesise(somewhere, bundle, zero, m, seed=5) for m in (12, 7))
    np.testing.assert_allclose(
        december["value"] / december["error_sd"], july["value"] / july["error_sd"], rtol=1e-9
    )


def test_noise_is_normal_and_independent_between_places_seeds_and_variables(bundle):
    cells = places(NetworkSpec("all_fields"), bundle)
    zero = np.zeros(bundle.mask.shape)

    def noise(seed):
        found = synthesise(cells, bundle, zero, 1, seed=seed)
        return (found["value"] / found["error_sd"]).to_numpy()

    one, two = noise(0), noise(1)
    n = one.size
    for z in (one, two):
        assert abs(z.mean()) < 4 / np.sqrt(n)
        assert z.std() == pytest.approx(1, abs=0.025)
        assert abs(np.mean(z**3)) < 0.1
        assert np.mean(np.abs(z) > 1.96) == pytest.approx(0.05, abs=0.007)
        assert abs(np.corrcoef(z[1:], z[:-1])[0, 1]) < 4 / np.sqrt(n)
    assert abs(np.corrcoef(one, two)[0, 1]) < 4 / np.sqrt(n)
    by_name = {k: one[cells["variable"] == k] for k in ("psl", "tas", "pr")}
    for a, b in itertools.combinations(by_name.values(), 2):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(a.size)


def test_two_observations_at_one_place_have_errors_of_their_own(bundle, somewhere):
    twice = pd.concat([somewhere, somewhere.iloc[:5]], ignore_index=True)
    target = bundle.target(MONTH)
    found = synthesise(twice, bundle, target, 12)
    pd.testing.assert_frame_equal(
        found.iloc[: len(somewhere)], synthesise(somewhere, bundle, target, 12)
    )
    assert (found["value"].iloc[-5:].to_numpy() != found["value"].iloc[:5].to_numpy()).all()


def test_withheld_and_labels_are_kept(bundle, somewhere):
    table = synthesise(somewhere, bundle, bundle.target(MONTH), 12)
    table.loc[::3, "withheld"] = True
    again = synthesise(table, bundle, bundle.target("1998-01"), 1)
    assert again["withheld"].tolist() == table["withheld"].tolist()
    assert again["label"].tolist() == somewhere["label"].tolist()


def test_places_without_a_value_are_left_out(bundle, somewhere):
    target = bundle.target(MONTH).copy()
    target[0, :24] = np.nan
    found = synthesise(somewhere, bundle, target, 12)
    assert 0 < len(found) < len(somewhere)
    assert np.isfinite(found["value"]).all()
    assert list(found.index) == list(range(len(found)))


def test_what_cannot_be_observed_is_said_in_words(bundle):
    land = pd.DataFrame({"variable": ["tos"], "lat": [50.0], "lon": [90.0]})
    target = bundle.target(MONTH)
    with pytest.raises(ObservationError, match=r"50\.00N 90\.00E"):
        synthesise(land, bundle, target, 12)
    for error in (0.0, -1.0, float("nan"), {"tas": 0.0}):
        with pytest.raises(ObservationError, match="not above 0"):
            synthesise(land.assign(variable="tas"), bundle, target, 12, error=error)
    with pytest.raises(ObservationError, match="no variable 'zg'"):
        synthesise(land.assign(variable="zg"), bundle, target, 12)

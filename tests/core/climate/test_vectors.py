"""Vectors of a model: what a configuration may say, and the wind that a height wants."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from aloft import make_config_file

from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.samples import months_of_bundle
from mlda_core.climate.errors import BundleError
from mlda_core.climate.grid import Grid
from mlda_core.climate.variables import DEFAULTS
from mlda_core.climate.vectors import check_vectors, geostrophic_wind
from mlda_core.evaluation import assimilation as scoring
from mlda_core.vae.config import ConfigError, load_config

# What a configuration says


def test_a_model_of_other_variables_needs_a_configuration_alone(aloft):
    assert not {v.name for v in aloft.variables} & set(DEFAULTS)
    assert aloft.vectors == (("ua850", "va850"),)
    assert aloft.variables[0].label == "500 hPa height"
    assert aloft.sea_row < 0
    assert np.isfinite(aloft.decode_anomalies(aloft.code("1982-05"), 5)).all()


@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        ('[["ua850", "va500"]]', "names 'va500', which the model has not; it has zg500, ua850"),
        ('[["ua850", "ua850"]]', "names 'ua850' twice; a variable is in one vector"),
        ('[["ua850", "zg500"]]', "pairs ua850 in m/s with zg500 in m; components of one vector"),
        ('[["ua850"]]', "a vector is two names, the eastward component first"),
        ('"ua850"', "write a list of pairs such as"),
    ],
)
def test_a_vector_that_cannot_be_is_refused_in_one_sentence(tmp_path, vectors, words):
    path = make_config_file(tmp_path, vectors=vectors)
    with pytest.raises(ConfigError, match=words) as refused:
        load_config(path)
    assert "\n" not in str(refused.value)


def test_components_exist_in_the_same_places():
    sea = replace(DEFAULTS["tas"], name="us", domain="sea")
    land = replace(DEFAULTS["tas"], name="vs")
    with pytest.raises(ValueError, match=r"us \(sea\) with vs \(globe\)"):
        check_vectors([["us", "vs"]], (sea, land))


def test_a_bundle_with_a_damaged_vector_says_so(aloft, tmp_path):
    for member in aloft.path.iterdir():
        (tmp_path / member.name).write_bytes(member.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config["vectors"] = [["ua850", "vb850"]]
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(BundleError, match="vectors names 'vb850'"):
        load_bundle(tmp_path)


def test_stations_observe_what_there_is_where_nobody_measures_temperature(aloft):
    networks = scoring.networks_of(aloft)
    assert networks == ("all_fields", *(n for n in scoring.NETWORKS if n.startswith("stations")))
    places, _ = scoring.network_of(aloft, "stations_10", 0)
    assert set(places.variable) == {0, 1, 2}
    months = months_of_bundle(aloft).in_split("validation")
    found = scoring.score(
        aloft, months, methods=("vae", "enoi"), networks=("stations_100",), spread=False
    )
    for name in ("zg500", "ua850", "va850"):
        assert found["stations_100"][name]["vae"]["explained_variance"] > 0.5


# The wind that a height wants


def test_geostrophic_wind_of_a_known_height():
    # All around, but not to the poles.
    grid = Grid(np.linspace(-87.5, 87.5, 71), np.arange(144) * 2.5)
    assert not grid.is_global
    lat, lon = np.meshgrid(np.radians(grid.lat), np.radians(grid.lon), indexing="ij")
    height = 100 * np.sin(lat) ** 2 * np.cos(lat) * np.cos(2 * lon)
    u, v = geostrophic_wind(height, grid)
    g, a, omega = 9.80665, 6.371e6, 7.2921e-5
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = g / (2 * omega * np.sin(lat) * a)
        slope = 100 * np.cos(2 * lon) * (2 * np.sin(lat) * np.cos(lat) ** 2 - np.sin(lat) ** 3)
        wanted_u = -factor * slope
        wanted_v = factor / np.cos(lat) * -200 * np.sin(lat) ** 2 * np.cos(lat) * np.sin(2 * lon)
    mid = (np.abs(grid.lat) > 15) & (np.abs(grid.lat) < 80)
    np.testing.assert_allclose(u[mid], wanted_u[mid], atol=0.02)
    np.testing.assert_allclose(v[mid], wanted_v[mid], atol=0.02)
    assert (u[np.abs(grid.lat) < 2] == 0).all()


def test_geostrophic_wind_goes_round_a_low_in_a_region_too():
    grid = Grid(np.linspace(30, 60, 13), np.linspace(350, 380, 13))
    lat, lon = np.meshgrid(grid.lat, grid.lon, indexing="ij")
    low = -100 * np.exp(-(((lat - 45) / 5) ** 2) - ((lon - 365) / 7) ** 2)
    u, v = geostrophic_wind(low, grid)
    assert u[4, 6] > 5 > -5 > u[8, 6]  # westerly south of it, easterly north
    assert v[6, 8] > 5 > -5 > v[6, 4]  # southerly east of it, northerly west

"""Networks on models of other variables: what they observe there, and which are offered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gappy import PRESSURE, SURFACE

from mlda_core.climate.grid import Grid
from mlda_core.climate.interpolation import ObservationOperator
from mlda_core.climate.seasons import MONTHLY
from mlda_core.climate.variables import DEFAULTS, Variable
from mlda_core.observations.networks import (
    NETWORKS,
    NetworkError,
    NetworkSpec,
    observed_as,
    observes,
    offered,
    places,
)
from mlda_core.observations.synthetic import synthesise
from mlda_core.observations.table import read
from mlda_core.vae.config import ConfigError, load_config

GRID = Grid(np.linspace(-84.375, 84.375, 16), np.arange(32) * 11.25)
HEIGHT = replace(
    DEFAULTS["psl"],
    name="zg500",
    label="Height of 500 hPa",
    standard_name="geopotential_height",
)


def model(*variables: Variable) -> Any:
    """What a network asks of a bundle: variables and where they exist."""
    mask = np.ones((len(variables), *GRID.shape), bool)
    mask[0, :3] = False
    normaliser = SimpleNamespace(restore=lambda x, _: np.asarray(x, np.float64))
    return SimpleNamespace(
        seasons=MONTHLY,
        variables=variables,
        grid=GRID,
        mask=mask,
        operator=ObservationOperator(GRID, mask),
        normaliser=normaliser,
    )


def test_thermometers_observe_a_record_of_surface_temperature():
    assert [observed_as(v) for v in DEFAULTS.values()] == list(DEFAULTS)
    assert observed_as(SURFACE) == "tas"
    assert observed_as(HEIGHT) == "zg500"
    # Stations on the ground know nothing of the air at 500 hPa, though its name in CF is the same.
    aloft = replace(DEFAULTS["tas"], name="ta500")
    assert observed_as(aloft) == "ta500"


def test_historical_coverage_of_another_name_is_the_same_places():
    record = model(SURFACE, PRESSURE)
    usual = model(DEFAULTS["tas"], DEFAULTS["psl"])
    for year in (1880, 1969):
        spec = NetworkSpec("historical", year=year)
        found, known = places(spec, record), places(spec, usual)
        assert set(found["variable"]) == {"tasa", "psl"}
        assert found["lat"].tolist() == known["lat"].tolist()
        assert found["variable"].replace("tasa", "tas").tolist() == known["variable"].tolist()
    only = places(NetworkSpec("historical", year=1969, variables=("tasa",)), record)
    assert set(only["variable"]) == {"tasa"}


def test_networks_that_need_what_a_model_lacks_are_not_offered():
    assert list(offered(model(*DEFAULTS.values()))) == list(NETWORKS)
    assert list(offered(model(SURFACE, PRESSURE))) == [
        "none", "all_fields", "stations", "historical", "ship_tracks", "custom",
    ]  # fmt: skip
    aloft = model(HEIGHT)
    assert list(offered(aloft)) == ["none", "all_fields", "stations", "custom"]
    # Balloons, so to speak: places at random observe what there is.
    assert observes("stations", aloft) == ("zg500",)
    assert set(places(NetworkSpec("stations", count=20), aloft)["variable"]) == {"zg500"}
    for kind, words in (("historical", "none of tas, psl, pr"), ("sst_and_pressure", "'tos'")):
        with pytest.raises(NetworkError, match=words):
            observes(kind, aloft)


def test_places_without_a_value_are_kept_where_they_are_asked_for():
    bundle = model(SURFACE, PRESSURE)
    target = np.ones(bundle.mask.shape)
    target[1, 8:] = np.nan
    where = places(NetworkSpec("all_fields"), bundle)
    short = synthesise(where, bundle, target, 1)
    whole = synthesise(where, bundle, target, 1, missing=True)
    assert len(whole) == len(where)
    missing = whole["value"].isna()
    assert missing.sum() == 8 * 32
    assert set(whole["variable"][missing]) == {"psl"}
    # The noise is the place's own, whatever is left out beside it.
    assert whole["value"][~missing].tolist() == short["value"].tolist()


def test_a_row_where_the_model_has_no_values_says_so():
    rows = pd.DataFrame({"variable": ["tasa", "psl"], "lat": -80.0, "lon": 10.0, "value": 1.0})
    good, bad, _ = read(rows, model(SURFACE, PRESSURE))
    assert good["variable"].tolist() == ["psl"]
    assert "the model has no values there" in bad[0].reason


def test_a_configuration_may_say_the_month_shown_first(tmp_path: Path):
    config = Path(__file__).parents[3] / "configs" / "speedy.toml"
    text = config.read_text(encoding="utf-8")
    assert load_config(config).first_month == ""
    assert "first_month" not in load_config(config).to_dict()
    made = tmp_path / "model.toml"
    made.write_text(text.replace("[model]\n", '[model]\nfirst_month = "1963-01"\n'))
    assert load_config(made).to_dict()["first_month"] == "1963-01"
    made.write_text(text.replace("[model]\n", '[model]\nfirst_month = "Jan 1963"\n'))
    with pytest.raises(ConfigError, match="YYYY-MM"):
        load_config(made)

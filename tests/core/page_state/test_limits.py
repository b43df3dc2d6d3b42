"""What a bundle leaves of the settings of a state."""

import copy

import pytest

from mlda_core.page_state.limits import can_cycle, first_month, limits_of
from mlda_core.page_state.serialize import from_query, to_query
from mlda_core.page_state.settings import InvalidStateError


def test_limits_are_those_of_what_there_is(world):
    limits = limits_of(world)
    assert limits.tools == ("observe", "explore")
    assert limits.model == "analysis"
    with pytest.raises(InvalidStateError, match="no sea to warm"):
        from_query("?tool=perturb", limits)


def test_the_first_month_is_one_that_the_model_has_not_seen_and_lacks_least(world):
    month = first_month(world)
    # In 1947, a test year as well, there is no pressure.
    assert month[:4] == "1963"
    assert world.split(month) == "test"

    said = copy.copy(world)
    said.config = {**world.config, "first_month": "1947-02"}
    assert first_month(said) == "1947-02"


def test_a_bundle_about_a_place_on_land_shows_the_atlantic_first(world):
    assert limits_of(world).first_view().projection == "robinson"
    ashore = copy.copy(world)
    ashore.__class__ = type("Ashore", (type(world),), {"impacts": ("thames",)})
    limits = limits_of(ashore, "ashore")
    assert limits.first_view().projection == "atlantic"
    assert set(limits.projections) == set(limits_of(world).projections)
    # Both first views need no word in a link, and the other's word is understood.
    assert "projection" not in to_query(limits.first_view(), limits)
    assert from_query("?projection=robinson", limits).projection == "robinson"
    assert from_query("?projection=atlantic", limits_of(world)).projection == "atlantic"


def test_what_can_be_cycled_ships_a_forecast_and_its_errors(world, cycled):
    assert can_cycle(cycled)
    assert "cycle" in limits_of(cycled).tools
    assert not can_cycle(world)

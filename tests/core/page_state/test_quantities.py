"""Numbers that a state comes down to."""

import numpy as np
import pytest

from mlda_core.climate.regions import REGIONS, region_mask, regional_mean
from mlda_core.page_state.opened import from_link
from mlda_core.page_state.quantities import QUANTITIES, QuantityError, measure, read, unit_of
from mlda_core.page_state.rows import pack_rows


@pytest.fixture(scope="module")
def state(world):
    month = world.months[-1]
    held = pack_rows({"withheld": [0, 1, 2, 3]})
    return from_link(f"month={month}&stations=12&rows={held}", world)


@pytest.fixture(scope="module")
def names(world):
    return [variable.name for variable in world.variables]


def value(state, name, **given):
    return measure(name, read(name, given), state).value


def test_fields_at_places_and_over_regions_are_those_of_the_state(state, world, names):
    name, found = names[0], state.analysis()
    for of, field in (
        ("model", found.anomalies),
        ("target", world.target(state.month)),
        ("background", found.background),
        ("increment", found.increment),
        ("spread", found.spread),
    ):
        mean = value(state, "mean", variable=name, of=of)
        assert mean == pytest.approx(regional_mean(field[0], world.grid, REGIONS["globe"]))
    row, column = world.grid.shape[0] // 2, 3
    lat, lon = float(world.grid.lat[row]), float(world.grid.lon[column])
    here = value(state, "place", variable=name, of="model", lat=lat, lon=lon)
    assert here == pytest.approx(found.anomalies[0, row, column], rel=1e-5)
    most = value(state, "greatest", variable=name, of="increment", region="north")
    north = found.increment[0][region_mask(world.grid, REGIONS["north"]) > 0]
    assert most == pytest.approx(np.nanmax(np.abs(north)))
    assert 0 < value(state, "extent", variable=name, of="increment") < 100


def test_scores_leave_out_where_an_observation_stands(state, world, names):
    name = names[0]
    from mlda_core.evaluation.verification import score_fields

    (whole, *_) = score_fields(world.target(state.month), state.fields(), world.grid)
    explained = value(state, "explained_variance", variable=name)
    assert explained != whole.explained_variance
    # A state without observations has no such cells.
    empty = from_link(f"month={state.month}&network=none", world)
    (whole, *_) = score_fields(world.target(state.month), empty.fields(), world.grid)
    assert value(empty, "explained_variance", variable=name) == pytest.approx(
        whole.explained_variance
    )
    assert value(empty, "rmse", variable=name) == pytest.approx(whole.rmse)


def test_departures_and_statistics_are_the_analysis_own(state, names):
    found = state.analysis()
    table = found.observations
    assert value(state, "departure", number=5, of="analysis") == pytest.approx(
        table["analysis_departure"].iloc[4]
    )
    used = table[~table["withheld"] & (table["variable"] == names[0])]
    rms = float(np.sqrt((used["analysis_departure"] ** 2).mean()))
    assert value(state, "departures", variable=names[0], of="used") == pytest.approx(rms)
    assert value(state, "departures", variable=names[0], of="withheld") > rms
    assert value(state, "chi_squared") == found.statistics.chi_squared
    assert value(state, "degrees_of_freedom") == found.statistics.degrees_of_freedom
    assert value(state, "observations") == found.statistics.n_used
    assert value(state, "latent", number=2) == pytest.approx(found.z[1])
    assert 0 < value(state, "covered", variable=names[0]) <= 100


def test_a_cycle_has_its_errors(cycled):
    state = from_link("tool=cycle&month=1984-03-03&cycle_from=1984-03-01&cycle_stations=30", cycled)
    name = cycled.variables[0].name
    errors = state.cycle()["1984-03-03"].errors
    for of in ("analysis", "static", "free"):
        assert value(state, "cycle_error", variable=name, of=of) == pytest.approx(errors[of][0, 0])


def test_people_read_it_with_its_unit(state, world, names):
    made = measure("mean", read("mean", {"variable": names[0], "of": "increment"}), state)
    assert made.unit == world.variables[0].anomaly_units
    assert made.label == f"{world.variables[0].label}, the increment, mean of Globe"
    assert unit_of("covered", read("covered", {"variable": names[0]}), state) == "%"
    asked = read("departure", {"number": 1, "of": "background"})
    first = state.table.plain["variable"].iloc[0]
    assert unit_of("departure", asked, state) == world.variables[names.index(first)].anomaly_units


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("nothing", {}, "choose one of mean, place"),
        (["mean"], {}, "no quantity"),
        ("mean", {"of": "model"}, "lacks 'variable'"),
        ("mean", {"variable": "tas", "of": "truth"}, "choose one of model, target"),
        ("mean", {"variable": "tas", "of": "model", "lat": 3}, "takes variable, of, region"),
        ("mean", {"variable": "tas", "of": "model", "region": "moon"}, "choose one of globe"),
        ("mean", {"variable": 3, "of": "model"}, "write a name"),
        ("place", {"variable": "tas", "of": "model", "lat": 95, "lon": 0}, "-90"),
        ("latent", {"number": 0}, "count from 1"),
        ("latent", {"number": True}, "count from 1"),
        ("chi_squared", {"variable": "tas"}, "takes nothing more"),
    ],
)
def test_what_cannot_be_asked_is_refused(name, given, words):
    with pytest.raises(QuantityError, match=words):
        read(name, given)


def test_what_a_state_lacks_is_said(state, names):
    for name, given, words in (
        ("mean", {"variable": "zg999", "of": "model"}, f"choose one of {', '.join(names)}"),
        ("departure", {"number": 900, "of": "analysis"}, "no number 900"),
        ("latent", {"number": 900}, "count from 1 to"),
    ):
        with pytest.raises(QuantityError, match=words):
            value(state, name, **given)
    empty = from_link(f"month={state.month}&network=none", state.bundle)
    with pytest.raises(QuantityError, match="No observation of"):
        value(empty, "departures", variable=names[0], of="used")


def test_each_says_what_it_needs():
    for quantity in QUANTITIES.values():
        assert ("of" in quantity.needs) == bool(quantity.options)
        assert all(name in quantity.keys for name in (*quantity.needs, *quantity.may))

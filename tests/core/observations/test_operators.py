"""Observation operators of tables, over fields in display units and standardised."""

from __future__ import annotations

import numpy as np
import pytest
from kind_rows import kind_rows
from scipy import integrate, stats

from mlda_core.climate.combined import CombinedPlaces
from mlda_core.climate.interpolation import ObservationError
from mlda_core.climate.regions import REGIONS, drawn_box, regional_mean
from mlda_core.observations.areas import Area, Spot
from mlda_core.observations.operators import (
    climate_line,
    shown_operator,
    standardised_operator,
)
from mlda_core.observations.standardised import standardise


def row_of(bundle, name):
    return [v.name for v in bundle.variables].index(name)


def test_a_mean_and_a_difference_are_those_of_fields(linear):
    """Over a state in display units, the operators are what they say."""
    table = kind_rows(
        linear,
        "psl,,,3,1,mean,tropics\ntas,50,10,1,1,difference,minus 20 100\n"
        "psl,,,1,1,difference,north minus south\n",
    )
    observed = standardise(table, linear, 7)
    field = np.nan_to_num(linear.target("1982-07").astype(float))
    psl = field[row_of(linear, "psl")]
    at = linear.operator.locate([row_of(linear, "tas")] * 2, [50, 20], [10, 100])
    tas = linear.operator.apply(at, field)
    means = {k: regional_mean(psl, linear.grid, REGIONS[k]) for k in ("tropics", "north", "south")}
    seen = linear.operator.apply(observed.likelihoods.shown, field)
    expected = [means["tropics"], tas[0] - tas[1], means["north"] - means["south"]]
    np.testing.assert_allclose(seen, expected, atol=1e-6)
    # And standardised, for variables whose transform is a line.
    x = linear.normaliser.standardise((field + linear.climatology(7))[None], np.array([7]))[0]
    there = linear.operator.apply(observed.places, np.nan_to_num(x))
    departure = observed.likelihoods.terms.value - there
    shown = table["value"].to_numpy() - expected
    scale = table["error_sd"].to_numpy() / observed.likelihoods.terms.sd
    np.testing.assert_allclose(departure * scale, shown, atol=0.05)


def test_places_alone_have_the_operator_that_the_model_has(linear):
    which, lat, lon = np.array([row_of(linear, "tas")]), np.array([50.0]), np.array([-350.0])
    shown = shown_operator(linear, which, lat, lon, [None])
    assert not isinstance(shown, CombinedPlaces)
    assert shown.names == linear.operator.locate(which, lat, lon).names
    found = standardised_operator(linear, shown, 7)
    assert found.places is shown
    assert (found.scale[0], found.offset[0]) == (1.0, 0.0)


def test_a_place_beside_a_region_keeps_its_interpolation(linear):
    which = np.full(2, row_of(linear, "tas"))
    lat, lon = np.array([50.0, 0.0]), np.array([10.0, 180.0])
    shown = shown_operator(linear, which, lat, lon, [None, Area(REGIONS["tropics"])])
    assert shown.gridded.tolist() == [False, True]
    x = np.random.default_rng(0).standard_normal(linear.mask.shape)
    plain = linear.operator.locate(which[:1], lat[:1], lon[:1])
    places = standardised_operator(linear, shown, 7).places
    assert places.names[0] == plain.names[0]
    assert linear.operator.apply(places, x)[0] == pytest.approx(linear.operator.apply(plain, x)[0])


def test_a_difference_of_a_region_and_a_place(linear):
    which = np.array([row_of(linear, "tas")])
    area = Area(REGIONS["tropics"], Spot(50.0, 10.0))
    shown = shown_operator(linear, which, np.zeros(1), np.zeros(1), [area])
    assert shown.gridded.tolist() == [False]
    field = np.random.default_rng(0).standard_normal(linear.mask.shape)
    mean = regional_mean(field[which[0]], linear.grid, REGIONS["tropics"])
    place = linear.operator.apply(linear.operator.locate(which, [50.0], [10.0]), field)[0]
    assert linear.operator.apply(shown, field)[0] == pytest.approx(mean - place)


def test_a_mean_of_the_sea_leaves_the_land_out(linear):
    row = row_of(linear, "tos")
    box = drawn_box(-40.0, 40.0, 0.0, 180.0)
    shown = shown_operator(linear, np.array([row]), np.zeros(1), np.zeros(1), [Area(box)])
    field = np.where(linear.mask, 2.0, np.nan)
    assert linear.operator.apply(shown, field)[0] == pytest.approx(2.0)
    assert linear.mask.ravel()[shown.index[shown.weight != 0]].all()


def test_a_region_without_the_variable_is_refused_by_its_row(linear):
    row = row_of(linear, "tos")
    land = np.argwhere(~linear.mask[row])[0]
    lat, lon = linear.grid.lat[land[0]], linear.grid.lon[land[1]]
    box = drawn_box(lat - 1, lat + 1, lon - 1, lon + 1)
    which, place = np.full(2, row), np.full(2, 60.0)
    with pytest.raises(ObservationError, match=r"Observation 2 is of Box .*choose another area"):
        shown_operator(linear, which, place, place, [None, Area(box)])


def test_the_line_of_the_climate_is_that_of_least_error_over_the_prior(linear):
    """For rain by quadrature; where the transform is a line, that line."""
    slope, offset = climate_line(linear, 7)
    row = row_of(linear, "psl")
    np.testing.assert_allclose(slope[row], linear.normaliser.spread[6, row], rtol=1e-3)
    row = row_of(linear, "pr")
    i, j = 5, 9

    def departure(x):
        state = np.full((1, *linear.mask.shape), float(x))
        full = linear.normaliser.restore(state, np.array([7]))[0] - linear.climatology(7)
        return float(full[row, i, j])

    exact = integrate.quad(lambda x: x * departure(x) * stats.norm.pdf(x), -6, 6, limit=30)[0]
    assert slope[row, i, j] == pytest.approx(exact, rel=0.02)
    exact = integrate.quad(lambda x: departure(x) * stats.norm.pdf(x), -6, 6, limit=30)[0]
    assert offset[row, i, j] == pytest.approx(exact, abs=0.02 * slope[row, i, j])
    assert (slope > 0).all()

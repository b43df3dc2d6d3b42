"""The gradient through assimilation against finite differences of the whole chain."""

from __future__ import annotations

import numpy as np
import pytest
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.cost import DecodedCost
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.solver import minimise
from mlda_core.climate.regions import REGIONS, Region, region_mask
from mlda_core.observations.standardised import thin
from mlda_core.perturbation.responder import Responder
from mlda_core.perturbation.response import HELD
from mlda_core.perturbation.sst_patches import Patch, PerturbationError, open_water, sst_change

BOX = Region("box", -40, 10, 120, 240)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return Responder(Assimilator(make_small(tmp_path_factory.mktemp("a"), curved=0.002)))


@pytest.fixture(scope="module")
def bundled(speedy):
    return Responder(Assimilator(speedy))


def mean(responder, fields, variable, region):
    row = [v.name for v in responder.bundle.variables].index(variable)
    grid = responder.bundle.grid
    weights = region_mask(grid, region) * grid.weights * responder.bundle.mask[row]
    return float(np.nansum(weights * fields[row]) / weights.sum())


def slope(responder, month, change, asked, held, inside=None):
    """Central difference of the response of a mean (variable, region) to a change."""
    h = 0.05
    ends = [
        mean(
            responder,
            responder.respond_to(month, s * h * change, held, inside=inside).anomalies,
            *asked,
        )
        for s in (1, -1)
    ]
    return (ends[0] - ends[1]) / (2 * h)


@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("variable", ["psl", "pr"])
def test_small_bundle(small, held, variable):
    month = "1982-07"
    inside = region_mask(small.bundle.grid, BOX) > 0.5 if held == "outside" else None
    found = small.sensitivity(month, variable, BOX, held, inside=inside)
    rng = np.random.default_rng(1)
    for _ in range(3):
        change = rng.standard_normal(small.bundle.grid.shape)
        change *= small.bundle.mask[small.bundle.sea_row]
        wanted = slope(small, month, change, (variable, BOX), held, inside)
        assert (found.per_cell * change).sum() == pytest.approx(wanted, rel=0.02, abs=2e-3)


def test_value_is_the_mean_of_the_analysis(small):
    found = small.sensitivity("1982-07", "pr", BOX)
    control = small.respond("1982-07", []).control
    assert found.value == pytest.approx(mean(small, control, "pr", BOX), abs=1e-3)
    assert found.units == "mm/day"


def test_smooth_map_is_the_response_to_a_patch(small):
    """Where nothing is thinned, the map's value is the gradient summed over a patch of its area."""
    found = small.sensitivity("1982-07", "tas", BOX)
    bundle, grid = small.bundle, small.bundle.grid
    sea = bundle.mask[bundle.sea_row]
    assert np.isnan(found.smooth[~sea]).all()
    # Cells of this grid are 1200 km and more apart by the equator: a patch holds its own alone.
    row, column = 4, 12
    area = 510.07e6 * grid.weights[row, column] / grid.weights.sum()
    part = np.pi * 500.0**2 / area
    assert found.smooth[row, column] == pytest.approx(found.per_cell[row, column] * part, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("variable", "where"), [("pr", "nino34"), ("psl", "north_pacific")])
def test_bundled_model(bundled, variable, where):
    month, asked = "1997-12", (variable, REGIONS[where])
    found = bundled.sensitivity(month, *asked)
    rng = np.random.default_rng(2)
    free = open_water(bundled.bundle, month)
    changes = [sst_change([Patch(1, region="nino34")], bundled.bundle, month)]
    changes.append(0.5 * rng.standard_normal(free.shape) * (free == 1))
    for change in changes:
        wanted = slope(bundled, month, change, asked, "sst_only")
        assert (found.per_cell * change).sum() == pytest.approx(wanted, rel=0.02, abs=2e-3)


@pytest.mark.slow
def test_nothing_depends_on_a_sea_under_ice(bundled):
    found = bundled.sensitivity("1997-12", "psl", REGIONS["north_pacific"])
    free = open_water(bundled.bundle, "1997-12")
    assert (found.per_cell[free == 0] == 0).all()
    assert np.isnan(found.smooth[free < 0.5]).all()
    assert np.isfinite(found.smooth[free >= 0.5]).all()


def test_the_minimum_is_found_as_well_far_from_the_months(bundled):
    """Gradient norms where the sea is a degree warmer everywhere: polishing once ended early."""
    month = "1984-12"
    change = sst_change([Patch(1, region="globe")], bundled.bundle, month)
    observed = bundled._add(bundled._observed(month, "sst_only", None), change, 12)
    used = thin(observed.places, observed.variance)
    problem = bundled.assimilator.preparation.problem(observed, used, 12, Setting(polish=True))
    fit, gain = DecodedCost(problem), problem.gain
    mask = bundled.bundle.mask
    departures = problem.observed.value - bundled.bundle.operator.apply(
        problem.observed.places, problem.x_b.reshape(mask.shape)
    )
    start = gain.linear_solution(departures)
    *_, last = minimise(fit.value_and_gradient, start, gain.inverse_hessian, polish=True)
    assert np.sqrt(last.gradient @ gain.inverse_hessian @ last.gradient) < 2e-4


def test_what_cannot_be_asked(small):
    with pytest.raises(PerturbationError, match="no variable 'wind'"):
        small.sensitivity("1982-07", "wind", BOX)
    with pytest.raises(PerturbationError, match="does not exist in that region"):
        small.sensitivity("1982-07", "tos", Region("land", -10, 10, 60, 100))

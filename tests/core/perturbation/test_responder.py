"""The response to a change of the sea: zero, linear, and what is held."""

from __future__ import annotations

import numpy as np
import pytest
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.climate.regions import Region
from mlda_core.perturbation.responder import Responder
from mlda_core.perturbation.response import HELD
from mlda_core.perturbation.sst_patches import Patch, PerturbationError

MONTH = "1982-07"
WARM = Patch(1.0, box=(-30, 30, 180, 270))


@pytest.fixture(scope="module")
def responder(tmp_path_factory):
    return Responder(Assimilator(make_small(tmp_path_factory.mktemp("r"), curved=0.002)))


@pytest.fixture(scope="module")
def bundle(responder):
    return responder.bundle


@pytest.mark.parametrize("held", HELD)
def test_no_change_gives_exactly_no_response(responder, held):
    for patches in ([], [Patch(0.0, region="globe")], [Patch(1, region="globe", enabled=False)]):
        answer = responder.respond(MONTH, patches, held)
        there = answer.anomalies[responder.bundle.mask]
        assert (there == 0).all()
        assert answer.mean_change == 0
    # Not only for want of a second analysis.
    inside = responder.inside([WARM], held)
    zero = np.zeros(responder.bundle.grid.shape)
    two = [
        responder.analysis(MONTH, held, inside=inside, change=c, polish=True) for c in (None, zero)
    ]
    assert np.array_equal(*two, equal_nan=True)


@pytest.mark.parametrize("held", HELD)
def test_a_response_is_the_difference_of_two_analyses_of_one_network(responder, bundle, held):
    inside = responder.inside([WARM], held)
    answer = responder.respond(MONTH, [WARM], held)
    runs = [
        responder.assimilator.run(
            responder.observations(MONTH, held, inside=inside, change=change), MONTH, polish=True
        ).anomalies
        for change in (None, answer.change)
    ]
    mask = bundle.mask
    assert np.abs(answer.anomalies[mask]).max() > 0.1
    assert np.allclose(answer.control[mask], runs[0][mask], atol=2e-3)
    assert np.allclose(answer.anomalies[mask], (runs[1] - runs[0])[mask], atol=4e-3)


@pytest.mark.parametrize("held", HELD)
def test_small_responses_are_linear(responder, bundle, held):
    def respond(kelvin):
        return responder.respond(MONTH, [Patch(kelvin, box=WARM.box)], held).anomalies

    small, large, back = respond(0.02), respond(0.04), respond(-0.02)
    for v in range(len(bundle.variables)):
        size = np.nanmax(np.abs(large[v]))
        assert size > 0
        assert np.nanmax(np.abs(large[v] - 2 * small[v])) < 0.05 * size
        assert np.nanmax(np.abs(back[v] + small[v])) < 0.05 * size


def test_what_is_held_hardly_answers(responder, bundle):
    psl = [v.name for v in bundle.variables].index("psl")
    free = responder.respond(MONTH, [WARM], "sst_only").anomalies[psl]
    held = responder.respond(MONTH, [WARM], "sst_and_pressure").anomalies[psl]
    assert np.std(held) < 0.5 * np.std(free)
    outside = ~responder.inside([WARM], "outside")
    fixed = responder.respond(MONTH, [WARM], "outside").anomalies
    free = responder.respond(MONTH, [WARM], "sst_only").anomalies
    for v, variable in enumerate(bundle.variables):
        if variable.name != "tos":
            assert np.std(fixed[v][outside]) < 0.5 * np.std(free[v][outside])


def test_the_sea_follows_its_change(responder, bundle):
    answer = responder.respond(MONTH, [WARM])
    sea = answer.anomalies[bundle.sea_row]
    full = answer.change > 0.9
    assert sea[full].mean() == pytest.approx(1.0, abs=0.1)
    assert answer.mean_change == pytest.approx(answer.change[answer.change > 0.5].mean(), abs=0.1)
    assert np.allclose(answer.per_kelvin() * answer.mean_change, answer.anomalies, equal_nan=True)


def test_spread_is_that_of_the_analysis(responder, bundle):
    answer = responder.respond(MONTH, [WARM])
    table = responder.observations(MONTH, "sst_only")
    wanted = responder.assimilator.run(table, MONTH).spread
    assert np.allclose(answer.spread[bundle.mask], wanted[bundle.mask], rtol=0.02, atol=1e-3)


def test_another_method_answers_too(responder, bundle):
    vae, linear = (responder.respond(MONTH, [WARM], method=m).anomalies for m in ("vae", "enoi"))
    assert np.nanmax(np.abs(linear)) > 0.1
    assert not np.allclose(vae[bundle.mask], linear[bundle.mask])


def test_the_region_that_is_free_can_be_given(responder):
    everywhere = Region("all", -90, 90, 0, 360)
    free = responder.respond(MONTH, [WARM], "outside", region=everywhere)
    alone = responder.respond(MONTH, [WARM], "sst_only")
    assert np.allclose(free.anomalies, alone.anomalies, atol=1e-4, equal_nan=True)


def test_the_analysis_from_all_fields_is_near_the_target(responder, bundle):
    made, target = responder.all_fields(MONTH), bundle.target(MONTH)
    for v in range(len(bundle.variables)):
        sea = bundle.mask[v]
        left = ((made - target)[v][sea] ** 2).mean() / (target[v][sea] ** 2).mean()
        assert left < 0.2


def test_a_changed_sea_that_cannot_be_is_refused(responder, bundle):
    with pytest.raises(PerturbationError, match="not a number"):
        responder.respond_to(MONTH, np.full(bundle.grid.shape, np.nan))
    with pytest.raises(PerturbationError, match="grid"):
        responder.respond_to(MONTH, np.zeros((3, 4)))
    with pytest.raises(PerturbationError, match="use one of sst_only"):
        responder.respond(MONTH, [WARM], "wind")
    with pytest.raises(ValueError, match="1900-01"):
        responder.respond("1900-01", [WARM])


def test_it_says_where_it_extrapolates(responder):
    far, near = (
        responder.respond(MONTH, [Patch(k, box=WARM.box)]).extrapolated_fraction
        for k in (15.0, 0.0)
    )
    assert (far, near) == (1.0, 0.0)


def test_errors_of_its_own_are_refused(responder):
    with pytest.raises(PerturbationError, match="leave error_scale out"):
        responder.respond(MONTH, [WARM], error_scale=5.0)


@pytest.mark.slow
def test_thinning_keeps_the_changed_sea(speedy):
    bundled = Responder(Assimilator(speedy))
    patch = Patch(2.0, region="nino34")
    full = None
    for held in ("sst_only", "outside"):
        answer = bundled.respond("1998-12", [patch], held)
        sea = answer.anomalies[bundled.bundle.sea_row][answer.change > 1.5].mean()
        full = full or sea
    assert sea > 0.9 * full


def test_a_regression_tells_what_it_leaves_over_as_spread(responder, bundle):
    """Of a linear variable: the standard deviation of months about the regression."""
    from mlda_core.assimilation.methods.regression import fit_regression

    spread = responder.respond(MONTH, [WARM], method="regression").spread
    left = np.sqrt(fit_regression(bundle).left).reshape(bundle.mask.shape)
    v = [v.name for v in bundle.variables].index("tas")
    assert bundle.variables[v].transform == "none"
    expected = left[v] * bundle.normaliser.spread[int(MONTH[5:]) - 1, v]
    np.testing.assert_allclose(spread[v], expected, rtol=1e-4)

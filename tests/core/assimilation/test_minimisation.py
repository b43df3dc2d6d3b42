"""Minima of the cost of a prepared assimilation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.cost import DecodedCost
from mlda_core.assimilation.minimisation import NONLINEAR, STARTS, descend, minimum, starts
from mlda_core.assimilation.options import Setting
from mlda_core.bundle.bundle import load_bundle


@pytest.fixture(scope="module")
def prepared(curved):
    engine = Assimilator(curved)
    return engine.preparation.of_table(table(curved), 7, Setting(polish=True)).problem


def test_single_precision_finds_the_minimum_of_double(curved):
    engine = Assimilator(curved)
    observations = table(curved, 20)
    analysis = engine.run(observations, 7)
    problem = engine.preparation.of_table(observations, 7, Setting()).problem
    decoder = load_bundle(curved.path).decoder.double()
    torch.set_default_dtype(torch.float64)
    try:
        turn = problem.gain.prior.turn
        z_b = torch.from_numpy(problem.z_b)
        month = torch.tensor([7])
        whitener = torch.from_numpy(problem.gain.whitener)
        places = problem.observed.places
        index, weight = torch.from_numpy(places.index), torch.from_numpy(places.weight)
        value = torch.from_numpy(problem.observed.value)
        offset = torch.from_numpy(problem.x_b.astype(float)) - decoder(z_b[None], month).flatten()

        def cost(zeta):
            point = torch.from_numpy(zeta).requires_grad_()
            z = z_b + torch.from_numpy(turn) @ point
            x = offset + decoder(z[None], month).flatten()
            white = whitener @ (value - (x[index] * weight).sum(dim=1))
            total = 0.5 * (point @ point) + 0.5 * (white @ white)
            (slope,) = torch.autograd.grad(total, point)
            return float(total.detach()), slope.numpy()

        from scipy.optimize import minimize

        found = minimize(
            cost, np.zeros(len(turn)), jac=True, method="L-BFGS-B", options={"ftol": 1e-15}
        )
    finally:
        torch.set_default_dtype(torch.float32)
    assert analysis.converged
    assert analysis.cost.total == pytest.approx(found.fun, rel=1e-3)
    reference = problem.z_b + turn @ found.x
    assert np.linalg.norm(analysis.z - reference) < 0.02 * np.linalg.norm(reference)


def test_a_curved_decoder_is_searched_from_several_starts(prepared, monkeypatch):
    first = np.zeros(prepared.z_b.size)
    for nonlinearity, count in ((0.9 * NONLINEAR, 1), (NONLINEAR, STARTS)):
        settings = replace(prepared.bundle.settings, nonlinearity=nonlinearity)
        monkeypatch.setattr(type(prepared.bundle), "settings", settings)
        assert len(starts(prepared, first)) == count
    several = starts(prepared, first)
    assert several[0] is first
    assert not np.allclose(several[1], several[2])
    for again, before in zip(starts(prepared, first), several, strict=True):
        np.testing.assert_array_equal(again, before)


def test_the_minimum_is_where_descents_end_with_the_residual_analysis(prepared):
    zeta, x = minimum(prepared)
    fit = DecodedCost(prepared)
    *_, last = descend(prepared, fit, np.full(zeta.size, 0.5))
    assert fit.cost(zeta).total <= last.cost * (1 + 1e-4)
    decoded, left = fit.at(zeta)
    gain = prepared.gain
    expected = decoded + gain.residual_weights(left) @ gain.columns
    np.testing.assert_allclose(x, expected, atol=1e-5)
    assert np.linalg.norm(prepared.departures(x)) < np.linalg.norm(left)

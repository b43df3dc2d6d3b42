"""Analyses with a flow as the prior of the latent vector."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from exact import table
from kind_rows import kind_rows
from priors import jolted
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.bend import Bend
from mlda_core.assimilation.cost import DecodedCost
from mlda_core.assimilation.minimisation import minimum
from mlda_core.assimilation.posterior.samplers import SAMPLERS
from mlda_core.assimilation.validation import setting_of
from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.writing import add_prior
from mlda_core.climate.errors import BundleError, StateError
from mlda_core.observations.standardised import standardise
from mlda_core.vae.latent_prior import PriorError


def with_flow(folder, curved, size):
    bundle = make_small(folder, curved=curved)
    flow = jolted("flow", bundle.n_latent, size)
    add_prior(bundle, "flow", flow, {})
    return load_bundle(bundle.path)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A flow that is N(0, I): the same as no flow."""
    return with_flow(tmp_path_factory.mktemp("straight"), 0.03, 0.0)


@pytest.fixture(scope="module")
def bent(tmp_path_factory):
    return with_flow(tmp_path_factory.mktemp("bent"), 0.03, 0.15)


def prepared(bundle, prior="flow", count=10):
    engine = Assimilator(bundle)
    observed = standardise(table(bundle, 10).iloc[:count], bundle, 7)
    setting = setting_of({"prior": prior})
    return engine, engine.preparation.problem(observed, np.arange(len(observed)), 7, setting)


def test_a_flow_that_bends_nothing_gives_the_analysis_of_the_normal_prior(straight):
    observations = table(straight, 12)
    plain, flow = (
        Assimilator(straight).run(observations, 7, prior=prior) for prior in ("gaussian", "flow")
    )
    np.testing.assert_allclose(flow.anomalies, plain.anomalies, atol=2e-3)
    np.testing.assert_allclose(flow.z, plain.z, atol=2e-3)
    np.testing.assert_allclose(flow.spread, plain.spread, rtol=1e-4)


def test_the_map_its_derivative_and_its_inverse_agree(bent):
    bend = Bend(bent.prior("flow").transport(7), bent.n_latent)
    zeta = np.random.default_rng(0).standard_normal((3, bent.n_latent))
    np.testing.assert_allclose(bend.departures(np.zeros((1, bent.n_latent))), 0.0, atol=1e-6)
    np.testing.assert_allclose(bend.zeta(bend.departures(zeta)), zeta, atol=1e-3)
    step = 1e-2 * np.eye(bent.n_latent)
    slopes = (bend.departures(step) - bend.departures(-step)) / 2e-2
    # Row k of the tangent is the gradient of number k; row j of the slopes a step along j.
    np.testing.assert_allclose(bend.tangent, slopes.T, atol=2e-3)
    assert np.abs(bend.tangent - np.eye(bent.n_latent)).max() > 0.05


def test_the_gradient_of_the_cost_is_right_and_the_analysis_is_its_minimum(bent):
    _, problem = prepared(bent)
    fit = DecodedCost(problem)
    rng = np.random.default_rng(1)
    zeta = rng.standard_normal(bent.n_latent)
    cost, gradient = fit.value_and_gradient(zeta)
    for _ in range(4):
        step = 1e-2 * rng.standard_normal(zeta.size)
        slope = (
            fit.value_and_gradient(zeta + step)[0] - fit.value_and_gradient(zeta - step)[0]
        ) / 2
        assert slope == pytest.approx(float(gradient @ step), rel=0.02, abs=2e-4 * cost)
    least, _ = minimum(problem)
    lowest = fit.value_and_gradient(least)[0]
    for _ in range(8):
        aside = least + 0.1 * rng.standard_normal(least.size)
        assert fit.value_and_gradient(aside)[0] > lowest


def test_nothing_observed_returns_the_middle_of_the_prior(bent):
    analysis = Assimilator(bent).run(table(bent).iloc[:0], 7, prior="flow")
    centre = bent.prior("flow").transport(7).forward(torch.zeros(1, bent.n_latent))
    share = bent.settings.hybrid(0)
    np.testing.assert_allclose(analysis.z, np.sqrt(share) * centre.detach().numpy()[0], atol=1e-4)
    np.testing.assert_array_equal(analysis.anomalies, analysis.background)
    assert np.abs(analysis.z).max() > 0.05


def test_the_cost_of_a_latent_vector_is_that_of_the_minimisation(bent):
    observations = table(bent, 10)
    engine = Assimilator(bent)
    analysis = engine.run(observations, 7, prior="flow")
    found = engine.cost_of(analysis.z, observations, 7, prior="flow")
    assert found.total == pytest.approx(analysis.cost.total, rel=1e-3)
    plain = engine.run(observations, 7)
    assert engine.cost_of(plain.z, observations, 7).total == pytest.approx(plain.cost.total)
    assert np.nanmax(np.abs(analysis.anomalies - plain.anomalies)) > 0.02


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["laplace", "perturbed", "multistart"])
def test_members_have_the_latent_vectors_of_the_bent_prior(bent, sampler):
    ensemble = Assimilator(bent).ensemble(
        table(bent).iloc[:0], 7, prior="flow", sampler=sampler, members=400
    )
    _, problem = prepared(bent, count=0)
    away = (ensemble.z - problem.z_b) @ np.linalg.inv(problem.gain.prior.turn).T
    zeta = problem.gain.prior.bend.zeta(away)
    np.testing.assert_allclose(zeta.mean(axis=0), 0.0, atol=0.2)
    np.testing.assert_allclose(np.cov(zeta.T), np.eye(bent.n_latent), atol=0.3)
    # In the latent vector itself they are not normal.
    assert np.abs(ensemble.z - problem.z_b - zeta @ problem.gain.prior.turn.T).max() > 0.1


def test_where_the_sea_is_observed_the_sea_network_is_the_prior(bent):
    sea = bent.sea_row
    rows, columns = np.nonzero(bent.mask[sea])
    observations = table(bent, 1).iloc[[0] * rows.size].reset_index(drop=True)
    observations = observations.assign(
        variable="tos",
        lat=bent.grid.lat[rows],
        lon=bent.grid.lon[columns],
        value=0.1,
        error_sd=0.05,
    )
    engine = Assimilator(bent)
    plain, flow = (engine.run(observations, 7, prior=prior) for prior in ("gaussian", "flow"))
    assert plain.sea_held
    np.testing.assert_array_equal(flow.anomalies, plain.anomalies)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"prior": "guess"}, PriorError, "no prior 'guess'"),
        ({"prior": "diffusion"}, StateError, "sampler guided"),
        ({"prior": "flow", "method": "enoi"}, StateError, "leave prior out"),
    ],
)
def test_what_no_analysis_can_be_made_with_is_refused(bent, settings, error, words):
    with pytest.raises(error, match=words):
        Assimilator(bent).run(table(bent, 6), 7, **settings)


def test_a_missing_flow_is_asked_for(tmp_path):
    bundle = make_small(tmp_path, curved=0.0)
    with pytest.raises(BundleError, match="mlda prior train"):
        Assimilator(bundle).run(table(bundle, 6), 7, prior="flow")


def test_the_latent_vector_of_reports_is_that_of_the_decoded_state(bent):
    reports = kind_rows(bent, "tas,50,10,much colder,,report,,\ntas,45,30,colder,,report,,\n")
    found = Assimilator(bent).run(reports, 7, prior="flow")
    at = [v.name for v in bent.variables].index("tas")
    np.testing.assert_allclose(
        found.latent_only[at], bent.decode_anomalies(found.z, 7)[at], atol=1e-3
    )


@pytest.mark.slow
def test_members_about_the_mode_of_reports_have_the_bent_latent_vector(bent):
    reports = kind_rows(bent, "tas,50,10,much colder,,report,,\ntas,45,30,colder,,report,,\n")
    engine = Assimilator(bent)
    problem, _ = engine.prepared(reports, 7, prior="flow")
    draws = engine.draws.of(problem, 3, 0)
    parts = ("zeta", "error", "error_at", "noise")
    still = replace(draws, **{name: 0 * getattr(draws, name) for name in parts})
    *_, last = SAMPLERS["multistart"].sample(problem, still)
    zeta = problem.modes[0].zeta
    np.testing.assert_allclose(last.sampled.z, [problem.latent(zeta)] * 3, atol=0.02)
    straight = problem.z_b + problem.gain.prior.turn @ zeta
    assert np.abs(problem.latent(zeta) - straight).max() > 0.1

"""Samplers against NUTS on a curved decoder of a small climate."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table
from nuts import index_of, sample
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.posterior import draws_cache as draws_module
from mlda_core.assimilation.validation import setting_of
from mlda_core.observations.standardised import standardise
from mlda_core.observations.table import read

pytestmark = pytest.mark.slow

HEAD = "variable,lat,lon,value,error_sd,kind,area\n"
INDICES = f"{HEAD}psl,,,0,1,mean,north\ntas,,,0,1,mean,tropics\n"
REPORTS = (
    "tas,50,10,much colder,,report,\ntas,45,30,colder,,report,\ntas,-20,100,warm,,report,\n"
    "psl,55,0,2,1,lower_bound,\npsl,30,20,1,1,,\n"
)


@pytest.mark.parametrize("what", ["values", "reports"])
def test_perturbed_members_agree_with_nuts(tmp_path, monkeypatch, what):
    """Means of z and of indices within their sampling errors, spreads within a tenth or so."""
    bundle = make_small(tmp_path, curved=0.03)
    observations = (
        table(bundle, 6) if what == "values" else read(HEAD + REPORTS, bundle, month=7).table
    )
    # The model that NUTS samples has the prior as it is.
    ones = np.ones(len(bundle.variables))
    monkeypatch.setattr(draws_module, "scale_of", lambda _: ones)
    engine = Assimilator(bundle)
    observed = standardise(observations, bundle, 7)
    problem = engine.preparation.problem(observed, np.arange(len(observed)), 7, setting_of({}))
    reference = sample(bundle, problem, draws=100, warmup=30)
    z = problem.z_b + reference.zeta @ problem.gain.prior.turn.T
    ensemble = engine.ensemble(observations, 7, sampler="perturbed", members=300)
    error = np.sqrt(1 / 100 + 1 / 300)
    away = (ensemble.z.mean(axis=0) - z.mean(axis=0)) / z.std(axis=0)
    assert np.sqrt(np.mean(away**2)) < 2.5 * error
    assert np.sqrt(np.mean(ensemble.z.var(axis=0)) / np.mean(z.var(axis=0))) == pytest.approx(
        1.0, abs=0.2
    )
    rows = read(INDICES, bundle, month=7).table
    mean, sd = index_of(bundle, problem, reference, rows)
    shown = standardise(rows, bundle, 7).likelihoods.shown
    at = bundle.operator.apply(shown, ensemble.anomalies)
    assert np.abs((at.mean(axis=0) - mean) / sd).max() < 4 * error
    assert np.abs(at.std(axis=0) / sd - 1).max() < 0.3

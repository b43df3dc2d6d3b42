"""From the observations of a state to its analysis, and what is made from that."""

import numpy as np
import pandas as pd
import pytest

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.page_state.analyses import AnalysisRequest, engine_of, remainder
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.tables import resolve

OBSERVED = ObservationSettings(count=20)


@pytest.fixture(scope="module")
def request_of_it(world):
    month = world.months[-1]
    return AnalysisRequest.of(month, resolve(OBSERVED, world, month).plain, OBSERVED)


def test_an_engine_is_shared_by_all_visits(speedy):
    assert engine_of(speedy) is engine_of(speedy)


def test_a_request_knows_which_variables_it_is_given():
    table = pd.DataFrame({"variable": ["psl", "tas", "tas"], "withheld": [True, False, True]})
    made = AnalysisRequest("1997-12", table, "eof", True, 2.0)
    assert made.assimilated == {"tas"}
    assert made.settings == {"method": "eof", "residual": True, "localisation": 2.0}
    assert made != AnalysisRequest("1997-12", table, "eof", True, 2.0), "a task is itself alone"


def test_an_analysis_and_what_follows_are_the_librarys(world, request_of_it):
    made, engine = request_of_it.analysis(world), Assimilator(world)
    own = engine.run(request_of_it.observations, request_of_it.month)
    np.testing.assert_array_equal(made.anomalies, own.anomalies)
    assert request_of_it.first(3, world).observations.shape[0] == 3
    one = request_of_it.influence(2, world)
    other = engine.influence(request_of_it.observations, request_of_it.month, 2)
    np.testing.assert_array_equal(one, other)
    assert request_of_it.cost(made.z, world).total > 0
    ensemble = request_of_it.ensemble(world, "perturbed")
    np.testing.assert_array_equal(ensemble.analysis.anomalies, made.anomalies)
    assert ensemble.sampler == "perturbed"
    *_, last = request_of_it.ensemble_steps(world, "laplace")
    assert last.ensemble.sampler == "laplace"
    assert not np.array_equal(last.ensemble.anomalies, ensemble.anomalies)


def test_step_by_step_it_begins_with_the_background(world, request_of_it):
    first = next(iter(request_of_it.steps(world, stepwise=True)))
    usual = next(iter(request_of_it.steps(world)))
    assert not np.array_equal(first.fields, usual.fields)


def test_what_an_analysis_has_beyond_its_latent_vector(world, request_of_it):
    made = request_of_it.analysis(world)
    decoded = world.decode_anomalies(made.z, made.month)
    there = world.mask
    np.testing.assert_allclose(
        (decoded + remainder(made, world))[there], made.anomalies[there], rtol=1e-5, atol=1e-5
    )

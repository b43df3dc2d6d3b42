"""From the changes of the sea of a state to the response."""

import numpy as np
import pytest

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.climate.regions import REGIONS
from mlda_core.page_state.analyses import engine_of
from mlda_core.page_state.perturbations import FIRST, PerturbationSettings
from mlda_core.page_state.responses import (
    ResponseRequest,
    SensitivityRequest,
    answer_to,
    responder_of,
    sensitive_variable,
    sensitivity_to,
)


def test_what_the_analysis_without_a_change_depends_on():
    """Not on an amount, unless the patches say where nothing is held."""
    one = ResponseRequest("1997-12", (FIRST,), "sst_only", "")
    other = ResponseRequest("1997-12", (), "sst_only", "nino34")
    assert one.control == other.control
    assert one.settings == other.settings == {"held": "sst_only", "region": None}
    free, patched = (
        ResponseRequest("1997-12", (FIRST,), "outside", within) for within in ("nino34", "")
    )
    assert free.control != patched.control
    assert free.settings["region"] == REGIONS["nino34"]
    assert patched.settings["region"] is None
    assert patched.control != ResponseRequest("1997-12", (), "outside", "").control


def test_responses_are_shared_and_of_the_analyses_own_engine(speedy):
    assert responder_of(speedy) is responder_of(speedy)
    assert responder_of(speedy).assimilator is engine_of(speedy)


def test_an_engine_that_is_made_anew_is_the_responses_too(speedy, monkeypatch):
    before, anew = responder_of(speedy), Assimilator(speedy)
    monkeypatch.setattr("mlda_core.page_state.responses.engine_of", lambda _: anew)
    assert responder_of(speedy) is not before
    assert responder_of(speedy).assimilator is anew


def test_a_state_asks_for_what_it_says(speedy):
    settings = PerturbationSettings(held="outside", within="nino34", variable="nosuch")
    asked = ResponseRequest.of("1997-12", settings)
    assert asked == ResponseRequest("1997-12", (FIRST,), "outside", "nino34")
    aim = SensitivityRequest.of("1997-12", settings, speedy)
    assert (aim.variable, aim.over) == ("tas", "north_atlantic")
    assert sensitive_variable(settings.replace(variable="pr"), speedy) == "pr"


@pytest.mark.slow
def test_response_and_sensitivity_are_the_librarys(speedy):
    settings = PerturbationSettings(variable="tas", over="tropics")
    asked = ResponseRequest.of("1997-12", settings)
    made = answer_to(speedy, asked)
    plain = responder_of(speedy).respond("1997-12", [FIRST], "sst_only")
    np.testing.assert_array_equal(made.response.anomalies, plain.anomalies)
    np.testing.assert_array_equal(made.spread, plain.spread)
    found = sensitivity_to(speedy, SensitivityRequest.of("1997-12", settings, speedy))
    own = responder_of(speedy).sensitivity("1997-12", "tas", REGIONS["tropics"], "sst_only")
    np.testing.assert_array_equal(found.smooth, own.smooth)

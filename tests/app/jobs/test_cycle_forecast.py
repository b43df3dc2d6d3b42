"""A forecast of members from an analysis."""

import numpy as np
import pytest

from app.jobs.cycle_forecast import MEMBERS, ForecastRequest, forecast_from
from mlda_core.climate.errors import UserError
from mlda_core.page_state.cycle_runs import CycleRequest, days_from, run_of

RUN = CycleRequest("3dvar", 30, "1984-03-01")


@pytest.fixture(scope="module")
def day(cycled):
    return run_of(cycled, RUN).day(2)


def request_of(bundle):
    return ForecastRequest(RUN, 2, 1, days_from(bundle, RUN.first)[2:6])


def test_members_begin_as_far_apart_as_the_method_expects(cycled, day):
    made = list(forecast_from(cycled, request_of(cycled), day.analysis, day.spread))
    assert [fields.shape for fields in made] == [(1 + MEMBERS, *cycled.grid.shape)] * 4
    spread = made[0][1:].std(axis=0, ddof=1).mean()
    season = cycled.seasons.of("1984-03-03")
    expected = (day.spread[1] * cycled.normaliser.spread[season - 1][1]).mean()
    assert 0.7 < spread / expected < 1.3
    # The unperturbed one starts from the analysis itself.
    start = cycled.climatology(season)[1] + 0.0
    anomaly = made[0][0] - start
    x = day.analysis[1].astype(float) * cycled.normaliser.spread[season - 1][1]
    assert np.corrcoef(anomaly.ravel(), x.ravel())[0, 1] > 0.99


def test_a_method_without_a_spread_is_refused(cycled, day):
    with pytest.raises(UserError, match="choose another for a forecast"):
        next(forecast_from(cycled, request_of(cycled), day.analysis, None))

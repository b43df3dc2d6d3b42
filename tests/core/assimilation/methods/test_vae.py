"""The search of the decoder's latent space."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.observations.standardised import MOST_OBSERVATIONS


def test_latent_only_is_the_minimum_over_z_alone(linear):
    observations = table(linear)
    analysis = Assimilator(linear).run(observations, 7, method="vae_latent_only")
    decoded = linear.decode_anomalies(analysis.z, 7)
    # Rain is a mean over another spread; the other variables are the decoded state itself.
    np.testing.assert_allclose(analysis.anomalies[:3], decoded[:3], atol=1e-3)
    switched = Assimilator(linear).run(observations, 7, residual=False)
    np.testing.assert_array_equal(switched.standardised, analysis.standardised)


@pytest.mark.slow
def test_an_observed_sea_sets_the_background(bundled):
    engine = Assimilator(bundled)
    row = bundled.sea_row
    rows, columns = np.nonzero(bundled.mask[row])
    target = bundled.target("1984-01")
    every = pd.DataFrame(
        {
            "variable": bundled.variables[row].name,
            "lat": bundled.grid.lat[rows],
            "lon": bundled.grid.lon[columns],
            "value": target[row, rows, columns],
            "error_sd": 0.2,
            "withheld": False,
            "label": "",
        }
    )
    held = engine.run(every, "1984-01")
    assert held.sea_held
    assert held.statistics.n_used <= MOST_OBSERVATIONS
    assert held.statistics.n_used + held.statistics.n_thinned == len(every)
    assert not engine.run(every.iloc[::40].reset_index(drop=True), "1984-01").sea_held
    assert not engine.run(every, "1984-01", sea_prior=False).sea_held
    # Rain of the tropics over an observed sea: what the network is for.
    w = bundled.normaliser.weights[3] * (np.abs(bundled.grid.lat) < 30)[:, None]
    lost = np.nansum(w * (held.anomalies[3] - target[3]) ** 2)
    assert 1 - lost / np.nansum(w * target[3] ** 2) > 0.05


@pytest.mark.slow
def test_a_sea_observed_badly_sets_no_background(bundled):
    row = bundled.sea_row
    rows, columns = np.nonzero(bundled.mask[row])
    every = pd.DataFrame(
        {
            "variable": bundled.variables[row].name,
            "lat": bundled.grid.lat[rows][::3],
            "lon": bundled.grid.lon[columns][::3],
            "value": 1.0,
            "error_sd": 4.0,
            "withheld": False,
            "label": "",
        }
    )
    engine = Assimilator(bundled)
    assert not engine.run(every, 1).sea_held
    assert engine.run(every.assign(error_sd=0.1), 1).sea_held

"""What an analysis tells of itself."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.climate.errors import StateError


@pytest.mark.slow
def test_an_analysis_prints_in_a_few_lines(curved):
    engine, given = Assimilator(curved), table(curved)
    given.loc[0, "withheld"] = True
    found = engine.run(given, "1982-07", method="vae-latent-only")
    lines = repr(found).splitlines()
    assert len(lines) == 2
    assert lines[0] == f"<Analysis of 1982-07 by vae-latent-only, bundle {curved.name};"
    assert f"{len(given) - 1} used, 1 withheld; cost {found.cost.total:.1f} (prior" in lines[1]
    assert f"chi-squared {found.statistics.chi_squared:.2f}" in lines[1]
    assert found.method == "vae_latent_only"
    # Nor does a step print its fields.
    *_, step = engine.steps(given, 7)
    assert "Analysis of calendar month 7 by vae" in repr(step)
    assert len(repr(step)) < 1000


@pytest.mark.slow
def test_an_analysis_is_a_dataset_by_itself(curved):
    engine, given = Assimilator(curved), table(curved)
    found = engine.run(given, "1982-07")
    data = found.to_dataset()
    assert str(data["time"].values[0])[:7] == "1982-07"
    tas = curved.variables[2]
    np.testing.assert_allclose(
        data["tas_anomaly"][0], found.anomalies[2] / tas.scale, rtol=1e-5, atol=1e-6
    )
    assert data["tas"].attrs["units"] == tas.units
    assert float(data["cost_prior"][0]) == found.cost.prior
    # Of a calendar month somebody has to say the year, and no other month than its own.
    climate = engine.run(given, 7)
    with pytest.raises(StateError, match="calendar month 7 of no year"):
        climate.to_dataset()
    for wrong in ("1982-08", "7", "July 1982"):
        with pytest.raises(StateError, match="not what the analysis is of"):
            climate.to_dataset(wrong)
    assert str(climate.to_dataset("2001-07")["time"].values[0])[:7] == "2001-07"

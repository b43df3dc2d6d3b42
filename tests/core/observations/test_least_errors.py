"""Errors that are raised to the least that the model can use."""

from __future__ import annotations

import numpy as np
import pytest
from observation_tables import HEAD, MONTH, lines, told

from mlda_core.observations.standardised import LEAST_ERROR, standardise
from mlda_core.observations.table import read


def test_an_error_that_is_raised_is_told_with_what_it_becomes(bundle):
    rows = [
        "psl,50,10,2,0.1",
        "psl,10,100,2,0.02",
        "psl,60,20,2,3",
        "psl,30,20,2,",
        "tas,50,10,2,1",
    ]
    found = read(lines(f"{HEAD},error_sd", *rows), bundle, month=MONTH)
    # The standardised error is the stated one over the local spread.
    tiny = found.table.assign(error_sd=1.0)
    spread = 1.0 / np.sqrt(standardise(tiny, bundle, 12).variance)
    change = LEAST_ERROR * spread - found.table["error_sd"]
    assert (change[:2] > 0).all()
    at = int(np.argmax(change))
    told(
        found,
        "2 stated errors of psl are raised to the least that the model can use",
        f"{LEAST_ERROR:g} of the local spread: at most from {rows[at].split(',')[-1]} to "
        f"{LEAST_ERROR * spread[at]:.3g} hPa.",
    )
    assert found.table["error_sd"][0] == 0.1


def test_an_error_of_rain_is_raised_through_its_transform(bundle):
    found = read(lines(f"{HEAD},error_sd", "pr,0,10,0.5,0.001"), bundle, month=MONTH)
    told(found, "1 stated error of pr is raised")
    used = float(next(n for n in found.notes if "raised" in n).split(" to ")[-1].split()[0])
    made = standardise(found.table.assign(error_sd=used), bundle, 12)
    assert np.sqrt(made.variance[0]) == pytest.approx(LEAST_ERROR, rel=0.01)

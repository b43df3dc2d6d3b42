"""Monthly means of reports in boxes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlda_core.observations.archives.boxes import monthly_means


def test_monthly_means_of_boxes_have_the_standard_error_of_their_reports():
    rng = np.random.default_rng(0)
    many, few = 290 + rng.standard_normal(25), 280 + rng.standard_normal(4)
    table = pd.DataFrame(
        {
            "variable": "tos",
            "lat": [41.0] * 25 + [43.5] * 3 + [-90.0],
            "lon": [-0.5] * 25 + [359.0, 358.5, -1.0, 0.0],
            "value": [*many, *few],
            "kind": "absolute",
            "units": "K",
            "time": "1899-01",
            "label": "ship",
        }
    )
    means, unknown = monthly_means(table, 2.0)
    assert unknown == 0
    assert list(means["reports"]) == [1, 25, 3]
    np.testing.assert_allclose(means["value"], [few[3], many.mean(), few[:3].mean()])
    np.testing.assert_allclose(means["lat"], [-90.0, 41.0, 43.5])
    np.testing.assert_allclose(means["lon"], [0.0, 359.5, (359.0 + 358.5 + 359.0) / 3])
    pooled = np.sqrt((24 * many.var(ddof=1) + 2 * few[:3].var(ddof=1)) / 26)
    expected = [pooled, many.std(ddof=1) / 5, pooled / np.sqrt(3)]
    np.testing.assert_allclose(means["error_sd"], expected)
    assert list(means["label"])[1] == "40 to 42N, 358 to 360E"
    # Of months, variables and boxes by themselves; and a single report knows no error.
    alone, unknown = monthly_means(table.iloc[-1:].assign(time="1899-02"), 2.0)
    assert (unknown, len(alone), alone["error_sd"].isna().all()) == (1, 1, True)

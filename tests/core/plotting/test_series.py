"""Series of months, with bands of their spread."""

import holoviews as hv
import numpy as np
import pytest

from mlda_core.plotting import series
from mlda_core.plotting.look import PlotError

BACKENDS = ("bokeh", "matplotlib")


MONTHS = ["1997-11", "1997-12", "1998-01"]


def by_label(overlay, kind):
    return {layer.label: layer for layer in overlay if isinstance(layer, kind)}


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_series_has_a_band_of_its_spread_either_side(backend):
    drawn = series(
        MONTHS,
        {"target": [1.0, 2.0, np.nan], "model": [1.5, 2.5, 3.0]},
        spread={"model": [0.5, 1.0, 0.25]},
        units="K",
        title="Nino 3.4",
        backend=backend,
    )
    lines = by_label(drawn, hv.Curve)
    assert np.isnan(lines["target"].dimension_values("value")[2])
    months = lines["model"].dimension_values("time").astype("datetime64[M]").astype(str)
    assert months.tolist() == MONTHS
    assert lines["model"].vdims[0].pprint_label == "Nino 3.4 (K)"
    (band,) = [x for x in drawn if isinstance(x, hv.Area)]
    assert band.dimension_values(1) == pytest.approx([1.0, 1.5, 2.75])
    assert band.dimension_values(2) == pytest.approx([2.0, 3.5, 3.25])
    assert hv.render(drawn, backend=backend) is not None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"lines": {"a": [1.0]}}, "'a' has 1 months of 3"),
        ({"lines": {"a": [1.0] * 3}, "spread": {"b": [1.0] * 3}}, "no line 'b' for its spread"),
        ({"lines": {"a": [1.0] * 3}, "spread": {"a": [1.0, -1.0, 1.0]}}, "'a' .*below 0"),
        ({"lines": {}}, "no line"),
        ({"months": ["1997-11", "x", "1998"], "lines": {"a": [1.0] * 3}}, "'x' is no month"),
    ],
)
def test_series_that_do_not_fit_are_refused(given, sentence):
    with pytest.raises(PlotError, match=sentence):
        series(given.pop("months", MONTHS), given.pop("lines"), units="K", **given)

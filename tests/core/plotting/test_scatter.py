"""A scatter counts cells by pixel."""

import holoviews as hv
import numpy as np
import pytest

from mlda_core.climate.variables import DEFAULTS
from mlda_core.plotting import look_of, scatter
from mlda_core.plotting.look import PlotError

BACKENDS = ("bokeh", "matplotlib")


LOOK = look_of(DEFAULTS["psl"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_scatter_counts_every_pair(backend):
    rng = np.random.default_rng(0)
    x, y = 4 * rng.standard_normal((2, 40, 50))
    x[0, 0], y[1, 1], x[2, 2] = np.nan, np.nan, 99.0
    drawn = scatter(x, y, LOOK, labels=("Target", "Analysis"), backend=backend)
    counts = drawn.get(0)
    # The one beyond the limits lies at the edge, the two without a partner are left out.
    assert np.nansum(counts.dimension_values("cells", flat=False)) == 1998
    assert [d.pprint_label for d in counts.kdims] == ["Target (hPa)", "Analysis (hPa)"]
    assert counts.range("x") == pytest.approx((-12.0, 12.0))
    assert hv.render(drawn, backend=backend) is not None


def test_a_scatter_of_two_shapes_is_refused():
    with pytest.raises(PlotError, match=r"shapes \(3,\) and \(4,\)"):
        scatter(np.zeros(3), np.zeros(4), LOOK)

"""Both backends, whichever was loaded first."""

import holoviews as hv
import numpy as np
import pytest
from matplotlib.colors import to_hex

from mlda_core.climate.variables import DEFAULTS
from mlda_core.plotting import cost_curve, densities, look_of, scatter, series
from mlda_core.plotting.look import COLOURS, PlotError

BACKENDS = ("bokeh", "matplotlib")


LOOK = look_of(DEFAULTS["psl"])


MONTHS = ["1997-11", "1997-12", "1998-01"]


def test_areas_have_the_colours_of_their_lines_whichever_backend_was_loaded_first():
    def of_fills(drawn):
        collections = hv.render(drawn, backend="matplotlib").axes[0].collections
        return [to_hex(c.get_facecolor()[0]) for c in collections]

    for backend in BACKENDS:
        band = series(MONTHS, {"a": [1.0] * 3}, spread={"a": [1.0] * 3}, units="K", backend=backend)
        both = densities((0.0, 2.0), (1.0, 0.5), units="K", backend=backend)
    assert of_fills(band) == [COLOURS[0].lower()]
    assert of_fills(both) == ["#999999", COLOURS[1].lower()]


@pytest.mark.parametrize(
    "draw",
    [
        lambda b: scatter(np.zeros(3), np.zeros(3), LOOK, backend=b),
        lambda b: series(MONTHS, {"a": [1.0] * 3}, units="K", backend=b),
        lambda b: densities((0, 1), (0, 1), units="K", backend=b),
        lambda b: cost_curve((1.0,), backend=b),
    ],
)
def test_an_unknown_backend_is_refused_by_all(draw):
    with pytest.raises(PlotError, match="no backend 'plotly'"):
        draw("plotly")

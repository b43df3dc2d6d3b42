"""Prior and posterior as densities."""

import holoviews as hv
import numpy as np
import pytest

from mlda_core.plotting import densities
from mlda_core.plotting.look import PlotError

BACKENDS = ("bokeh", "matplotlib")


def by_label(overlay, kind):
    return {layer.label: layer for layer in overlay if isinstance(layer, kind)}


@pytest.mark.parametrize("backend", BACKENDS)
def test_densities_are_normal_and_the_target_is_told(backend):
    drawn = densities((0.0, 2.0), (1.0, 0.5), units="K", target=1.2, backend=backend)
    lines = by_label(drawn, hv.Curve)
    for name, mean, sd in (("prior", 0.0, 2.0), ("posterior", 1.0, 0.5)):
        value, density = (lines[name].dimension_values(k) for k in ("value", "density"))
        assert np.trapezoid(density, value) == pytest.approx(1.0, abs=2e-3)
        assert value[density.argmax()] == pytest.approx(mean, abs=0.05)
        assert density.max() == pytest.approx(1 / (sd * np.sqrt(2 * np.pi)), rel=1e-2)
    assert set(lines["target"].dimension_values("value")) == {1.2}
    assert lines["prior"].vdims[0].pprint_label == "Probability density (1/K)"
    assert hv.render(drawn, backend=backend) is not None


@pytest.mark.parametrize("pair", [(0.0, 0.0), (0.0, -1.0), (np.nan, 1.0), (0.0, np.inf)])
def test_a_density_without_a_spread_is_refused(pair):
    with pytest.raises(PlotError, match="the prior"):
        densities(pair, (0.0, 1.0), units="K")

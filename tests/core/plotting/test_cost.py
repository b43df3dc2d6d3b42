"""The cost, step by step."""

import holoviews as hv
import pytest

from mlda_core.plotting import cost_curve
from mlda_core.plotting.look import PlotError

BACKENDS = ("bokeh", "matplotlib")


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_cost_is_drawn_step_by_step(backend):
    drawn = cost_curve((30.0, 12.0, 11.5), backend=backend)
    assert drawn.dimension_values("cost").tolist() == [30.0, 12.0, 11.5]
    assert drawn.dimension_values("step").tolist() == [0, 1, 2]
    assert hv.render(drawn, backend=backend) is not None


def test_the_cost_of_a_closed_form_is_refused():
    with pytest.raises(PlotError, match="closed form"):
        cost_curve(())

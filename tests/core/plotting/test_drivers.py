"""Contributions of the basins."""

from types import SimpleNamespace

import holoviews as hv
import pytest

from mlda_core.plotting import driver_bars

BACKENDS = ("bokeh", "matplotlib")


@pytest.mark.parametrize("backend", BACKENDS)
def test_drivers_are_bars_the_greatest_at_the_top(backend):
    parts = [
        SimpleNamespace(label="Tropical Pacific", contribution=0.8),
        SimpleNamespace(label="Indian Ocean", contribution=-0.3),
    ]
    account = SimpleNamespace(
        parts=parts,
        remainder=0.1,
        units="mm/day",
        variable="pr",
        region=SimpleNamespace(label="Box"),
        month="1998-12",
        value=0.6,
    )
    drawn = driver_bars(account, backend=backend)
    assert drawn.dimension_values("basin").tolist() == [
        "remainder",
        "Indian Ocean",
        "Tropical Pacific",
    ]
    assert drawn.dimension_values("contribution").tolist() == [0.1, -0.3, 0.8]
    assert drawn.vdims[0].pprint_label == "Contribution (mm/day)"
    assert hv.render(drawn, backend=backend) is not None

"""Scatter, series, densities, cost and drivers."""

from types import SimpleNamespace

import holoviews as hv
import numpy as np
import pytest
from matplotlib.colors import to_hex

from mlda_core.climate.variables import DEFAULTS
from mlda_core.plotting import cost_curve, densities, driver_bars, look_of, scatter, series
from mlda_core.plotting.look import COLOURS, PlotError

BACKENDS = ("bokeh", "matplotlib")
LOOK = look_of(DEFAULTS["psl"])
MONTHS = ["1997-11", "1997-12", "1998-01"]


def by_label(overlay, kind):
    return {layer.label: layer for layer in overlay if isinstance(layer, kind)}


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


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_cost_is_drawn_step_by_step(backend):
    drawn = cost_curve((30.0, 12.0, 11.5), backend=backend)
    assert drawn.dimension_values("cost").tolist() == [30.0, 12.0, 11.5]
    assert drawn.dimension_values("step").tolist() == [0, 1, 2]
    assert hv.render(drawn, backend=backend) is not None


def test_the_cost_of_a_closed_form_is_refused():
    with pytest.raises(PlotError, match="closed form"):
        cost_curve(())


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

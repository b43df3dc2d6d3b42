"""States, analyses and responses: a row a variable, one scale a row."""

import sys

import holoviews as hv
import numpy as np
import pytest

from mlda_core.climate.errors import ExtraError
from mlda_core.plotting import Cells, Look, plot_analysis, state_maps
from mlda_core.plotting.look import PlotError


def titles(layout, backend="bokeh"):
    found = [hv.Store.lookup_options(backend, plot, "plot").kwargs["title"] for plot in layout]
    return np.array(found).reshape(-1, layout._max_cols)


def rows_of(layout):
    plots, wide = list(layout), layout._max_cols
    return [plots[i : i + wide] for i in range(0, len(plots), wide)]


def limits(plot, backend="bokeh"):
    (cells,) = plot.traverse(lambda x: x, [Cells])
    return hv.Store.lookup_options(backend, cells, "plot").kwargs["clim"]


def dots(plot):
    return [p for p in plot if type(p).__name__ == "Points" and not p.label]


@pytest.mark.slow
def test_an_analysis_shows_target_observations_and_spread(analysis):
    layout = analysis.plot()
    assert layout._max_cols == 5
    head = titles(layout)[0].tolist()
    assert head[:4] == [
        f"{c}: Sea-level pressure" for c in ("Target", "Analysis", "Increment", "Spread")
    ]
    rows = rows_of(layout)
    bundle = analysis.bundle
    for v, row in enumerate(rows):
        assert limits(row[0]) == limits(row[1]) == limits(row[2])
        assert limits(row[3])[0] == 0
        for plot, state in zip(row, (bundle.target("1982-07"), analysis.anomalies), strict=False):
            (cells,) = plot.traverse(lambda x: x, [Cells])
            shown = cells.dimension_values("value", flat=False)
            assert np.allclose(shown, state[v], equal_nan=True)
    told = {p.label for p in rows[0][0] if p.label}
    used = analysis.observations.query("variable == 'psl' and used").shape[0]
    assert f"used ({used})" in told
    assert any(label.startswith("withheld") for label in told)
    assert not any(p.label for p in rows[1][0])


@pytest.mark.slow
def test_an_analysis_of_an_unknown_truth_shows_its_background(analysis):
    layout = plot_analysis(analysis, target=False, stippled_above=0.0)
    assert titles(layout)[0, 0] == "Background: Sea-level pressure"
    rows = rows_of(layout)
    # All is less than known: stippled in analysis and increment alone.
    assert [len(dots(plot)) for plot in rows[0]] == [0, 1, 1, 0]
    assert len(dots(rows[0][1])[0]) > len(dots(list(analysis.plot())[1])[0])


def test_a_response_is_stippled_where_a_month_leaves_more_open(response):
    layout = response.plot(backend="matplotlib")
    assert titles(layout, "matplotlib")[0].tolist() == [
        f"{c}: Sea-level pressure" for c in ("Control", "Perturbed", "Response")
    ]
    rows = rows_of(layout)
    assert limits(rows[0][2], "matplotlib") == (-3.0, 3.0)
    small = np.abs(response.anomalies) < response.spread
    grid = response.bundle.grid
    for v, row in enumerate(rows):
        assert [len(dots(plot)) for plot in row] == [0, 0, 1]
        (found,) = dots(row[2])
        for lon, lat in zip(
            found.dimension_values("lon"), found.dimension_values("lat"), strict=True
        ):
            i, j = np.abs(grid.lat - lat).argmin(), np.abs(grid.lon - lon).argmin()
            assert small[v, i, j]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
def test_an_analysis_is_rendered_whole(analysis, backend):
    assert hv.render(analysis.plot(backend=backend), backend=backend) is not None


def test_a_wind_lies_over_the_other_variables(state, field):
    state.vectors = (("tos", "tas"),)
    columns = {"A": (np.stack([field] * 4), "anomaly"), "B": (np.stack([field] * 4), "spread")}
    rows = rows_of(state_maps(state, columns))
    arrows = [["VectorField" in {type(x).__name__ for x in plot} for plot in row] for row in rows]
    assert arrows == [[True, False], [False, False], [False, False], [True, False]]


def test_arrows_of_one_kind_have_one_scale(state, field):
    state.vectors = (("tos", "tas"),)
    strong = np.stack([field] * 4)
    columns = {"A": (strong, "anomaly"), "B": (strong / 4, "anomaly"), "C": (strong, "difference")}
    first = rows_of(state_maps(state, columns))[0]
    arrows = [next(x for x in plot if type(x).__name__ == "VectorField") for plot in first]
    scales = [hv.Store.lookup_options("bokeh", x, "style").kwargs["scale"] for x in arrows]
    assert scales[0] == scales[1] == scales[2]
    alone = state_maps(state, {"B": (strong / 4, "anomaly")})
    (weak,) = [x for x in rows_of(alone)[0][0] if type(x).__name__ == "VectorField"]
    assert hv.Store.lookup_options("bokeh", weak, "style").kwargs["scale"] == pytest.approx(
        scales[0] / 4
    )


def test_a_state_that_does_not_fit_is_refused(state, field):
    with pytest.raises(PlotError, match=r"'A' has the shape \(8, 16\); give one of \(4, 8, 16\)"):
        state_maps(state, {"A": (field, "anomaly")})


def test_a_scatter_of_a_column_that_is_not_there_is_refused(state, field):
    columns = {"A": (np.stack([field] * 4), "anomaly")}
    with pytest.raises(PlotError, match="no column 'B' for the scatter; use two of A"):
        state_maps(state, columns, with_scatter=("A", "B"))


@pytest.mark.parametrize("name", ["analysis", "response"])
def test_without_the_extra_a_sentence_names_it(name, request, monkeypatch):
    made = request.getfixturevalue(name)
    monkeypatch.setitem(sys.modules, "mlda_core.plotting", None)
    with pytest.raises(ExtraError, match=r"needs the extra 'plot'.*mlda-climate\[plot\]"):
        made.plot()


def test_looks_of_ones_own_give_titles_limits_and_stipples(state, field):
    looks = [Look(f"Mine {i}", "K", "viridis", (-i - 1.0, i + 1.0)) for i in range(4)]
    columns = {"A": (np.stack([field] * 4), "anomaly"), "B": (np.stack([field] * 4), looks)}
    little = np.stack([field > 0] * 4)
    layout = state_maps(state, columns, stippled={"B": little}, variables=("tos", "pr"))
    rows = rows_of(layout)
    assert len(rows) == 2
    assert titles(layout)[:, 1].tolist() == ["Mine 1", "Mine 3"]
    assert [limits(row[1]) for row in rows] == [(-2.0, 2.0), (-4.0, 4.0)]
    assert [len(dots(plot)) for plot in rows[0]] == [0, 1]


def test_arrows_can_be_left_out(state, field):
    state.vectors = (("tos", "tas"),)
    columns = {"A": (np.stack([field] * 4), "anomaly")}
    for plot in state_maps(state, columns, arrows=False):
        assert "VectorField" not in {type(x).__name__ for x in plot}


def test_a_variable_or_looks_that_do_not_fit_are_refused(state, field):
    fields = np.stack([field] * 4)
    with pytest.raises(PlotError, match="no variable 'foo'"):
        state_maps(state, {"A": (fields, "anomaly")}, variables=("foo",))
    with pytest.raises(PlotError, match="1 looks and the bundle 4 variables"):
        state_maps(state, {"A": (fields, [Look("a", "K", "viridis", (0.0, 1.0))])})

"""netCDF of each tool: bit for bit what the maps show, CF, and read again by the library."""

import json

import numpy as np
import pytest
from visiting import SOME, Visit, take

from app.downloads.fields import figure_of, netcdf_of
from mlda_core.assimilation.netcdf import read_background
from mlda_core.climate.errors import StateError

BEGUN = "?tool=cycle&month=1984-03-03&model=code&cycle_from=1984-03-01&cycle_stations=30"


def same(data, name, fields, variables, *, scaled=True):
    """Whether a file holds what is shown, in the units of the file."""
    for i, v in enumerate(variables):
        shown = np.asarray(fields[i] / v.scale if scaled else fields[i], np.float32)
        np.testing.assert_array_equal(data[f"{v.name}_{name}"].values[0], shown, err_msg=name)
        if v.scale == 1.0:
            np.testing.assert_array_equal(shown, np.asarray(fields[i], np.float32))


def of_file(data, visit, month):
    """Check what every file says of itself."""
    assert data.attrs["Conventions"] == "CF-1.11"
    assert data.attrs["month"] == month
    assert data.attrs["bundle"] == visit.session.bundle.name
    assert data.attrs["mlda_version"]
    assert data.attrs["link"].startswith("?")
    assert str(data["time"].values[0])[: len(month)] == month
    assert all("units" in v.attrs for v in data.data_vars.values() if v.ndim >= 3)


def test_explore_gives_state_target_and_latent_vector(speedy, opened):
    visit = Visit(speedy, "?tool=explore&model=code&network=none")
    try:
        data = opened(take(visit, type="download-fields"))
        of_file(data, visit, "1997-12")
        variables, session = speedy.variables, visit.session
        same(data, "anomaly", session._frame.model, variables)
        same(data, "target", speedy.target("1997-12"), variables)
        np.testing.assert_array_equal(data["z"].values[0], session.state.z)
        assert data["psl"].attrs["standard_name"] == variables[0].standard_name
        # Decoded again it is what is shown.
        again = speedy.decode_anomalies(data["z"].values[0], 12)
        np.testing.assert_allclose(again, session._frame.model, atol=1e-4)
    finally:
        visit.session.close()


@pytest.mark.slow
def test_observe_gives_what_the_command_writes_and_more(standing, speedy, opened, tmp_path):
    message = take(standing, type="download-fields")
    assert message["name"] == "mlda-1997-12-analysis.nc"
    data = opened(message)
    of_file(data, standing, "1997-12")
    analysis, variables = standing.work.analysis, speedy.variables
    same(data, "anomaly", standing.session._frame.model, variables)
    same(data, "background", analysis.background, variables)
    same(data, "increment", analysis.increment, variables)
    same(data, "spread", analysis.spread, variables)
    same(data, "target", speedy.target("1997-12"), variables)
    assert json.loads(data.attrs["settings"])["method"] == "vae"
    assert "psl_member" not in data
    table = opened(message, group="observations")
    np.testing.assert_array_equal(
        table["analysis_departure"], analysis.observations["analysis_departure"]
    )
    path = tmp_path / message["name"]
    read = read_background(path, speedy, "1997-12")
    np.testing.assert_allclose(read.anomalies, analysis.anomalies, rtol=1e-5, atol=1e-5)


def test_members_are_there_once_somebody_looked_at_them(visit, speedy, opened):
    v = visit(f"{SOME}&column=member")
    v.settle(lambda v: v.view.drawn_ensemble is not None)
    data = opened(take(v, type="download-fields"))
    assert data.attrs["sampler"] == "laplace"
    members = v.view.drawn_ensemble.anomalies
    assert data["psl_member"].shape == (1, *members[:, 0].shape)
    row = [x.name for x in speedy.variables].index("tas")
    np.testing.assert_array_equal(data["tas_member"].values[0], members[:, row])
    # That which the map shows is one of them.
    np.testing.assert_array_equal(v.session._frame.model, members[v.view.member - 1])


def test_what_a_column_shows_beside_is_there_too(visit, speedy, opened):
    v = visit(f"{SOME}&column=influence&beside=eof")
    v.observer.hovered = 3
    v.session.redraw()
    v.settle(lambda v: v.view.column().fields is not None and v.session.comparison.work.answered)
    data = opened(take(v, type="download-fields"))
    same(data, "influence", v.work.influence(3), speedy.variables)
    same(data, "eof", v.session.comparison.work.fields, speedy.variables)


def test_an_analysis_under_way_is_waited_for(visit):
    v = visit()
    v.send(type="observing", name="count", value=33)
    with pytest.raises(StateError, match="still under way"):
        netcdf_of(v.session.downloads._parts)
    v.send(type="download-fields")
    assert v.session.bar.failed
    assert "under way" in v.status


@pytest.mark.slow
def test_perturb_gives_what_the_command_writes_and_all_fields(sea, speedy, opened):
    message = take(sea, type="download-fields")
    assert message["name"] == "mlda-1997-12-response.nc"
    data = opened(message)
    of_file(data, sea, "1997-12")
    answer, variables = sea.work.answer, speedy.variables
    scene = sea.perturb.scene()
    same(data, "all_fields", scene.first, variables)
    same(data, "response", answer.response.anomalies, variables)
    same(data, "control", answer.response.control, variables)
    same(data, "spread", answer.response.spread, variables)
    np.testing.assert_array_equal(
        data["sst_change"].values[0],
        np.where(speedy.mask[1], answer.response.change, np.nan).astype(np.float32),
    )
    assert "Niño 3.4" in data.attrs["title"]
    assert json.loads(data.attrs["settings"])["held"] == "sst_only"


@pytest.mark.slow
def test_perturb_gives_the_sensitivity_shown(sea, speedy, opened):
    sea.set("view", "sensitivity")
    sea.settle()
    data = opened(take(sea, type="download-fields"))
    np.testing.assert_array_equal(
        data["sensitivity"].values[0], sea.work.sensitivity[1].smooth.astype(np.float32)
    )
    assert data["sensitivity"].attrs["units"] == f"{sea.work.sensitivity[1].units} K-1"
    sea.set("view", "sum")


def test_perturb_gives_the_comparison_with_the_gcm(sea, speedy, opened):
    sea.set("view", "gcm")
    message = take(sea, type="download-fields")
    assert message["name"] == "mlda-gcm-response.nc"
    data = opened(message)
    shown = sea.perturb.scene()
    for i, v in enumerate(speedy.variables):
        for name, fields in (("gcm", shown.first), ("emulated", shown.second)):
            np.testing.assert_array_equal(
                data[f"{v.name}_{name}"], (fields[i] / v.scale).astype(np.float32)
            )
    assert len(data.attrs["months"].split()) == len(sea.perturb.compared.months)
    sea.set("view", "sum")


def test_cycle_gives_the_day_shown(cycle_visit, cycled, opened):
    visit = cycle_visit()
    with pytest.raises(StateError, match="not cycled"):
        netcdf_of(visit.session.downloads._parts)
    visit = cycle_visit(BEGUN)
    message = take(visit, type="download-fields")
    assert message["name"] == "mlda-1984-03-03-cycle.nc"
    data = opened(message)
    of_file(data, visit, "1984-03-03")
    background, analysis, _ = visit.cycle.shown_day()
    same(data, "anomaly", visit.session._frame.model, cycled.variables)
    same(data, "anomaly", analysis, cycled.variables)
    same(data, "background", background, cycled.variables)
    same(data, "increment", analysis - background, cycled.variables)
    same(data, "target", cycled.target("1984-03-03"), cycled.variables)
    assert "time_bnds" in data


def test_days_are_analysed_and_taken_away_too(cycled, opened):
    visit = Visit(cycled, "?tool=observe&network=stations&stations=8&month=1984-03-01")
    try:
        visit.settle()
        data = opened(take(visit, type="download-fields"))
        of_file(data, visit, "1984-03-01")
        same(data, "anomaly", visit.session._frame.model, cycled.variables)
        assert "daily climatology" in data.attrs["comment"]
    finally:
        visit.session.close()


def test_a_figure_draws_the_observations_and_the_row_asked_for(standing):
    parts = standing.session.downloads._parts
    request = figure_of(parts, "tas")
    assert request.variables == ("tas",)
    assert len(request.observations) == len(standing.rows)
    assert request.observations["used"].all()
    with pytest.raises(StateError, match="no variable 'foo'"):
        figure_of(parts, "foo")

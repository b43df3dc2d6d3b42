"""The file of a cycled run: its contents, and going on after a stop."""

import numpy as np
import pytest
import xarray as xr

from mlda_core.climate.errors import UserError
from mlda_core.cycling.bundle_case import case_of, climatology_of, localisation_of
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.run_file import RunFile
from mlda_core.forecast.models import forecast_of


@pytest.fixture(scope="module")
def case(daily):
    bundle, data = daily
    days = data.observed.in_split("test")
    days = days.where(np.arange(len(days)) < 6)
    places = bundle.operator.locate([0, 0, 1], [20.0, -30.0, 50.0], [45.0, 200.0, 10.0])
    return case_of(
        bundle,
        forecast_of("persistence").build(bundle, {}, {}),
        days,
        places,
        climatology_of(bundle, data.train, most=60),
        localisation=localisation_of(bundle),
    )


def made(path, bundle, case, method="letkf", **settings):
    file = RunFile(path, bundle, case.problem.times, {"method": method, **settings}, {"title": "t"})
    cycle = Cycle(case.problem, method, **settings)
    file.resume(cycle)
    return file, cycle


def test_a_file_holds_fields_and_spread_in_cf_units(daily, case, tmp_path):
    bundle, _ = daily
    file, cycle = made(tmp_path / "run.nc", bundle, case, "static")
    steps = list(file.steps(cycle))
    assert not file.part.exists()
    assert not file.state.exists()
    with xr.open_dataset(tmp_path / "run.nc") as written:
        assert written["time"].dt.strftime("%Y-%m-%d").values.tolist() == case.days.names.tolist()
        v = bundle.variables[0]
        assert written[v.name].attrs["units"] == v.units
        x = steps[3].analysis.mean.reshape(1, *bundle.mask.shape)
        season = case.days.season[3:4]
        wanted = (bundle.normaliser.restore(x, season)[0, 0] - v.offset) / v.scale
        np.testing.assert_allclose(written[v.name][3], wanted, rtol=1e-5)
        # The background of the static method is climatology.
        climate = bundle.normaliser.restore(0 * x, season)[0, 0]
        wanted = (climate - v.offset) / v.scale
        np.testing.assert_allclose(written[f"{v.name}_background"][3], wanted, rtol=1e-5)
        assert float(written[f"{v.name}_spread"].min()) > 0


def test_a_stopped_run_goes_on_to_the_same_bits(daily, case, tmp_path):
    bundle, _ = daily
    settings = {"members": 5, "inflation": 1.1}
    file, cycle = made(tmp_path / "whole.nc", bundle, case, **settings)
    for _ in file.steps(cycle):
        pass
    file, cycle = made(tmp_path / "cut.nc", bundle, case, **settings)
    steps = file.steps(cycle)
    for _ in range(3):
        next(steps)
    steps.close()
    assert file.state.exists()
    file, cycle = made(tmp_path / "cut.nc", bundle, case, **settings)
    assert cycle.next == 3
    assert [step.cycle for step in file.steps(cycle)] == [3, 4, 5]
    with xr.open_dataset(tmp_path / "whole.nc") as a, xr.open_dataset(tmp_path / "cut.nc") as b:
        xr.testing.assert_identical(a, b)


def test_a_run_with_other_settings_does_not_go_on(daily, case, tmp_path):
    bundle, _ = daily
    file, cycle = made(tmp_path / "run.nc", bundle, case, members=5)
    next(file.steps(cycle))
    with pytest.raises(UserError, match="begun with members 5, not 6"):
        made(tmp_path / "run.nc", bundle, case, members=6)
    file.state.write_bytes(b"nothing")
    with pytest.raises(UserError, match="delete it to begin the run anew"):
        made(tmp_path / "run.nc", bundle, case, members=5)

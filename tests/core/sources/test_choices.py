"""What the user chooses of a file: names, levels, stamps."""

import numpy as np
import pytest
import xarray as xr
from cf_files import SHAPE, mapped, pressure, temperature, write
from refusals import refusal

from mlda_core.climate.errors import UserError
from mlda_core.climate.time_step import DAY, MONTH
from mlda_core.sources import SourceError
from mlda_core.sources.choices import Choices
from mlda_core.sources.prepare import read_files


def test_pressure_levels_need_one_selected(tmp_path):
    path = tmp_path / "f.nc"
    data = write(path, {"t": temperature()})
    levels = data["t"].expand_dims({"plev": [100_000.0, 92_500.0]}, 1) + xr.DataArray(
        [0.0, -3.0], dims="plev"
    )
    path.unlink()
    data.assign(t=levels.assign_attrs(data["t"].attrs)).to_netcdf(path)
    assert "2 values of 'plev'" in refusal(path, choices=mapped(tas="t"))
    choices = Choices(names=(("tas", "t"),), select=(("plev", "92500"),))
    data = read_files([path], choices=choices)
    np.testing.assert_allclose(data["tas"][0], 280 + SHAPE, rtol=1e-6)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"names": ["tasa"]}, "no pair such as"),
        ({"names": ["wind=u"]}, "knows no 'wind'"),
        ({"names": ["tas=a", "tas=b"]}, "twice"),
        ({"names": ["tas=a", "tasa=a"]}, "two names"),
        ({"stamp": "noon"}, "start, end, middle"),
        ({"amount": "year"}, "hour, day, month"),
        ({"amount": "month", "step": "day"}, "--amount month is for monthly files"),
        ({"select": ["plev"]}, "no pair"),
    ],
)
def test_words_that_are_no_choice(words, said):
    with pytest.raises(SourceError, match=said):
        Choices.read(**words)


def test_maps_of_known_layouts_and_of_nothing(tmp_path):
    write(tmp_path / "f.nc", {"slp": pressure(standard_name="")})
    assert "--map is for --source cf" in refusal(tmp_path, source="ncep", choices=mapped(psl="slp"))
    assert "no 'mslp'" in refusal(tmp_path, choices=mapped(psl="slp", tas="mslp"))
    assert list(read_files([tmp_path], choices=mapped(psl="slp")).data_vars) == ["psl"]


def test_the_time_step_is_the_month_unless_it_is_said():
    assert Choices.read() == Choices()
    assert Choices().step is MONTH
    assert Choices.read(step="day").step is DAY
    with pytest.raises(UserError, match=r"'6hr' is no time step; write month or day\.$"):
        Choices.read(step="6hr")

"""``mlda show``: what a link is, and the command line that does the same."""

import shlex

import numpy as np
import pytest
import xarray as xr
from commands import mlda, refusal

from mlda_core.observations.table import read
from mlda_core.page_state.opened import from_link
from mlda_core.page_state.serialize import to_json


@pytest.fixture
def link(world):
    return f"?month={world.months[-1]}&stations=12&method=eof&reach=0.5&noise=4"


def test_a_link_is_told_and_the_command_lines_make_the_same(world, link, tmp_path):
    done = mlda("show", f"http://localhost:5006/app{link}", "--bundle", world.path)
    assert done.returncode == 0, done.stderr
    assert "Stations: 12 observations" in done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("mlda ")]
    assert len(lines) == 2
    for line in lines:
        ran = mlda(*shlex.split(line)[1:], cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
    state = from_link(link, world)
    with xr.open_dataset(tmp_path / "analysis.nc") as made:
        own = state.analysis().to_dataset()
        for variable in world.variables:
            found = made[variable.name]
            assert found.dtype == np.float32
            np.testing.assert_array_equal(found.values, own[variable.name].values)
    table = read(tmp_path / "observations.nc", world, month=state.month).table
    assert table.equals(state.observations()), "a netCDF file holds them whole"


@pytest.mark.slow
def test_the_command_line_of_a_response_makes_the_same(speedy, tmp_path):
    query = "?tool=perturb&month=1997-12&sea=nino34:2"
    done = mlda("show", query)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("mlda ")]
    ran = mlda(*shlex.split(line)[1:], cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    own = from_link(query, speedy).response().to_dataset()
    with xr.open_dataset(tmp_path / "response.nc") as made:
        for variable in speedy.variables:
            name = f"{variable.name}_response"
            np.testing.assert_array_equal(made[name].values, own[name].values)


def test_what_no_command_line_does_is_said(world):
    done = mlda("show", "?model=code&tool=explore", "--bundle", world.path)
    assert done.returncode == 0
    assert "Not by command line: A latent vector is decoded in Python" in done.stdout


def test_a_file_is_shown_and_its_program(world, link, tmp_path):
    state = from_link(link, world)
    path = tmp_path / "state.json"
    path.write_text(to_json(state.snapshot, state.limits))
    done = mlda("show", path, "--bundle", world.path, "--python")
    assert done.returncode == 0, done.stderr
    compile(done.stdout, "state.py", "exec")
    assert 'method="eof"' in done.stdout
    written = mlda("show", path, "--bundle", world.path, "--obs", tmp_path / "obs.csv")
    assert written.returncode == 0, written.stderr
    assert "12 observations" in written.stdout
    assert (tmp_path / "obs.csv").read_text().startswith("variable,lat,lon")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("?month=1700-01",), "1700-01"),
        (("gone.json",), "gone.json cannot be read"),
        (("?network=none", "--obs", "a.nc"), "no observations to write"),
        (("?stations=5", "--obs", "a.txt"), "no known suffix"),
        (("?network=sst_only",), "no variable 'tos'"),
    ],
)
def test_mistakes_are_one_sentence(world, tmp_path, words, said):
    done = mlda("show", *words, "--bundle", world.path, cwd=tmp_path)
    assert said in refusal(done)

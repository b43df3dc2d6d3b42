"""A state as command lines."""

import shlex

import numpy as np
import pytest
import xarray as xr
from commands import mlda

from mlda_core.page_state.commands import commands_of
from mlda_core.page_state.opened import PageState, from_link
from mlda_core.perturbation.sst_patches import Patch


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "--method vae --against-bundle --out analysis.nc"),
        ("method=eof&residual=0&reach=0.5", "--method eof --no-residual --localisation 0.5"),
        ("column=member", "--members 50"),
        ("column=member&sampler=perturbed", "--members 50 --sampler perturbed"),
        ("members=stamps&sampler=multistart", "--members 50 --sampler multistart"),
    ],
)
def test_an_analysis_is_two_lines(speedy, query, words):
    state = from_link(f"?month=1997-12&stations=10&{query}", speedy)
    found = commands_of(state)
    show, assimilate = found.lines
    assert show.startswith("mlda show '?month=1997-12&")
    assert assimilate.startswith("mlda assimilate speedy --obs observations.nc --month 1997-12")
    assert words in assimilate
    assert found.beyond == ()


@pytest.mark.slow
def test_a_bundle_without_a_name_is_given_by_its_folder(world):
    show, assimilate = commands_of(from_link(f"?month={world.months[-1]}", world)).lines
    assert f"--bundle {world.path}" in show
    assert f"assimilate {world.path} " in assimilate


def test_a_response_is_one_line(speedy):
    query = "?tool=perturb&sea=nino34:2,-10:10:150:210:-1.5,globe:1:off&view=response&per_kelvin=1"
    (line,) = commands_of(from_link(f"{query}&month=1998-01", speedy)).lines
    assert line == (
        "mlda perturb speedy --sst nino34:+2.0K --sst -10.0:10.0:150.0:210.0:-1.5K "
        "--month 1998-01 --held sst_only --per-kelvin --out response.nc"
    )
    both = commands_of(from_link("?tool=perturb&view=atlas&month=1998-01&amplitude=-2", speedy))
    assert "--amplitude -2" in both.lines[1]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("tool=perturb&held=outside&within=nino34", "region outside of which"),
        ("tool=perturb&sea=nino34:1:off", "Nothing is changed"),
        ("tool=perturb&sea=0:10:150:200:edge360:2", "has an outline or an edge"),
        ("tool=explore&model=code", "decoded in Python"),
        ("network=none", "Nothing is observed"),
    ],
)
def test_what_no_command_line_says_is_said(speedy, query, words):
    found = commands_of(from_link(f"?{query}", speedy))
    assert found.lines == ()
    assert any(words in sentence for sentence in found.beyond)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("beside=enoi", "--method enoi"),
        ("column=influence", "influence"),
        ("column=next", "--where-next"),
        ("tool=perturb&view=sensitivity", "sensitivity"),
        ("tool=perturb&view=gcm", "gcm_responses"),
        ("tool=perturb&view=atlas&over=0:10:20:30", "atlas"),
    ],
)
def test_what_is_left_out_of_a_line_is_said(speedy, query, words):
    found = commands_of(from_link(f"?month=1997-12&{query}", speedy))
    assert found.lines
    assert any(words in sentence for sentence in found.beyond)


def test_a_lasso_is_for_python(speedy):
    state = from_link("?tool=perturb", speedy)
    lasso = Patch(1.0, polygon=((0.0, 150.0), (10.0, 160.0), (0.0, 170.0)))
    sea = state.snapshot.perturbations.replace(patches=(lasso,))
    state = PageState(state.snapshot.replace(perturbations=sea), speedy, state.limits)
    assert "Lasso round" in commands_of(state).beyond[0]


RUN = "?tool=cycle&model=code&cycle_from=1984-03-01&cycle_stations=30"


@pytest.mark.slow
def test_a_cycle_is_one_line_that_does_the_same(cycled, tmp_path):
    changed = "&cycle_without=1984-03-02:europe,1984-03-03:,1984-03-05:asia"
    state = from_link(f"{RUN}{changed}&cycled=letkf&month=1984-03-04", cycled)
    (line,) = commands_of(state).lines
    assert "--method letkf --stations 30" in line
    # That of the fifth is after the day shown.
    assert "--withhold 1984-03-02:europe --withhold 1984-03-03:none --set members=20" in line
    done = mlda(*shlex.split(line)[1:], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with xr.open_dataset(tmp_path / "cycle.nc") as made:
        for i, (label, day) in enumerate(state.cycle().items()):
            season = np.array([cycled.seasons.of(label)])
            x = day.analysis.astype(np.float64)[None]
            for v, wanted in enumerate(cycled.normaliser.restore(x, season)[0]):
                variable = cycled.variables[v]
                found = made[variable.name].to_numpy()[i] * variable.scale + variable.offset
                # Days of the page are kept as halves.
                assert np.abs(found - wanted).max() < 0.01 * np.std(wanted)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?tool=cycle&model=code", "no run yet"),
        (f"{RUN}&month=1984-03-01", "one day alone"),
    ],
)
def test_a_run_without_a_second_day_is_for_python(cycled, query, words):
    found = commands_of(from_link(query, cycled))
    assert found.lines == ()
    assert words in found.beyond[0]

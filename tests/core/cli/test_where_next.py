"""``--where-next``: what goes together; test_assimilate.py finds places."""

from pathlib import Path

import pytest

from mlda_core.assimilation.options import Setting
from mlda_core.cli.output_files import OutputError
from mlda_core.cli.where_next import NextPlaces
from mlda_core.climate.errors import UserError


@pytest.mark.parametrize(
    "asked",
    [
        {"target": "tas", "variable": None, "output": None},
        {"target": None, "variable": "tas", "output": None},
        {"target": None, "variable": None, "output": Path("next.csv")},
    ],
)
def test_its_options_need_a_number_of_places(asked):
    with pytest.raises(UserError, match="say how many places: --where-next 10"):
        NextPlaces(None, **asked)


def test_its_file_is_neither_read_nor_the_other_output(tmp_path):
    given = tmp_path / "mine.csv"
    given.write_text("variable,lat,lon,value\n")
    places = NextPlaces(3, None, None, given)
    with pytest.raises(OutputError, match=r"mine\.csv"):
        places.refuse([given], tmp_path / "mine.nc")
    with pytest.raises(OutputError, match="is what --out names too; give another name"):
        places.refuse([], given)
    places.refuse([tmp_path / "other.csv"], tmp_path / "mine.nc")


def test_what_cannot_be_sought_is_refused_before_anything_is_assimilated(speedy):
    NextPlaces(3, "tas:tropics", None, None).check(speedy, Setting())
    for target, variable in (("zg:tropics", None), ("tas:moon", None), ("tas", "zg")):
        with pytest.raises(UserError):
            NextPlaces(3, target, variable, None).check(speedy, Setting())


def test_without_a_number_nothing_is_sought_or_written(tmp_path, speedy, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nothing = NextPlaces(None, None, None, None)
    nothing.check(speedy, Setting())
    nothing.write()
    assert not list(tmp_path.iterdir())

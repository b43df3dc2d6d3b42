"""Sources of observations: what is opened, and what is not."""

from __future__ import annotations

import pytest
from observation_tables import HEAD, MONTH, lines

from mlda_core.observations.table import ObservationError, load, read, read_months


def test_text_is_never_taken_for_the_name_of_a_file(bundle, tmp_path):
    """What a visitor of the page sends must not open files of the server."""
    path = tmp_path / "secret.csv"
    path.write_text(lines(HEAD, "tas,50,10,1"))
    with pytest.raises(ObservationError, match="one line and no table; give a file by its Path"):
        read(str(path), bundle, month=MONTH)


def test_a_file_is_parsed_once(bundle, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(lines(f"{HEAD},time", "tas,50,10,3,1997-12"))
    cells = load(path)
    path.unlink()
    assert cells.has_times
    assert read(cells, bundle, month=MONTH).table["value"].tolist() == [3.0]
    assert list(read_months(cells, bundle)) == [MONTH]


def test_files_that_are_none_say_so_in_a_sentence(bundle, tmp_path):
    (tmp_path / "a.csv").write_bytes(b"variable,lat,lon,value\ntas,5,5,1\x81")
    (tmp_path / "b.nc").write_bytes(b"\x89HDF\r\n\x1a\nnonsense")
    (tmp_path / "c.csv").write_text("\n# nothing\n")
    for name, words in (
        ("a.csv", "UTF-8"),
        ("b.nc", "cannot be read as netCDF"),
        ("c.csv", "is empty"),
        ("d.csv", "No such file"),
    ):
        with pytest.raises(ObservationError, match=words) as found:
            read(tmp_path / name, bundle)
        assert name in str(found.value)
        assert "\n" not in str(found.value)

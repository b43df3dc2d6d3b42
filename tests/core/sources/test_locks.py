"""Whether another program has a file open."""

import fcntl

import pytest

from mlda_core.sources.locks import is_open_elsewhere


@pytest.mark.parametrize(
    ("lock", "at_all", "for_writing"),
    [(fcntl.LOCK_SH, True, False), (fcntl.LOCK_EX, True, True)],
)
def test_readers_and_writers_are_told_apart(tmp_path, lock, at_all, for_writing):
    path = tmp_path / "a.nc"
    path.touch()
    with path.open("r+b") as file:
        fcntl.flock(file, lock)
        assert is_open_elsewhere(path) is at_all
        assert is_open_elsewhere(path, for_writing=True) is for_writing
    assert not is_open_elsewhere(path)


def test_asking_leaves_no_lock(tmp_path):
    path = tmp_path / "a.nc"
    path.touch()
    assert not is_open_elsewhere(path)
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_file_that_cannot_be_opened_is_not_open(tmp_path):
    assert not is_open_elsewhere(tmp_path / "absent.nc")

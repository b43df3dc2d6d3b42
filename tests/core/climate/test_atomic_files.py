"""Files that are replaced as a whole."""

import pytest

from mlda_core.climate.atomic_files import replacing


def test_a_file_is_there_when_it_is_whole(tmp_path):
    path = tmp_path / "a.json"
    for text in ("first", "second"):
        with replacing(path) as part:
            part.write_text(text)
            assert not path.exists() or path.read_text() == "first"
        assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("begun", [True, False])
def test_a_failure_leaves_the_earlier_file(tmp_path, begun):
    path = tmp_path / "a.json"
    path.write_text("earlier")

    def fail():
        with replacing(path) as part:
            if begun:
                part.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fail()
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]

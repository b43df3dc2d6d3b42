"""``mlda film``."""

import pytest
from commands import mlda, refusal
from PIL import Image

LINK = "?tool=explore&model=code&network=none&month=1997-12"


@pytest.mark.slow
def test_a_link_becomes_a_film(tmp_path):
    words = ("--to", "1998-01", "--variable", "psl", "--seconds", "0.5", "--out", "film.gif")
    done = mlda("film", LINK, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Wrote film.gif: 2 pictures" in done.stdout
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "1997-11"), "is before"),
        (("--to", "1700-01"), "1700-01"),
        (("--to", "1998-01", "--variable", "fog"), "no variable 'fog'"),
        (("--to", "1998-01", "--seconds", "0"), "cannot be shown for 0 s"),
    ],
)
def test_what_is_no_film_is_refused(tmp_path, words, said):
    assert said in refusal(mlda("film", LINK, *words, "--out", "film.gif", cwd=tmp_path))
    assert not (tmp_path / "film.gif").exists()

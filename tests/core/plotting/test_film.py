"""Films: pictures of a state one after another, in a GIF."""

import pytest
from PIL import Image

from mlda_core.page_state.limits import limits_of
from mlda_core.page_state.opened import PageState
from mlda_core.page_state.snapshot import Snapshot
from mlda_core.plotting.film import MOST, pictures_of, save_film, times_of
from mlda_core.plotting.look import PlotError


@pytest.fixture(scope="module")
def state(engine):
    bundle = engine.bundle
    return PageState(Snapshot(bundle.months[3], model="code"), bundle, limits_of(bundle, "small"))


def test_times_are_those_of_the_bundle(state):
    months = state.bundle.months
    assert times_of(state, months[3], months[6]) == months[3:7]
    with pytest.raises(PlotError, match="is before"):
        times_of(state, months[6], months[3])
    if len(months) > MOST:
        with pytest.raises(PlotError, match="too long"):
            times_of(state, months[0], months[-1])


def test_each_picture_is_of_its_own_month(state):
    months = state.bundle.months[3:5]
    made = list(pictures_of(state, months, ("psl",)))
    assert [words.split(" of ")[1][:7] for _, words in made] == list(months)
    titles = [[element.label or str(element) for element in layout] for layout, _ in made]
    assert all(len(layout) == 2 for layout, _ in made)
    assert len(titles) == 2


@pytest.mark.slow
def test_a_film_has_a_frame_for_each_picture(state, tmp_path):
    months, told = state.bundle.months[3:6], []
    path = save_film(
        pictures_of(state, months, ("psl",)), tmp_path / "film.gif", seconds=0.5, tick=told.append
    )
    assert told == [1, 2, 3]
    with Image.open(path) as film:
        assert film.n_frames == 3
        assert film.info["duration"] == 500
        assert film.info["loop"] == 0
        frames = []
        for i in range(3):
            film.seek(i)
            frames.append(film.convert("RGB").tobytes())
    assert len(set(frames)) == 3
    assert [file.name for file in tmp_path.iterdir()] == ["film.gif"]


def test_what_is_no_film_is_refused_before_anything_is_drawn(state, tmp_path):
    def never():
        raise AssertionError
        yield

    with pytest.raises(PlotError, match=r"end it with \.gif"):
        save_film(never(), tmp_path / "film.mp4")
    with pytest.raises(PlotError, match="no folder"):
        save_film(never(), tmp_path / "nowhere" / "film.gif")
    with pytest.raises(PlotError, match="cannot be shown for 0 s"):
        save_film(never(), tmp_path / "film.gif", seconds=0)
    with pytest.raises(PlotError, match="one picture at least"):
        save_film(iter(()), tmp_path / "film.gif")
    run = PageState(Snapshot(state.month, tool="cycle"), state.bundle, state.limits)
    with pytest.raises(PlotError, match="Cycle has no film"):
        next(pictures_of(run, [state.month]))

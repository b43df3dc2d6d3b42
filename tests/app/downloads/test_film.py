"""The film of the page: what it is of, and that it ends when nobody waits."""

from types import SimpleNamespace

import pytest

from app.downloads import film
from app.downloads.film import LENGTHS, FilmRequest, draw_film
from mlda_core.climate.errors import StateError


def test_it_is_of_the_months_from_the_one_shown_on(standing):
    parts = standing.session.downloads._parts
    request = FilmRequest.of(parts, LENGTHS[0], "tas")
    months = parts.bundle.months
    at = months.index(parts.state.month)
    assert request.times == months[at : at + 12]
    assert request.variables == ("tas",)
    assert request.state.snapshot == parts.state.snapshot()
    assert FilmRequest.of(parts, 10_000).times == months[at:]


def test_what_has_no_film_is_refused(standing):
    parts = standing.session.downloads._parts
    with pytest.raises(StateError, match="no variable 'fog'"):
        FilmRequest.of(parts, 12, "fog")
    run = SimpleNamespace(bundle=parts.bundle, state=parts.state, shows="cycle")
    with pytest.raises(StateError, match="A run through days"):
        FilmRequest.of(run, 12)


def test_it_ends_with_the_picture_under_way(monkeypatch):
    import mlda_core.plotting.film as library

    drawn, told = [], []

    def pictures(state, times, variables):
        for time in times:
            drawn.append(time)
            yield time, "words"

    def save(frames, path, tick):
        for i, _ in enumerate(frames):
            tick(i + 1)
        path.write_bytes(b"GIF")
        return path

    monkeypatch.setattr(library, "pictures_of", pictures)
    monkeypatch.setattr(library, "save_film", save)
    request = FilmRequest(None, ("a", "b", "c", "d"))
    assert film.draw_film is draw_film
    assert draw_film(request, told.append, lambda: len(drawn) == 2) == b"GIF"
    assert drawn == ["a", "b"]
    assert told == [1, 2]

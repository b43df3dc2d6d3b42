"""The page's *Download*: one at a time, in words while it is made, and refused with a reason."""

import threading

import pytest
from visiting import Visit, send, take

from app.downloads import actions
from app.downloads.actions import TABLES
from app.downloads.tables import FOOT_TABLES


@pytest.mark.slow
def test_tables_are_offered_where_they_are(standing, session):
    assert standing.session.downloads.offered() == [["observations", "Observations"]]
    assert session.downloads.offered() == []
    assert set(FOOT_TABLES) <= set(TABLES)


def test_an_open_part_of_the_results_is_offered(visit):
    v = visit()
    send(v.session.bar, type="foot", value=["scores", "series"])
    v.settle()
    assert [key for key, _ in v.session.bar.tables] == ["observations", "scores", "series"]
    message = take(v, type="download-table", value="scores")
    assert message["name"] == "mlda-1997-12-scores.csv"
    assert message["text"].startswith("time,region,against,method,variable")
    assert take(v, type="download-table", value="series")["text"].count("\n") > 1000


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_figure_comes_from_the_background(standing, kind, monkeypatch):
    drawn = {}

    def draw(request, of):
        drawn.update(request=request, of=of, thread=threading.current_thread().name)
        return b"bytes"

    monkeypatch.setattr(actions, "draw_figure", draw)
    message = take(standing, type="download-figure", value=kind, variable="tas")
    assert message["name"] == f"mlda-1997-12-maps-tas.{kind}"
    assert message["bytes"] == b"bytes"
    assert drawn["of"] == kind
    assert drawn["request"].variables == ("tas",)
    assert drawn["thread"].startswith("mlda-download")
    assert standing.status == f"Saved as {message['name']}."


def test_a_film_says_how_far_it_is_and_can_be_stopped(standing, monkeypatch):
    go, reached, seen = threading.Event(), threading.Event(), []

    def draw(request, tell, stale):
        tell(1)
        reached.set()
        go.wait(30)
        seen.append(stale())
        return b"film"

    monkeypatch.setattr(actions, "draw_film", draw)
    downloads, given = standing.session.downloads, []
    monkeypatch.setattr(downloads, "_send", given.append)
    send(standing.session.bar, type="download-film", value=12)
    assert downloads.making == "The film"
    reached.wait(30)
    standing.settle(lambda v: "1 of 12" in v.status)
    send(standing.session.bar, type="download-stop")
    assert downloads.making == ""
    assert standing.status == "The film was stopped."
    go.set()
    monkeypatch.setattr(actions, "draw_film", lambda *_: b"another")
    send(standing.session.bar, type="download-film", value=12)
    standing.settle(lambda _: not downloads.making)
    assert seen == [True]
    assert [message["bytes"] for message in given] == [b"another"]
    assert given[0]["name"] == "mlda-1997-12-film.gif"
    assert given[0]["media"] == "image/gif"


def test_one_file_is_made_at_a_time(standing, monkeypatch):
    go = threading.Event()
    monkeypatch.setattr(actions, "draw_figure", lambda *_: go.wait(30) and b"first")
    downloads, given = standing.session.downloads, []
    monkeypatch.setattr(downloads, "_send", given.append)
    send(standing.session.bar, type="download-figure", value="png")
    assert standing.session.bar.making == "The figure"
    assert standing.status.startswith("Drawing the figure")
    send(standing.session.bar, type="download-fields")
    assert standing.session.bar.failed
    assert "still being made" in standing.status
    go.set()
    standing.settle(lambda _: not downloads.making)
    assert [message["bytes"] for message in given] == [b"first"]
    assert standing.session.bar.making == ""


def test_a_failure_is_one_sentence_and_the_next_one_goes(standing, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(actions, "draw_figure", fail)
    send(standing.session.bar, type="download-figure", value="png")
    standing.settle(lambda v: not v.session.downloads.making)
    assert standing.session.bar.failed
    assert standing.status == (
        "The figure could not be made (MemoryError); try another kind of file."
    )
    assert take(standing, type="download-fields")["bytes"][:4] == b"\x89HDF"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"type": "download-figure", "value": "exe"}, "cannot be a 'exe'"),
        ({"type": "download-figure", "value": "png", "variable": "../x"}, "no variable '../x'"),
        ({"type": "download-table", "value": "../etc"}, "no table '../etc'"),
        ({"type": "download-film", "value": 9999}, "cannot have '9999' pictures"),
    ],
)
def test_what_no_menu_offers_is_refused(standing, message, words):
    before = standing.session.state.snapshot()
    send(standing.session.bar, **message)
    assert standing.session.bar.failed
    assert words in standing.status
    assert standing.session.state.snapshot() == before


def test_a_session_that_ends_gets_nothing_more(speedy, monkeypatch):
    v = Visit(speedy, "?tool=explore&model=code&network=none")
    go, given = threading.Event(), []
    monkeypatch.setattr(actions, "draw_figure", lambda *_: go.wait(30) and b"late")
    monkeypatch.setattr(v.session.downloads, "_send", given.append)
    send(v.session.bar, type="download-figure", value="png")
    v.session.close()
    go.set()
    v.turn(0.3)
    assert given == []


def test_files_are_named_by_month_alone():
    assert actions._name("1997-12", "maps-tas", "png") == "mlda-1997-12-maps-tas.png"
    assert actions._name("", "gcm-response", "nc") == "mlda-gcm-response.nc"

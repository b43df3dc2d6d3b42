"""The load driver does what the page's channel does, and measures a served page."""

from __future__ import annotations

import asyncio
import json
import os

import pytest


def drive(visitor, act):
    """Let ``act`` use a channel on an event loop; return what was sent."""
    sent = []

    async def run():
        channel = visitor.Channel(sent.append)
        channel.listens = True
        act(channel, sent)

    asyncio.run(run())
    return sent


def test_two_batches_are_in_flight_and_the_newest_of_each_kind_waits(benchmarks):
    def act(channel, sent):
        for i in range(5):
            channel.send({"type": "z", "k": 0, "value": i}, "z0")
        channel.send({"type": "month", "value": "1997-12"})
        channel.send({"type": "z", "k": 0, "value": 9}, "z0")
        assert [batch["seq"] for batch in sent] == [1, 2]
        channel.answered(1)
        # In the order in which kinds first came, as a Map of JavaScript keeps them.
        assert [m["value"] for m in sent[-1]["batch"]] == [9, "1997-12"]
        assert not channel.idle
        channel.answered(3)
        assert channel.idle
        # Also those events that a newer one took the place of.
        assert len(channel.waits) == 7
        assert min(channel.waits) >= 0
        assert len(channel.answers) == 3

    sent = drive(benchmarks("visitor"), act)
    assert len(sent) == 3


def test_nothing_is_sent_before_the_server_listens(benchmarks):
    def act(channel, sent):
        channel.listens = False
        channel.send({"type": "tool", "value": "explore"})
        assert not sent
        channel.listens = True
        channel.flush()
        assert len(sent) == 1

    drive(benchmarks("visitor"), act)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--url", "http://example.org/app"], "is not on this machine"),
        (["--sessions", "0"], "from 1 to 500"),
        (["--patience", "0"], "more than 0"),
    ],
)
def test_what_cannot_be_measured_is_refused(benchmarks, capsys, arguments, words):
    with pytest.raises(SystemExit):
        benchmarks("load").parse(arguments)
    assert words in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_visitors_measure_a_served_page(
    benchmarks, world_folder, tmp_path, capsys, monkeypatch
):
    # A small bundle, and without a sea: that all is measured is tested, no times.
    monkeypatch.setenv("MLDA_BUNDLE", str(world_folder))
    page = tmp_path / "page.md"
    page.write_text("<!-- load:begin -->\n<!-- load:end -->\n")
    load = benchmarks("load")
    words = "--sessions 2 --together --arrive 0 --drag 1 --rest 0 --patience 200 --json"
    assert load.main([*words.split(), "--out", str(page)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["cores"] == os.cpu_count()
    (run,) = said["runs"]
    assert run["sessions"] == 2
    assert run["failed"] == []
    assert run["times"]["open"]["count"] == 2
    # Every event of both drags is answered, also those that a newer one took the place of.
    assert run["times"]["slider"]["count"] == 2 * load.EVENTS
    for found in run["times"].values():
        assert 0 < found["p50"] <= found["p95"]
    for answer, result in (("place", "analysis"), ("month", "month done")):
        assert run["times"][answer]["p50"] <= run["times"][result]["p50"]
    assert 0 < run["frames_a_second"]["worst"] <= run["frames_a_second"]["median"]
    assert run["frame_bytes"] > 1000
    assert run["opened_bytes"] > 1e6
    assert run["server_processors"] > 0
    made = page.read_text()
    assert f"| {load.ROWS['slider']} |" in made
    assert "| visitors that failed | 0 |" in made


@pytest.mark.slow
def test_a_visitor_that_fails_is_counted_and_named(benchmarks, capsys):
    load = benchmarks("load")
    asked = load.parse(["--patience", "1", "--arrive", "0"])
    nowhere = f"http://localhost:{benchmarks('serving').free_port()}/app"

    async def run():
        people = load.Class(nowhere, 2, asked, lambda: None)
        await people.run()
        return people

    people = asyncio.run(run())
    assert [one["session"] for one in people.failed] == [0, 1]
    assert all("GET /app" in one["why"] for one in people.failed)
    assert "session 1 failed at 'open'" in capsys.readouterr().err

"""Many people on one server at once: ``python benchmarks/load.py --sessions 1 10 30 100``.

Serves the page in a process of its own (or takes one that runs on this machine, by ``--url``), and
lets visitors without browsers (`visitor.Visitor`) do what people do: open the page, drag a slider
at 15 events a second, place an observation and wait for the analysis, warm a part of the sea and
wait for the response, change the month, and rest in between. With ``--together`` each step begins
when all have ended the one before, as in a class that is told what to do next; otherwise all go at
their own pace.

Prints a table, JSON with ``--json``, and with ``--out`` writes the table between the marks ``load``
of a page. Progress goes to the standard error. A visitor that fails is counted and named.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shlex
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import machine
import psutil
from serving import ROOT, free_port, percentile, rest, served, worked
from tornado.httpclient import AsyncHTTPClient
from visitor import CONNECTIONS, FailedError, Visitor

sys.path.insert(0, str(ROOT / "tools"))

import marks

SESSIONS = (1, 10, 30, 100)
LOOPBACK = ("localhost", "127.0.0.1", "::1")
# Events a second while a slider is dragged.
EVENTS = 15
STEPS = ("drag", "place", "perturb", "month")
# What each row of the table is, by the time that it is of.
ROWS = {
    "open": "open the page, with scripts and document",
    "first analysis": "first analysis, once it is open",
    "slider": "slider: event to frame",
    "place": "observation: event to answer",
    "analysis": "observation: event to analysis",
    "perturb": "change of the sea: event to answer",
    "response": "change of the sea: event to response",
    "month": "another month: event to answer",
    "month done": "another month: event to its response",
}


class Class:
    """People on one server, and what they measured.

    Parameters
    ----------
    url : str
        Of the page.
    count : int
        How many there are.
    asked : argparse.Namespace
        How they behave.
    opened : callable
        Called once all have opened the page, or failed to.
    """

    def __init__(
        self, url: str, count: int, asked: argparse.Namespace, opened: Callable[[], None]
    ) -> None:
        self._url, self._count, self._asked = url, count, asked
        self._opened, self._came = opened, 0
        self._meeting = asyncio.Barrier(count)
        self.times: dict[str, list[float]] = defaultdict(list)
        self.frames: list[float] = []
        self.frame_bytes: list[float] = []
        self.failed: list[dict[str, Any]] = []
        self.done: Counter[str] = Counter()
        self.visitors: list[Visitor] = []

    async def run(self) -> None:
        """Let all come, act and stay."""
        telling = asyncio.create_task(self._tell())
        await asyncio.gather(*(self._person(i) for i in range(self._count)))
        telling.cancel()
        self._say()

    async def leave(self) -> None:
        """Let all go."""
        await asyncio.gather(*(visitor.close() for visitor in self.visitors))

    @property
    def lost(self) -> int:
        """How often a page would have said that no answer had come yet."""
        return sum(c.lost for visitor in self.visitors for c in visitor.channels.values())

    async def _person(self, number: int) -> None:
        chance = random.Random(f"{self._asked.seed} {number}")  # noqa: S311 - no secret
        visitor = Visitor(self._url, self._asked.patience)
        self.visitors.append(visitor)
        acts = {"drag": self._drag, "place": self._place, "perturb": self._perturb}
        acts["month"] = self._month
        step, well = "open", True
        for step in ("open", *STEPS):
            if step != "open" and self._asked.together:
                # Who has failed is waited for no longer, and keeps nobody waiting.
                await self._meeting.wait()
            if not well:
                continue
            try:
                if step == "open":
                    await asyncio.sleep(chance.uniform(0, self._asked.arrive))
                    await self._open(visitor)
                elif step == "perturb" and not _perturbs(visitor):
                    continue
                else:
                    await acts[step](visitor, chance)
                self.done[step] += 1
                await asyncio.sleep(self._asked.rest * chance.uniform(0.5, 1.5))
            except FailedError as error:
                well = False
                self.failed.append({"session": number, "step": step, "why": str(error)})
                print(f"session {number} failed at '{step}': {error}", file=sys.stderr, flush=True)
            if step == "open":
                self._came += 1
                if self._came == self._count:
                    self._opened()

    # -- what people do ----------------------------------------------------------------------

    async def _open(self, visitor: Visitor) -> None:
        with self._timed("open"):
            html = await visitor.fetch()
            await visitor.fetch_scripts(html)
            await visitor.connect(html)
        with self._timed("first analysis"):
            # As browsers do that prefer a theme; once it is answered the analysis has begun.
            visitor.send("Bar", {"type": "theme", "value": "light", "preferred": True})
            await visitor.until(lambda: visitor.channels["Bar"].idle, "the theme")
            await visitor.until(lambda: _calm(visitor), "the first analysis")

    async def _drag(self, visitor: Visitor, chance: random.Random) -> None:
        await self._choose_tool(visitor, "explore")
        channel = visitor.channels["Explore"]
        # One of those that are in sight when the tool opens.
        k = chance.randrange(len(visitor.shown["Explore"]["latents"]))
        answers, waits, received = len(channel.answers), len(channel.waits), visitor.received
        begin = time.monotonic()
        for i in range(round(self._asked.drag * EVENTS)):
            value = round(2.5 * (i % 60 - 30) / 30, 2)
            visitor.send("Explore", {"type": "z", "k": k, "value": value}, f"z{k}")
            await asyncio.sleep(max(0, begin + (i + 1) / EVENTS - time.monotonic()))
        end = time.monotonic()
        await visitor.until(lambda: channel.idle, "the last frame of a drag")
        frames = channel.answers[answers:]
        self.times["slider"] += channel.waits[waits:]
        self.frames.append(sum(at <= end for at in frames) / (end - begin))
        self.frame_bytes.append((visitor.received - received) / max(len(frames), 1))
        visitor.send("Explore", {"type": "z", "k": k, "value": 1.0, "done": True}, f"z{k}")
        await visitor.until(lambda: channel.idle, "the end of a drag")

    async def _place(self, visitor: Visitor, chance: random.Random) -> None:
        await self._choose_tool(visitor, "observe")
        # Well within the globe of the projection that pages open with.
        x, y = chance.uniform(-1.2, 1.2), chance.uniform(-0.7, 0.7)
        message = {"type": "obs-place", "variable": "psl", "x": x, "y": y, "as": "value"}
        await self._act(visitor, "ObserveGestures", message, "place", "analysis")

    async def _perturb(self, visitor: Visitor, chance: random.Random) -> None:
        await self._choose_tool(visitor, "perturb")
        x, y = chance.uniform(-1.2, 0.8), chance.uniform(-0.2, 0.0)
        box = {"type": "rect", "x0": x, "x1": x + 0.4, "y0": y, "y1": y + 0.2}
        message = {"type": "sea-drawn", "mode": "box", "variable": "tos", "geometry": box}
        await self._act(visitor, "PerturbGestures", message, "perturb", "response")

    async def _month(self, visitor: Visitor, chance: random.Random) -> None:
        month = chance.choice(_months(visitor.shown["Bar"]))
        await self._act(visitor, "Bar", {"type": "month", "value": month}, "month", "month done")

    async def _act(
        self, visitor: Visitor, control: str, message: dict[str, Any], answer: str, result: str
    ) -> None:
        """Send a message, and take the times until its answer and until what follows from it."""
        with self._timed(result):
            with self._timed(answer):
                visitor.send(control, message)
                await visitor.until(lambda: visitor.channels[control].idle, f"{answer}: an answer")
            await visitor.until(lambda: _calm(visitor), f"{answer}: what follows from it")

    async def _choose_tool(self, visitor: Visitor, tool: str) -> None:
        visitor.send("Tools", {"type": "tool", "value": tool})
        await visitor.until(lambda: visitor.channels["Tools"].idle, f"the tool {tool}")
        await visitor.until(lambda: _calm(visitor), f"what the tool {tool} shows")

    # -- what is measured --------------------------------------------------------------------

    @contextlib.contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        begin = time.monotonic()
        yield
        self.times[what].append(time.monotonic() - begin)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(5)
            self._say()

    def _say(self) -> None:
        steps = ", ".join(f"{step} {self.done[step]}" for step in ("open", *STEPS))
        words = f"{self._count} sessions: done {steps}; failed {len(self.failed)}"
        print(words, file=sys.stderr, flush=True)


def _calm(visitor: Visitor) -> bool:
    """Whether nothing that follows from what was done is under way."""
    shown = visitor.shown
    return not (
        shown["Bar"].get("pending")
        or shown["ObserveGestures"].get("run")
        or shown["PerturbGestures"].get("busy")
    )


def _perturbs(visitor: Visitor) -> bool:
    """Whether the page offers changes of the sea."""
    return "perturb" in [key for key, _ in visitor.shown["Tools"]["tools"]]


def _months(bar: dict[str, Any]) -> list[str]:
    """Return the months or days that the bundle has, from what the bar shows of their splits."""
    return [
        f"{year}-{date}"
        for year, letters in bar["splits"]["entries"]
        for date, letter in zip(bar["dates"], letters, strict=True)
        if letter != "-"
    ]


# -- the server ------------------------------------------------------------------------------


def processes_of(port: int) -> list[psutil.Process]:
    """Return the processes that listen on a port of this machine."""
    found = {
        c.pid
        for c in psutil.net_connections("tcp")
        if c.status == psutil.CONN_LISTEN and c.laddr.port == port and c.pid
    }
    if not found:
        sys.exit(f"No process of yours listens on port {port}, so that its memory is not known.")
    return [psutil.Process(pid) for pid in found]


def memory(server: list[psutil.Process]) -> float:
    """Return the megabytes that these processes share with nobody."""
    return sum(process.memory_full_info().uss for process in server) / 2**20


@contextlib.asynccontextmanager
async def warmed(url: str, asked: argparse.Namespace) -> AsyncIterator[list[psutil.Process]]:
    """Open a page that stays open, so that what all share is there before anything is timed."""
    server = processes_of(urlsplit(url).port or 80)
    print("warming up", file=sys.stderr, flush=True)
    first = Visitor(url, max(asked.patience, 120.0))
    try:
        html = await first.fetch()
        await first.connect(html)
        await first.until(lambda: _calm(first), "the first analysis of the server")
    except FailedError as error:
        sys.exit(f"The page at {url} could not be opened: {error}.")
    await asyncio.to_thread(rest, server)
    yield server
    await first.close()


async def measure(url: str, count: int, asked: argparse.Namespace) -> dict[str, Any]:
    """Let so many people use the page, and return what they measured."""
    AsyncHTTPClient.configure(None, max_clients=CONNECTIONS * count)
    async with warmed(url, asked) as server:
        before, busy = memory(server), worked(server)
        opened: list[float] = []
        begin, own = time.monotonic(), time.process_time()
        people = Class(url, count, asked, lambda: opened.append(memory(server)))
        await people.run()
        seconds = time.monotonic() - begin
        result = {
            "sessions": count,
            "seconds": seconds,
            "times": {
                name: {"p50": statistics.median(t), "p95": percentile(t, 0.95), "count": len(t)}
                for name, t in people.times.items()
                if t
            },
            "frames_a_second": {
                "median": statistics.median(people.frames),
                "worst": min(people.frames),
            }
            if people.frames
            else None,
            "frame_bytes": statistics.median(people.frame_bytes) if people.frame_bytes else None,
            "opened_bytes": statistics.median(visitor.loaded for visitor in people.visitors),
            "said_lost": people.lost,
            "failed": people.failed,
            "memory_a_session": {
                "opened": (opened[0] - before) / count,
                "end": (memory(server) - before) / count,
            },
            "server_processors": (worked(server) - busy) / seconds,
            "driver_processors": (time.process_time() - own) / seconds,
            "load_average": os.getloadavg()[0],
        }
        await people.leave()
    return result


# -- what is said ----------------------------------------------------------------------------


def table(results: list[dict[str, Any]], asked: argparse.Namespace) -> str:
    """Return the results as a table in Markdown."""

    def times(name: str) -> Callable[[dict[str, Any]], str]:
        def cell(result: dict[str, Any]) -> str:
            found = result["times"].get(name)
            return f"{found['p50']:.2f} / {found['p95']:.2f}" if found else "-"

        return cell

    def frames(result: dict[str, Any]) -> str:
        found = result["frames_a_second"]
        return f"{found['median']:.1f} ({found['worst']:.1f})" if found else "-"

    rows: dict[str, Callable[[dict[str, Any]], str]] = {
        **{label: times(name) for name, label in ROWS.items()},
        "frames a second in a drag: the median visitor (the worst)": frames,
        "MB to open the page, scripts included": lambda r: f"{r['opened_bytes'] / 1e6:.1f}",
        "kB a frame": lambda r: f"{r['frame_bytes'] / 1e3:.0f}" if r["frame_bytes"] else "-",
        "pages that said *No answer yet*": lambda r: str(r["said_lost"]),
        "visitors that failed": lambda r: str(len(r["failed"])),
        "memory of the server a visitor, MB: all open (at the end, their months included)": (
            lambda r: "{opened:.1f} ({end:.1f})".format(**r["memory_a_session"])
        ),
        "processors in use: server, driver": (
            lambda r: f"{r['server_processors']:.2f}, {r['driver_processors']:.2f}"
        ),
        "load average at the end": lambda r: f"{r['load_average']:.1f}",
    }
    lines = [
        f"| visitors at once | {' | '.join(str(r['sessions']) for r in results)} |",
        "|---|" + "---|" * len(results),
        *(f"| {label} | {' | '.join(map(cell, results))} |" for label, cell in rows.items()),
    ]
    pace = "all at each step together" if asked.together else "each at their own pace"
    words = (
        f"Seconds, median / 95th percentile, on {os.cpu_count()} cores; {pace}, who came within "
        f"{asked.arrive:g} s, dragged for {asked.drag:g} s and rested for {asked.rest:g} s between "
        f"steps; seed {asked.seed}."
    )
    return "\n".join([*lines, "", words])


def loopback(text: str) -> str:
    """Return the address of a page on this machine, checked."""
    parts = urlsplit(text)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not on this machine: give the page's address as http://localhost:5006/app"
        )
    return text


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sessions", type=int, nargs="+", default=list(SESSIONS))
    parser.add_argument("--url", type=loopback, help="a page that is served on this machine")
    parser.add_argument(
        "--serve", type=shlex.split, default=[], help="more options: --serve='--num-procs 2'"
    )
    parser.add_argument("--together", action="store_true", help="all take each step at once")
    parser.add_argument("--arrive", type=float, default=10.0, help="seconds in which all come")
    parser.add_argument("--drag", type=float, default=5.0, help="seconds that a slider is dragged")
    parser.add_argument("--rest", type=float, default=2.0, help="seconds between steps")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds to wait for anything")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--out", type=Path, help="a page with the marks 'load'")
    asked = parser.parse_args(arguments)
    if min(asked.sessions) < 1 or max(asked.sessions) > 500:
        parser.error("--sessions: from 1 to 500 at once")
    for name in ("arrive", "rest"):
        if not 0 <= getattr(asked, name) <= 600:
            parser.error(f"--{name}: from 0 to 600 seconds")
    for name in ("drag", "patience"):
        if not 0 < getattr(asked, name) <= 600:
            parser.error(f"--{name}: more than 0 and at most 600 seconds")
    return asked


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 1 where a visitor failed."""
    asked = parse(arguments)
    results = []
    for count in asked.sessions:
        # A server of its own for each: what left before must not hide what memory is needed.
        with contextlib.ExitStack() as stack:
            url = asked.url or stack.enter_context(served(free_port(), *asked.serve))[0]
            results.append(asyncio.run(measure(url, count, asked)))
        # What was measured is told at once: a later count may fail.
        print(json.dumps(results[-1]), file=sys.stderr, flush=True)
    if asked.json:
        about = {**machine.described(), "together": asked.together, "seed": asked.seed}
        print(json.dumps({**about, "runs": results}, indent=1))
    else:
        print(table(results, asked))
    if asked.out:
        marks.write(asked.out, "load", table(results, asked))
    return int(any(result["failed"] for result in results))


if __name__ == "__main__":
    sys.exit(main())

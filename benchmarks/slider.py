"""Time a latent slider from its event to the pixels: ``python benchmarks/slider.py``.

Serves the page in a process of its own, opens it in Chromium without a GPU, and measures

- server: from a message's arrival until the changed panes are sent (decode, scores, eight panes);
- end to end: from a slider's ``input`` event until the pixels of all eight changing panes
  (four model maps, four scatters) differ from before, looked at once per animation frame;
- maps: until the pixels of the model maps differ, which the browser draws before the server's
  frame comes (`app/maps/slopes.py`);
- a three second drag: frames per second, and how long after the last event the picture moves on;
- first paint: from asking for the page, in a browser that has seen none, until all model maps are
  drawn;
- the floor: the same event and the same panes in a page that computes nothing (`floor/main.py`).

With ``--url`` it is a page that is served already, for instance while ``load.py --url`` lets others
drag there: only what a visitor waits for is measured then.

Prints a table, and JSON with ``--json``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
from typing import Any

import machine
import psutil
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from serving import free_port, percentile, rest, served

FLOOR = "benchmarks/floor"
# Sliders and no assimilation: nothing but a slider's frame is at work while it is timed.
PLAIN = "tool=explore&model=code&network=none"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Runs in the page. A pane's signature is its canvas sampled at 64 x 32 points: any moved slider
# changes many of them, and eight samples cost a millisecond or two, which counts as ours.
PROBE = """
() => {
  const deep = (root, out = []) => {
    for (const node of root.querySelectorAll("*")) {
      if (node.tagName === "CANVAS") out.push(node)
      if (node.shadowRoot) deep(node.shadowRoot, out)
    }
    return out
  }
  const places = [...document.querySelectorAll(".map.model, .scatter")]
  const maps = places.map((place, i) => place.matches(".map") ? i : -1).filter((i) => i >= 0)
  const panes = places.map((place) => {
    const canvases = []
    for (const node of place.querySelectorAll("*")) {
      if (node.shadowRoot) deep(node.shadowRoot, canvases)
    }
    return canvases.sort((a, b) => b.width * b.height - a.width * a.height)[0]
  })
  const small = document.createElement("canvas")
  small.width = 64
  small.height = 32
  const pen = small.getContext("2d", { willReadFrequently: true })
  pen.imageSmoothingEnabled = false
  const look = (canvas) => {
    pen.clearRect(0, 0, 64, 32)
    pen.drawImage(canvas, 0, 0, 64, 32)
    const data = new Uint32Array(pen.getImageData(0, 0, 64, 32).data.buffer)
    let hash = 0
    for (const value of data) hash = (Math.imul(hash, 31) + value) | 0
    return hash
  }
  const tools = document.querySelector("aside")
  const sliders = []
  for (const node of tools.querySelectorAll("*")) {
    if (!node.shadowRoot) continue
    sliders.push(...node.shadowRoot.querySelectorAll("input[type=range][data-k]"))
  }
  const acks = []
  document.addEventListener("mlda:ack", (e) => acks.push({ at: performance.now(), ...e.detail }))
  const frame = () => new Promise(requestAnimationFrame)
  const set = (k, value, type = "input") => {
    sliders[k].value = value
    sliders[k].dispatchEvent(new Event(type, { bubbles: true }))
  }
  window.bench = {
    panes: panes.length,
    acks,
    async once(k, value) {
      const before = panes.map(look)
      const start = performance.now()
      set(k, value)
      let first = null
      while (performance.now() - start < 60000) {
        await frame()
        const changed = panes.map((pane, i) => look(pane) !== before[i])
        if (first === null && maps.every((i) => changed[i])) first = performance.now() - start
        if (changed.every(Boolean)) return { maps: first, all: performance.now() - start }
      }
      return null
    },
    async drag(k, seconds) {
      const start = performance.now()
      let shown = look(panes[0]), changes = 0, events = 0, last = start
      while (performance.now() - start < 1000 * seconds) {
        // As often as a hand moves a mouse: once per animation frame.
        const t = (performance.now() - start) / 1000
        set(k, 2.5 * Math.sin(2.1 * t))
        events += 1
        await frame()
        const now = look(panes[0])
        if (now !== shown) { shown = now; changes += 1 }
      }
      set(k, 1.5, "input")
      set(k, 1.5, "change")
      const released = performance.now()
      while (performance.now() - released < 1000) {
        await frame()
        const now = look(panes[0])
        if (now !== shown) { shown = now; last = performance.now() }
      }
      return { fps: changes / seconds, events, lag: Math.max(0, last - released) }
    },
  }
  return panes.length
}
"""


# Milliseconds from asking for the page until every model map has two colours or more.
FIRST_MAPS = """
() => new Promise((done) => {
  const pen = Object.assign(document.createElement("canvas"), { width: 32, height: 16 })
    .getContext("2d", { willReadFrequently: true })
  const deep = (root) => [...root.querySelectorAll("*")].flatMap((node) => [
    ...(node.tagName === "CANVAS" ? [node] : []), ...(node.shadowRoot ? deep(node.shadowRoot) : []),
  ])
  const drawn = (place) => {
    const [canvas] = deep(place).sort((a, b) => b.width * b.height - a.width * a.height)
    if (!canvas?.width) return false
    pen.clearRect(0, 0, 32, 16)
    pen.drawImage(canvas, 0, 0, 32, 16)
    return new Set(new Uint32Array(pen.getImageData(0, 0, 32, 16).data.buffer)).size > 8
  }
  const look = () => {
    const places = [...document.querySelectorAll(".map.model")]
    if (places.length && places.every(drawn)) done(performance.now())
    else requestAnimationFrame(look)
  }
  look()
})
"""


def measure(page: Page, moves: int, server_process: psutil.Process | None) -> dict[str, Any]:
    """Move the first slider `moves` times, then drag it for three seconds."""

    def spent() -> float:
        return sum(server_process.cpu_times()[:2]) if server_process else 0.0

    page.wait_for_function("() => document.querySelectorAll('.map').length >= 2", timeout=60000)
    page.evaluate(FIRST_MAPS)
    page.wait_for_timeout(3000)
    panes = page.evaluate(PROBE)
    for i in range(5):
        page.evaluate("([k, v]) => bench.once(k, v)", [0, 0.3 * i + 0.1])
    page.evaluate("() => { bench.acks.length = 0 }")
    before = spent()
    times: list[dict[str, float]] = []
    for i in range(moves):
        value = (1.0 if i % 2 else -1.0) * (0.4 + 0.03 * i)
        took = page.evaluate("([k, v]) => bench.once(k, v)", [0, value])
        if took is None:
            sys.exit("A slider moved and the eight panes did not all change.")
        times.append(took)
        page.wait_for_timeout(30)
    # On a machine that does other things too, the processor's time says what a frame costs.
    processor = 1000 * (spent() - before) / moves
    # Each acknowledgement tells what the batch before it took.
    server = [ack["took"] for ack in page.evaluate("() => bench.acks")][1:]
    drag = page.evaluate("() => bench.drag(0, 3)")
    return {
        "panes": panes,
        "moves": moves,
        "server_ms": {"p50": statistics.median(server), "p95": percentile(server, 0.95)},
        "server_processor_ms": processor,
        **{
            key: {
                "p50": statistics.median(took[part] for took in times),
                "p95": percentile([took[part] for took in times], 0.95),
            }
            for key, part in (("end_to_end_ms", "all"), ("maps_ms", "maps"))
        },
        "drag_3s": {"fps": drag["fps"], "events": drag["events"]},
        "lag_after_release_ms": drag["lag"],
    }


def first_paints(browser: Browser, url: str, size: ViewportSize, loads: int) -> list[float]:
    """Return the milliseconds from asking for the page until its maps are drawn, for each load."""
    times = []
    for _ in range(loads):
        page = browser.new_page(viewport=size)
        page.goto(url, wait_until="commit")
        times.append(float(page.evaluate(FIRST_MAPS)))
        page.close()
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=60, help="slider moves to time")
    parser.add_argument("--loads", type=int, default=7, help="first paints to time")
    parser.add_argument("--size", default="1920x1080", help="window, WIDTHxHEIGHT")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--url", help="a page that is served already")
    arguments = parser.parse_args()
    width, height = (int(part) for part in arguments.size.split("x"))
    size: ViewportSize = {"width": width, "height": height}
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    chromium = os.environ.get("MLDA_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        if arguments.url:
            page = browser.new_page(viewport=size)
            page.goto(f"{arguments.url}?{PLAIN}", timeout=600_000)
            page.wait_for_selector("html[data-listens]", timeout=600_000)
            told = measure(page, arguments.moves, None) | machine.described()
            del told["server_processor_ms"]
            print(json.dumps(told, indent=1))
            return
        for app in (FLOOR, "app"):
            with served(free_port(), app=app) as (url, process):
                page = browser.new_page(viewport=size)
                page.goto(f"{url}?{PLAIN}")
                if app != FLOOR:
                    # A slow machine takes long until the page hears its sliders.
                    page.wait_for_selector("html[data-listens]", timeout=120_000)
                server = psutil.Process(process.pid)
                # The season of the month shown is there; the others are made in its background.
                rest([server])
                found[app] = measure(page, arguments.moves, server)
                page.close()
                if app != FLOOR:
                    paints = first_paints(browser, url, size, arguments.loads)
        browser.close()
    result = found["app"]
    result["floor"] = {
        key: found[FLOOR][key] for key in ("server_ms", "server_processor_ms", "end_to_end_ms")
    }
    result["over_floor"] = result["end_to_end_ms"]["p50"] / found[FLOOR]["end_to_end_ms"]["p50"]
    result["first_paint_ms"] = {"p50": statistics.median(paints), "p95": percentile(paints, 0.95)}
    result["window"] = arguments.size
    result |= machine.described()
    if arguments.json:
        print(json.dumps(result, indent=1))
        return
    rows = [
        ("server, p50 / p95", result["server_ms"], "target p50 < 30"),
        ("event to pixels of the maps, p50 / p95", result["maps_ms"], "target p50 < 50"),
        ("event to pixels of 8 panes, p50 / p95", result["end_to_end_ms"], "target p50 < 100"),
        ("the same, nothing computed (floor)", result["floor"]["end_to_end_ms"], ""),
        ("first paint of the maps, p50 / p95", result["first_paint_ms"], ""),
    ]
    for label, values, target in rows:
        print(f"{label:40} {values['p50']:6.1f} / {values['p95']:6.1f} ms   {target}".rstrip())
    print(f"{'event to pixels, times the floor':40} {result['over_floor']:6.2f}")
    print(f"{'server, processor time a frame':40} {result['server_processor_ms']:6.1f} ms")
    print(f"{'frames per second in a 3 s drag':40} {result['drag_3s']['fps']:6.1f}")
    print(f"{'last change after release':40} {result['lag_after_release_ms']:6.0f} ms")
    print(f"{'load average / cores':40} {result['load_average']:6.1f} / {result['cores']}")


if __name__ == "__main__":
    main()

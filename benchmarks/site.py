"""Time a page without a server in Chromium: ``python benchmarks/site.py speedy``.

Exports the bundle, serves the folder as plain files, and measures, in a browser that has seen
none of it, how long the first picture takes; then a slider's frames (from the ``input`` event to
the images' new values, the linear part of the change), the exact state that follows, and analyses
of 30 and 300 stations, the first and again. Prints JSON; with ``--out`` they are written between
their marks in that page.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import os
import shutil
import statistics
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import machine
from playwright.sync_api import Page, sync_playwright
from slider import FLAGS

from mlda_core.bundle.bundle import load_bundle
from mlda_core.page_state.snapshot import FIRST_MONTH
from mlda_core.plotting.site import export_site, months_for_site

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import marks  # noqa: E402

MARK = "site"
# From an event of the first slider until the frame after the one in which the page drew.
FRAME = """
(value) => new Promise((resolve) => {
  const input = document.querySelector(".slider input"), began = performance.now()
  input.value = value
  input.dispatchEvent(new Event("input"))
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - began)))
})
"""
# What the page itself takes in that frame: its callback was asked for before this one.
WORK = """
(value) => new Promise((resolve) => {
  const input = document.querySelector(".slider input")
  input.value = value
  input.dispatchEvent(new Event("input"))
  requestAnimationFrame((from) => resolve(performance.now() - from))
})
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Any web host."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def analysis(page: Page, stations: int) -> float:
    """Return the seconds from *Assimilate* to the analysis."""
    page.locator("#count").fill(str(stations))
    page.locator("#place").click()
    page.evaluate("delete document.documentElement.dataset.analysed")
    began = page.evaluate("performance.now()")
    page.locator("#assimilate").click()
    page.wait_for_selector("html[data-analysed]", timeout=300_000)
    return float(page.evaluate("performance.now()") - began) / 1000


def measured(url: str, chromium: str | None) -> dict[str, Any]:
    """Return the times of a served site."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(url)
        page.wait_for_selector("html[data-decoded]", timeout=60_000)
        first = page.evaluate("performance.now()") / 1000
        values = [round(0.05 * (i + 1), 2) for i in range(60)]
        work = [page.evaluate(WORK, value) for value in values]
        frames = [page.evaluate(FRAME, -value) for value in values]
        page.wait_for_timeout(1500)
        seconds = {
            f"analysis_{n}_{which}_s": round(analysis(page, n), 2)
            for n in (30, 300)
            for which in ("first", "again")
        }
        browser.close()
    return {
        "first_picture_s": round(first, 2),
        "slider_work_ms_p50": round(statistics.median(work), 1),
        "slider_work_ms_p95": round(sorted(work)[int(0.95 * len(work))], 1),
        "event_to_next_frame_ms_p50": round(statistics.median(frames), 1),
        **seconds,
    }


def main() -> None:
    """Export, serve, measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", nargs="?", default="speedy")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    chromium = os.environ.get("MLDA_CHROMIUM") or shutil.which("chromium")
    bundle = load_bundle(asked.bundle)
    with tempfile.TemporaryDirectory() as folder:
        made = export_site(
            bundle, Path(folder) / "site", months=months_for_site(bundle, FIRST_MONTH)
        )
        handler = functools.partial(Quiet, directory=str(made.path))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found = measured(f"http://localhost:{server.server_address[1]}/", chromium)
        server.shutdown()
    found = {"MB": round(made.size / 1e6, 1), **found, **machine.described()}
    print(json.dumps(found, indent=1))
    if asked.out:
        marks.write(asked.out, MARK, f"\n{table(found)}\n")


def table(found: dict[str, Any]) -> str:
    """Return the times as Markdown."""
    rows = {
        "size of the folder": f"{found['MB']} MB",
        "first picture, from this machine itself": f"{found['first_picture_s']} s",
        "a slider's frame: work on the page, median (95 of 100)": (
            f"{found['slider_work_ms_p50']} ms ({found['slider_work_ms_p95']})"
        ),
        "from its event until the frame after it, median": (
            f"{found['event_to_next_frame_ms_p50']} ms"
        ),
        "analysis of 30 stations: the first, with its files; again": (
            f"{found['analysis_30_first_s']} s; {found['analysis_30_again_s']} s"
        ),
        "analysis of 300 stations: the first; again": (
            f"{found['analysis_300_first_s']} s; {found['analysis_300_again_s']} s"
        ),
    }
    lines = ["| what | takes |", "|---|---|", *(f"| {k} | {v} |" for k, v in rows.items())]
    on = f"{found['processor']}, {found['cores']} cores, {found['day']}"
    return "\n".join([*lines, "", f"In Chromium without a GPU on {on}."])


if __name__ == "__main__":
    main()

"""Open, use and close fifty visits, and watch the server's memory.

Run ``python benchmarks/sessions.py``.

Serves the page in a process of its own. Each visit is a real one in Chromium: open the page, move
sliders, change month, projection and view, draw a random state, leave. The server's resident
memory may grow while caches fill (the first ten visits), and has to stay level after that.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time

import psutil
from playwright.sync_api import Browser, sync_playwright
from serving import free_port, served
from slider import FLAGS

# Sessions are looked for and dropped every second instead of every 17, so as not to wait for it.
QUICK = ("--check-unused-sessions", "1000", "--unused-session-lifetime", "1000")


def visit(browser: Browser, url: str) -> None:
    """Do what a visitor does, and leave."""
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    page.goto(url)
    page.wait_for_selector(".strip .month", timeout=60000)
    page.wait_for_selector("#maps canvas", state="attached", timeout=60000)
    idle = "() => !document.documentElement.hasAttribute('data-busy')"
    slider = page.locator("input[type=range][data-k='0']")
    slider.focus()
    for _ in range(15):
        page.keyboard.press("ArrowRight")
    page.locator("[data-month='6']").click()
    page.wait_for_function(idle)
    page.select_option("#projection", "north")
    page.wait_for_function(idle)
    page.locator("[data-fields=full]").click()
    page.locator("#random").click()
    page.wait_for_function(idle)
    page.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    chromium = os.environ.get("MLDA_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    trace: dict[int, float] = {}
    with served(free_port(), *QUICK) as (url, process), sync_playwright() as playwright:
        server = psutil.Process(process.pid)
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for i in range(1, arguments.sessions + 1):
            visit(browser, url)
            if i % 10 == 0 or i == arguments.sessions:
                time.sleep(4)
                trace[i] = round(server.memory_info().rss / 2**20, 1)
                if not arguments.json:
                    print(f"{i:4d} visits  {trace[i]:7.1f} MB", flush=True)
        browser.close()
    counts = sorted(trace)
    grown = (trace[counts[-1]] - trace[counts[0]]) / max(counts[-1] - counts[0], 1)
    if arguments.json:
        print(json.dumps({"megabytes": trace, "growth_per_visit": grown}))
    else:
        print(f"growth after the first {counts[0]}: {grown:.2f} MB a visit")


if __name__ == "__main__":
    main()

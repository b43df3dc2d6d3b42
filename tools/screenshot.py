"""Take the README's picture of the page: ``python tools/screenshot.py``.

Serves the page, waits until its first view is complete, and saves it as docs/images/page.png.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from serving import free_port, served  # type: ignore[import-not-found]  # noqa: E402
from slider import FLAGS  # type: ignore[import-not-found]  # noqa: E402


def main() -> None:
    """Serve, look, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "page.png")
    parser.add_argument("--size", default="1920x1080", help="window, WIDTHxHEIGHT")
    parser.add_argument("--query", default="", help="state to show, such as '?theme=dark'")
    parser.add_argument("--enlarge", default="", help="variable to show enlarged, such as 'pr'")
    arguments = parser.parse_args()
    width, height = (int(part) for part in arguments.size.split("x"))
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    chromium = os.environ.get("MLDA_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with served(free_port()) as (url, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": height})
        # The first response takes a minute on a busy machine.
        page.set_default_timeout(240_000)
        page.goto(url + arguments.query)
        page.wait_for_selector(".strip .month")
        page.wait_for_selector("#maps canvas", state="attached")
        # From then on the tool's form is built.
        page.wait_for_selector("html[data-listens]")
        page.wait_for_timeout(3000)
        # The first analysis forms for some seconds.
        page.wait_for_function("() => !document.documentElement.hasAttribute('data-busy')")
        page.wait_for_timeout(500)
        if arguments.enlarge:
            page.locator(f"[data-variable={arguments.enlarge}] .map.model").dblclick()
            page.mouse.move(5, 5)
            page.wait_for_timeout(1000)
        page.screenshot(path=arguments.out)
        browser.close()
    # One step of 256 is not told apart by eye; every second one keeps the file under 1 MB.
    picture = (
        Image.open(arguments.out).convert("RGB").point(lambda value: min(255, (value + 1) // 2 * 2))
    )
    picture.save(arguments.out, optimize=True)
    print(f"{arguments.out}: {arguments.out.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()

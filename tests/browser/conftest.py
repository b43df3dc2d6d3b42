"""A served page and a Chromium to look at it with."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Error, expect, sync_playwright

# Chromium makes two pages for the popup of each window's address bar, which nobody sees here: a
# tenth of the CPU time of opening a page. It takes the last list alone, so that what matters here
# of Playwright's own comes along.
ABSENT = [
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "AimEnabled",
    "HttpsUpgrades",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(ABSENT)}",
]

# Playwright's own five seconds are a time, and no test measures how fast a machine is.
expect.set_options(timeout=30_000)

# What the pages of most tests show.
PLAIN = ("tool=explore", "model=code", "network=none")
# What a click on a map does on a page that was just opened.
AS_OPENED = {"mode": "place", "first": True}


class Server:
    """``panel serve app`` in a process of its own, from the root of the repository."""

    def __init__(self, root, *words, prefix="", port=0, **env):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = port or probe.getsockname()[1]
        self.url = f"http://localhost:{self.port}{prefix}/app"
        words = [*(["--prefix", prefix] if prefix else []), *words]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "panel", "serve", "app", "--port", str(self.port), *words],
            cwd=root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **env},
        )
        deadline = time.monotonic() + 240
        while True:
            try:
                urllib.request.urlopen(self.url, timeout=60).read()  # noqa: S310
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.stop()
                    pytest.fail("'panel serve app' does not answer.")
                time.sleep(0.3)
            else:
                return

    def kill(self):
        """End it as a crash does."""
        self.process.kill()
        self.process.wait(timeout=20)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=20)


@pytest.fixture(scope="session")
def server(repo_root):
    running = Server(repo_root)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser(chromium_path):
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield made
        made.close()


class Visitor:
    """One browser page, and what a test wants to know of it."""

    def __init__(self, browser, url, width=1920, height=1080):
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, accept_downloads=True
        )
        self.page = self.context.new_page()
        self.requests, self.errors = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        # The first page of a server takes longest: it is drawn before it is sent.
        self.page.goto(url, timeout=120_000)
        self.page.wait_for_selector("ol.first li", state="attached", timeout=60_000)
        self.page.wait_for_selector(".strip .month", timeout=60_000)
        self.page.wait_for_selector("#maps canvas", state="attached", timeout=60_000)
        # What is sent before waits; the forms are built after it.
        self.page.wait_for_selector("html[data-listens]", timeout=120_000)
        self.settle()

    def settle(self, quiet=0.35, limit=60.0):
        """Wait until the maps stop changing."""
        try:
            self.page.wait_for_function(
                "() => !document.documentElement.hasAttribute('data-busy')", timeout=1000 * limit
            )
        except Error:
            waits = self.page.evaluate("JSON.stringify(window.mldaUnderWay)")
            pytest.fail(f"The page waits for an answer: by control {waits}; '{self.status()}'.")
        before, since = self.pixels(), time.monotonic()
        deadline = since + limit
        while time.monotonic() - since < quiet and time.monotonic() < deadline:
            # Reading every canvas costs more than waiting: three looks, not six.
            self.page.wait_for_timeout(1000 * quiet / 3)
            now = self.pixels()
            if now != before:
                before, since = now, time.monotonic()

    def pixels(self, places=".map, .scatter"):
        """Return a hash of each pane's picture, by variable and kind."""
        return self.page.evaluate(
            """(places) => {
              const canvases = (root) => [...root.querySelectorAll("*")].flatMap((node) => [
                ...(node.tagName === "CANVAS" ? [node] : []),
                ...(node.shadowRoot ? canvases(node.shadowRoot) : []),
              ])
              const out = {}
              for (const place of document.querySelectorAll(places)) {
                const [canvas] = canvases(place).sort((a, b) => b.width - a.width)
                const name = place.closest("[data-variable]").dataset.variable + " " +
                  place.className.replace("map ", "")
                if (!canvas || !canvas.width) { out[name] = 0; continue }
                const { width, height } = canvas
                // Without its rim: Bokeh does not clear the outermost row and column.
                const pen = canvas.getContext("2d")
                const { data } = pen.getImageData(2, 2, width - 4, height - 4)
                let hash = 0
                for (let i = 0; i < data.length; i += 4) {
                  hash = (Math.imul(hash, 31) + data[i] + 7 * data[i + 1] + 13 * data[i + 2]) | 0
                }
                out[name] = hash
              }
              return out
            }""",
            places,
        )

    def changed(self, before):
        """Return the kinds of panes that differ from before."""
        self.settle()
        after = self.pixels()
        return {name for name in after if after[name] != before[name]}

    def follow(self, query):
        """Go to a link without loading the page, and put back what no link holds.

        It goes the way of the browser's back button.
        """
        # The pointer, an enlarged row, a mode of drawing, a zoom.
        self.page.mouse.move(5, 5)
        self.page.evaluate("document.activeElement.blur()")
        self.page.keyboard.press("Escape")
        self.page.locator("#home").evaluate("(button) => button.click()")
        self.page.evaluate(
            """(query) => {
              history.pushState({}, "", location.pathname + query)
              dispatchEvent(new PopStateEvent("popstate"))
            }""",
            query,
        )
        self.settle()

    def left(self):
        """Return what the hand on the maps does, of what neither a link nor `follow` puts back."""
        return self.page.evaluate(
            """() => {
              const find = (document) => document.get_model_by_name("observe-as")
              const observed = Bokeh.documents.map(find).find(Boolean)
              const first = observed?.options[0]
              return {
                mode: document.documentElement.dataset.pointer ?? "place",
                first: !observed || observed.value === (Array.isArray(first) ? first[0] : first),
              }
            }"""
        )

    def until(self, true, limit=60.0, *, missing=lambda: "What was waited for did not come."):
        """Wait until ``true()`` is; a failure says what is missing."""
        deadline = time.monotonic() + limit
        while not true():
            if time.monotonic() > deadline:
                pytest.fail(missing())
            self.page.wait_for_timeout(100)

    def until_changed(self, before, panes, limit=30.0):
        """Wait until all of these panes differ from before."""
        self.until(
            lambda: panes <= self.changed(before),
            limit,
            missing=lambda: f"Not changed: {sorted(panes - self.changed(before))}.",
        )

    def until_back(self, before, places=".map, .scatter", limit=30.0):
        """Wait until the panes are what they were before."""

        def still():
            now = self.pixels(places)
            return f"Still changed: {sorted(name for name in now if now[name] != before[name])}."

        self.settle()
        self.until(lambda: self.pixels(places) == before, limit, missing=still)

    def asks(self, **wanted):
        """Wait until the link says this; None for what it is not to say."""

        def says(url):
            found = parse_qs(urlparse(url).query)
            return all(found.get(k, [None])[0] == value for k, value in wanted.items())

        self.page.wait_for_url(says)

    def until_drawn(self, before, limit=60.0):
        """Wait until any pane differs from before, though more may be under way."""
        self.until(lambda: self.pixels() != before, limit, missing=lambda: "Nothing was drawn.")

    @property
    def form(self):
        """The form of the tool Observe; it comes once the maps are drawn."""
        return self.page.locator("#tool-observe")

    def button(self, name):
        """Return a button of the form by its whole name."""
        return self.form.get_by_role("button", name=name, exact=True)

    def choose_mode(self, name):
        """Choose what the pointer does on maps."""
        self.form.get_by_role("radio", name=name).click()

    def choose(self, label, option):
        """Choose an option of one of the form's lists, both by what they are called."""
        self.form.get_by_label(label, exact=True).select_option(label=option)

    def slider(self, k=0):
        return self.page.locator(f"input[type=range][data-k='{k}']")

    def number(self, k=0):
        return self.page.locator(f"input.num[data-k='{k}']")

    def value(self, k=0):
        """Return the number beside a slider; the page writes a real minus sign."""
        return float(self.number(k).input_value().replace("\N{MINUS SIGN}", "-"))

    def text(self, selector):
        """Return the text of the first match, shadow roots included."""
        return self.page.locator(selector).first.evaluate(
            """(place) => {
              const read = (node) => node.nodeType === 3 ? node.data
                : ["STYLE", "SCRIPT"].includes(node.tagName) ? ""
                : [...(node.shadowRoot?.childNodes ?? []), ...node.childNodes].map(read).join("")
              return read(place)
            }"""
        )

    def status(self):
        return self.page.locator(".status").inner_text()

    def says(self, words):
        """Wait until the line of messages holds these words."""
        expect(self.page.locator(".status")).to_contain_text(words, timeout=30_000)

    def close(self):
        self.context.close()


def plain(query):
    """Return a link to the sliders and the code of the month, but for what it says itself."""
    return "&".join([query or "?", *(p for p in PLAIN if p.split("=")[0] not in query)])


@pytest.fixture
def visit(browser, server):
    """Open the page; what a test opened is closed after it, and no script may have failed."""
    opened = []

    def open_page(query="", *, url=None, first=False, **size):
        # The first view, with its analysis, by ``first``.
        if not first:
            query = plain(query)
        visitor = Visitor(browser, (url or server.url) + query, **size)
        opened.append(visitor)
        return visitor

    yield open_page
    errors = [error for visitor in opened for error in visitor.errors]
    for visitor in opened:
        visitor.close()
    assert errors == []


@pytest.fixture(scope="session")
def pages():
    """The pages that stay open, by server and bundle."""
    return {}


@pytest.fixture
def revisit(request, browser, server, pages):
    """Go to a link on a page that stays open, which costs a fifth of the CPU time of opening one.

    A state of the page is what its link says; the history of its steps is that of the tests
    before. A test that changes anything that neither a link nor `Visitor.follow` puts back opens a
    page of its own, by ``visit``. After a test that failed the next one gets a new page.
    """
    used = {}
    failed = request.session.testsfailed

    def go(query="", *, url=None):
        # Without one in the link the page keeps the theme that it has.
        query = plain(query) + ("" if "theme=" in query else "&theme=light")
        key = url or server.url, parse_qs(query.lstrip("?")).get("bundle", [""])[0]
        if key in pages:
            pages[key].follow(query)
        else:
            pages[key] = Visitor(browser, key[0] + query)
        used[key] = pages[key]
        return pages[key]

    yield go
    errors = [error for visitor in used.values() for error in visitor.errors]
    bad = errors or request.session.testsfailed > failed
    # A test that left "Difference" chosen made another's click the first of two, in some runs only.
    left = [] if bad else [visitor.left() for visitor in used.values()]
    for key, visitor in used.items():
        if bad or any(kept != AS_OPENED for kept in left):
            visitor.close()
            del pages[key]
    assert errors == []
    assert [kept for kept in left if kept != AS_OPENED] == []


@pytest.fixture(scope="module")
def serve(repo_root):
    """Serve the page with other options, or another environment, until the file's tests are done.

    A server makes its twelve seasons meanwhile, which takes 40 s of the processor.
    """
    running = []

    def start(*words, **env):
        running.append(Server(repo_root, *words, **env))
        return running[-1]

    yield start
    for server in running:
        server.stop()

"""The page in the frame that a notebook shows."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from app import mlda_app

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def notebook_with():
    """Serve an output of a cell as a notebook does: a page of another port of this machine."""
    servers = []

    def serve(output):
        class Notebook(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(f"<!doctype html><h1>A notebook</h1>{output}".encode())

            def log_message(self, *_):
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Notebook))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://localhost:{servers[-1].server_port}/"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_notebooks_frame_shows_the_page(browser, speedy, notebook_with):
    frame = mlda_app(speedy, "?tool=explore&model=code&network=none&month=1998-01", height=600)
    page = browser.new_page()
    try:
        page.goto(notebook_with(frame._repr_html_()), wait_until="commit")
        shown = page.frame_locator("iframe")
        expect(shown.locator("html[data-listens]")).to_be_attached(timeout=240_000)
        expect(shown.locator(".when .month")).to_have_text("January 1998")
        shown.locator("#next").click()
        expect(shown.locator(".when .month")).to_have_text("February 1998")
    finally:
        page.close()
        frame.close()

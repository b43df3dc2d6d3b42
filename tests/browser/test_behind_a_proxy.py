"""The page under a prefix behind a proxy: nothing of it knows the server's own address."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import segno
from forwarding import Forwarder
from playwright.sync_api import expect

# A server of its own starts within the first test.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("proxy"),
]

PREFIX = "/teach/mlda"


@pytest.fixture(scope="module")
def proxy():
    made = Forwarder()
    yield made
    made.close()


@pytest.fixture(scope="module")
def behind(serve, proxy):
    """The address at the proxy; the server lets in nobody who comes by another."""
    origin = f"localhost:{proxy.port}"
    words = ("--use-xheaders", "--allow-websocket-origin", origin)
    server = serve(*words, prefix=PREFIX)
    proxy.lead_to(server.port)
    return server, f"http://{origin}{PREFIX}/app"


def test_it_opens_answers_shares_and_gives_files_away(visit, behind):
    server, address = behind
    visitor = visit(url=address)
    page = visitor.page
    # Scripts, styles and the page itself come by the proxy alone, under the prefix.
    asked = [urlsplit(url) for url in visitor.requests if url.startswith("http")]
    assert len(asked) > 10
    assert {parts.netloc for parts in asked} == {urlsplit(address).netloc}
    assert {parts.path.startswith(f"{PREFIX}/") for parts in asked} == {True}

    # The channel: the server answers, and the address bar keeps the prefix.
    before = visitor.pixels()
    page.locator("[data-month='6']").click()
    visitor.asks(month="1997-06")
    visitor.until_drawn(before)
    assert urlsplit(page.url).path == f"{PREFIX}/app"

    page.locator("#share").click()
    dialog = page.locator("#shared")
    expect(dialog).to_be_visible()
    link = dialog.locator(".link").input_value()
    parts = urlsplit(link)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == address
    assert str(server.port) not in link
    assert parse_qs(parts.query)["month"] == ["1997-06"]
    code = segno.make(link, error="l", micro=False)
    drawn = code.svg_data_uri(border=4, omitsize=True, dark="#000", light="#fff")
    assert dialog.locator(".code").get_attribute("src") == drawn
    # It is drawn, not only named.
    assert dialog.locator(".code").evaluate("(image) => image.complete && image.naturalWidth > 20")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()

    page.locator("#download").click()
    with page.expect_download(timeout=120_000) as given:
        page.locator("[data-file=netcdf]").click()
    assert given.value.suggested_filename == "mlda-1997-06-state.nc"
    assert given.value.path().read_bytes()[:4] in (b"\x89HDF", b"CDF\x01", b"CDF\x02", b"CDF\x05")

    # What was shared opens for somebody else, as it was shown.
    other = visit(link[len(address) :], url=address)
    assert other.text(".strip .month").strip() == "June 1997"


def test_the_code_of_a_link_is_enlarged_and_closed_by_a_click(visit, behind):
    _, address = behind
    page = visit(url=address).page
    page.locator("#share").click()
    expect(page.locator("#shared")).to_be_visible()
    code, larger = page.locator("#shared .code"), page.locator("#shared [data-large]")
    small = code.bounding_box()["width"]
    larger.click()
    expect(larger).to_have_attribute("aria-pressed", "true")
    assert code.bounding_box()["width"] > 1.3 * small
    assert code.bounding_box()["height"] < page.viewport_size["height"]
    page.locator("#shared .close").click()
    expect(page.locator("#shared")).to_be_hidden()

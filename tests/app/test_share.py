"""A link is shown as text and as a code that holds just that, and says who can open it."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
import segno

from app.share import LONGEST_PAGE, shared
from mlda_core.page_state.settings import InvalidStateError

PAGE = "https://met.example.org/teach/app"


def test_the_link_has_the_address_by_which_the_visitor_came():
    made = shared(PAGE, "month=1997-12&tool=observe")
    assert made["type"] == "link"
    assert made["link"] == f"{PAGE}?month=1997-12&tool=observe"
    # No word: nothing is wrong with it.
    assert made["words"] == ""


def test_the_code_is_of_the_link():
    made = shared(PAGE, "month=1997-12")
    same = segno.make(f"{PAGE}?month=1997-12", error="l", micro=False)
    other = segno.make(f"{PAGE}?month=1997-11", error="l", micro=False)

    def path(code):
        return code.svg_data_uri(border=4, omitsize=True, dark="#000", light="#fff")

    assert made["code"] == path(same) != path(other)
    # Its quiet zone is white in the dark theme too, else no phone finds it.
    assert "fill='#fff'" in unquote(made["code"])
    assert made["code"].startswith("data:image/svg+xml")


@pytest.mark.parametrize("length", [1400, 5000])
def test_a_link_too_long_for_a_phone_has_no_code_and_says_so(length):
    made = shared(PAGE, "rows=" + "x" * length)
    assert made["code"] == ""
    assert "too long for a QR code" in made["words"]
    assert len(made["link"]) > length


@pytest.mark.parametrize(
    "page", ["http://localhost:5006/app", "http://127.0.0.1:5006/app", "http://[::1]:5006/app"]
)
def test_a_link_to_this_computer_alone_says_so(page):
    assert "Only this computer" in shared(page, "")["words"]
    assert "HOST=0.0.0.0" in shared(page, "")["words"]


@pytest.mark.parametrize(
    "page",
    [
        None,
        3,
        "",
        "app",
        "javascript:alert(1)",
        "http://",
        "http://[",
        f"{PAGE}?month=1",
        f"{PAGE}#a",
        PAGE + "x" * LONGEST_PAGE,
    ],
)
def test_what_is_no_address_is_refused(page):
    with pytest.raises(InvalidStateError, match="no address of its own"):
        shared(page, "month=1997-12")

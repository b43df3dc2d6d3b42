"""Figures of what is shown: each format, its caption, one row or all."""

import re
import sys

import pytest

from app.downloads.columns import shown_columns
from app.downloads.figure import FORMATS, Caption, FigureRequest, draw_figure
from app.maps import frames
from mlda_core.climate.errors import ExtraError

MONTH = "1997-12"
BEGINS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
CAPTION = Caption("Target (left) and model (right)", MONTH, notes=("Observations: 3 stations.",))


@pytest.fixture
def request_of(tiny):
    frame = frames.draw(tiny, frames.Request(MONTH, tiny.code(MONTH), "robinson", full=False))

    def make(**how):
        return FigureRequest(tiny, shown_columns(tiny, frame), "robinson", CAPTION, **how)

    return make


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_a_figure_is_of_its_format(request_of, kind):
    assert draw_figure(request_of(variables=("tos",)), kind).startswith(BEGINS[kind])


@pytest.mark.slow
def test_the_caption_says_columns_month_bundle_and_more(request_of):
    text = draw_figure(request_of(), "svg").decode()
    (said,) = re.findall(r"<dc:description>(.*?)</dc:description>", text, re.DOTALL)
    for part in ("Target (left) and model (right) of 1997-12", "Tiny", "3 stations"):
        assert part in said
    # Titles of maps stand in the file beside the outlines of their letters.
    assert all(f"<!-- {title} -->" in text for title in ("Target: Sea-level pressure",))
    assert "Model: Sea surface temperature" in text


def test_one_variable_is_one_row(request_of):
    text = draw_figure(request_of(variables=("tos",)), "svg").decode()
    assert "Target: Sea surface temperature" in text
    assert "Sea-level pressure" not in text


def test_without_the_plotting_package_the_reason_is_said(request_of, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlda_core.plotting", None)
    with pytest.raises(ExtraError, match="needs the extra 'plot'"):
        draw_figure(request_of(), "png")

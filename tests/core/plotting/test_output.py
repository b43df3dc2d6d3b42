"""Figures as files: the same bytes for the same figure, letters embedded, a caption."""

import re
import zlib
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from mlda_core.climate.time_step import DAY
from mlda_core.climate.variables import DEFAULTS
from mlda_core.plotting import caption, cost_curve, field_map, look_of, save
from mlda_core.plotting.look import PlotError

LOOK = look_of(DEFAULTS["tas"])


@pytest.fixture
def picture(grid, field):
    return field_map(field, grid, LOOK, stippled=field > 1, backend="matplotlib")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_a_figure_gives_the_same_bytes(picture, grid, field, kind, tmp_path):
    again = field_map(field, grid, LOOK, stippled=field > 1, backend="matplotlib")
    files = [
        save(p, tmp_path / f"{i}.{kind}", caption="A map.") for i, p in enumerate((picture, again))
    ]
    first, second = (path.read_bytes() for path in files)
    assert len(first) > 5000
    assert first == second


def test_a_pdf_embeds_its_fonts_and_keeps_lines_as_lines(picture, tmp_path):
    data = save(picture, tmp_path / "map.pdf", caption="A map.").read_bytes()
    # TrueType, whole or in part, in the file itself; no outlines as of type 3.
    assert b"/FontFile2" in data
    assert b"/Type3" not in data
    streams = [
        zlib.decompress(s)
        for s in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
        if s[:1] == b"x"
    ]
    # Coastlines: hundreds of line segments.
    assert max(len(re.findall(rb" l\n", s)) for s in streams) > 300


def test_an_svg_needs_no_font(picture, tmp_path):
    text = save(picture, tmp_path / "map.svg").read_text()
    assert "<text" not in text
    assert "<path" in text
    assert "<image" in text


def test_a_png_has_as_many_dots_as_asked(picture, tmp_path):
    wide = Image.open(save(picture, tmp_path / "a.png"))
    small = Image.open(save(picture, tmp_path / "b.png", dpi=100))
    assert round(wide.info["dpi"][0]) == 300
    assert wide.width == pytest.approx(3 * small.width, rel=0.02)


def test_a_caption_makes_the_figure_higher(picture, tmp_path):
    without = Image.open(save(picture, tmp_path / "a.png", dpi=100))
    under = Image.open(save(picture, tmp_path / "b.png", dpi=100, caption="Words " * 60))
    assert under.height > without.height + 20
    assert abs(under.width - without.width) < 0.1 * without.width
    lowest = np.asarray(under.convert("L"))[-30:]
    assert lowest.min() < 128


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_a_caption_is_text_in_the_file_too(picture, tmp_path, kind):
    data = save(picture, tmp_path / f"a.{kind}", caption="Of December.").read_bytes()
    assert b"Of December." in data


def test_the_readers_own_settings_stay(picture, tmp_path):
    before = dict(mpl.rcParams)
    save(picture, tmp_path / "a.pdf")
    assert dict(mpl.rcParams) == before


def test_the_caption_says_month_method_bundle_and_base_period(analysis):
    words = caption(analysis.bundle, month="1982-07", method=analysis.method)
    for part in ("1982-07", "VAE", "A small climate", "small", "1979-1988, training years"):
        assert part in words


def test_the_caption_of_days_says_a_daily_climatology(analysis):
    days = SimpleNamespace(
        title="Days", name="d", base_period="1981", seasons=SimpleNamespace(step=DAY)
    )
    assert "daily climatology" in caption(days, month="1984-03-01")
    assert "monthly climatology" in caption(analysis.bundle, month="1982-07")


@pytest.mark.parametrize("name", ["map.jpg", "map", "map.PDFX"])
def test_other_formats_are_refused(picture, tmp_path, name):
    with pytest.raises(PlotError, match=r"end it with \.pdf, \.svg or \.png"):
        save(picture, tmp_path / name)


def test_a_figure_of_the_other_backend_is_refused(grid, field, tmp_path):
    with pytest.raises(PlotError, match='backend="matplotlib"'):
        save(field_map(field, grid, LOOK), tmp_path / "map.png")
    with pytest.raises(PlotError, match='backend="matplotlib"'):
        save(cost_curve((2.0, 1.0)), tmp_path / "cost.png")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_refused(picture, tmp_path):
    with pytest.raises(PlotError, match="no folder"):
        save(picture, tmp_path / "none" / "map.png")


@pytest.mark.parametrize("dpi", [0, -1, float("nan")])
def test_a_resolution_of_nothing_is_refused(picture, tmp_path, dpi):
    with pytest.raises(PlotError, match="dots an inch"):
        save(picture, tmp_path / "map.png", dpi=dpi)

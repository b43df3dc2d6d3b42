"""Slider thumbnails and legends."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from app.maps import thumbnails
from app.maps.color_scales import colours
from app.maps.legends import legend_html, legend_ticks
from app.text import number
from mlda_core.climate.variables import DEFAULTS


def test_a_thumbnail_is_a_small_png(tiny):
    latent = thumbnails.latent(tiny, 0, 1)
    head, data = latent.thumb.split(",")
    assert head == "data:image/png;base64"
    raw = base64.b64decode(data)
    assert len(raw) < 12_000
    image = Image.open(io.BytesIO(raw)).convert("RGB")
    assert image.size == (thumbnails.WIDTH, thumbnails.HEIGHT)
    assert len(np.unique(np.asarray(image).reshape(-1, 3), axis=0)) > 20


def test_it_is_labelled_with_what_moves_most(tiny):
    for k in range(tiny.n_latent):
        i = int(np.argmax(tiny.direction_share[k]))
        assert thumbnails.latent(tiny, k, 1).label == tiny.variables[i].label


@pytest.mark.parametrize("variable", DEFAULTS.values(), ids=DEFAULTS)
@pytest.mark.parametrize("full", [True, False])
def test_legends_name_the_units_and_end_at_the_limits(variable, full):
    text = legend_html(variable, full=full)
    assert variable.label in text
    assert ("anomaly" in text) is not full
    low, high = variable.field_limits if full else (-variable.anomaly_limit, variable.anomaly_limit)
    ticks = legend_ticks(low, high, full=full)
    assert (ticks[0], ticks[-1]) == (low, high)


def test_a_record_of_anomalies_is_no_full_temperature():
    given = replace(DEFAULTS["tas"], name="tasa", standard_name="surface_temperature_anomaly")
    assert "<i>anomaly as recorded, " in legend_html(given, full=True)
    assert "as recorded" not in legend_html(given, full=False)
    assert "as recorded" not in legend_html(DEFAULTS["tas"], full=True)


def test_diverging_colours_are_neutral_in_the_middle():
    for variable in DEFAULTS.values():
        middle = colours(variable.anomaly_cmap)[127]
        rgb = [int(middle[i : i + 2], 16) for i in (1, 3, 5)]
        assert min(rgb) > 235


@pytest.mark.parametrize(
    ("value", "text"), [(1.234, "1.23"), (-0.5, "−0.50"), (float("nan"), "–"), (-0.001, "0.00")]
)
def test_numbers_are_written_for_people(value, text):
    assert number(value) == text

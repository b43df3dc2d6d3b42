"""Pictures beside the sliders."""

import base64
import io

import numpy as np
from PIL import Image

from app.maps import thumbnails


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

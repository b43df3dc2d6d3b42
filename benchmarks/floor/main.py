"""The floor of `make bench`: the page's panes and its slider, and a server that computes nothing.

One range input sends its events through the page's own channel, and the server answers with the
next of some frames made beforehand, in the page's own packet. What this page takes from event to
pixels is the browser's, Bokeh's and the network's; what the page takes more is the page's.
"""

from __future__ import annotations

import itertools

import numpy as np
import panel as pn

from app.components import Control
from app.maps import frames
from app.maps.figures import Figures
from app.maps.projections import choices_of
from app.warm_up import bundle_of_process
from app.web_files import read

FRAMES = 16

_ESM = """
export function render({ model }) {
  const line = channel(model)
  const slider = document.createElement("input")
  Object.assign(slider, { type: "range", min: -8, max: 8, step: 0.01, value: 0 })
  slider.dataset.k = "0"
  slider.addEventListener("input", () => line.send({ type: "z", value: Number(slider.value) }))
  serverListens()
  return slider
}
"""

_TEMPLATE = """
{% extends base %}
{% block postamble %}<style>{{ css }}</style>{% endblock %}
{% block contents %}
<div class="page"><div class="body"><aside>{{ embed(roots.slider) }}</aside>
<div class="right"><main id="maps"><div class="rows" style="--n: {{ variables|length }}">
<div class="row heads"></div>
{% for name in variables %}<section class="row" data-variable="{{ name }}">
<div class="legend"></div>
<div class="map target">{{ embed(roots[name ~ '_target']) }}</div>
<div class="map model">{{ embed(roots[name ~ '_model']) }}</div>
<div class="scatter"><div class="square">{{ embed(roots[name ~ '_scatter']) }}</div></div>
</section>{% endfor %}
</div></main></div></div></div>
{% endblock %}
"""


class Slider(Control):
    """One range input, with the page's back-pressure."""

    _esm = read("channel.js") + _ESM


def serve() -> None:
    """Put the page into the current document."""
    bundle = bundle_of_process()
    projection = choices_of(bundle.grid)[0].key
    rng = np.random.default_rng(0)
    made = []
    for _ in range(FRAMES):
        z = rng.standard_normal(bundle.n_latent).astype(np.float32)
        made.append(
            frames.draw(bundle, frames.Request(bundle.months[0], z, projection, full=False))
        )
    figures = Figures(bundle, made[0], "light")
    following = itertools.cycle(made[1:])
    # A slider's frame changes model maps and scatters only.
    moving = {"model", "scatter"}
    for frame in made:
        for pane in [pane for pane in frame.panes if pane[1] not in moving]:
            del frame.panes[pane]
    page = pn.Template(_TEMPLATE)
    page.add_variable("css", read("page.css"))
    page.add_variable("variables", [variable.name for variable in bundle.variables])
    page.add_panel("slider", Slider(lambda _: figures.write(next(following)), ready=True))
    for (name, kind), figure in figures.figures.items():
        page.add_panel(f"{name}_{kind}", pn.pane.Bokeh(figure, sizing_mode="stretch_both"))
    page.servable()


serve()

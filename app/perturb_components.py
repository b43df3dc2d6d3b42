"""The controls of the tool Perturb: parameters on this side, plain HTML on the other."""

from __future__ import annotations

import param

from app.components import Control, read


class Perturb(Control):
    """The tool Perturb: changes of the sea, what is held, what the answer is compared with."""

    patches = param.List(default=[], doc="Where, kelvin, enabled and selected of each change.")
    most = param.Number(default=5.0, doc="The largest amount, kelvin, either way.")
    regions = param.List(default=[], doc="Key and label of each named region.")
    helds = param.List(default=[], doc="Key, label and question of what can be held.")
    variables = param.List(default=[], doc="Name and label of each variable.")
    experiments = param.List(default=[], doc="Key and label of the GCM's runs; none: no data.")
    settings = param.Dict(default={}, doc="What is held and shown; drawn boxes in words.")
    mode = param.String(doc="What dragging on a map draws: '' or 'box', 'lasso', 'over', 'within'.")
    words = param.Dict(default={}, doc="What the page says of change, response and sensitivity.")
    busy = param.Boolean(doc="Whether a response is under way.")

    _esm = read("channel.js") + read("pointer.js") + read("perturb.js")
    _stylesheets = [read("chrome.css") + read("perturb.css")]  # noqa: RUF012


class PerturbHeading(Control):
    """Above the columns while the tool Perturb is chosen: what they show."""

    views = param.List(default=[], doc="Key and label of what can be shown.")
    view = param.String()
    per_kelvin = param.Boolean()
    fade = param.Boolean()
    titles = param.List(default=["", "", ""], doc="Above both maps and the scatter; the 2nd short.")
    note = param.String(doc="What the columns show just now, in words.")

    _esm = read("channel.js") + read("perturb_heading.js")
    _stylesheets = [read("chrome.css") + read("heading.css")]  # noqa: RUF012

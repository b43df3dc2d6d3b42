"""What the form of the tool Perturb shows, as plain values, and what it sends."""

from __future__ import annotations

from typing import Any

import param

from app.tools.form_panel import FormPanel


class PerturbPanel(FormPanel):
    """The values that the form shows: `app.tools.perturb_form` builds it, once its tool is open."""

    most = param.Number(default=5.0, doc="The largest amount, kelvin, either way.")
    regions = param.List(default=[], doc="Key and short label of each named region.")
    helds = param.List(default=[], doc="Key, label and question of what can be held.")
    variables = param.List(default=[], doc="Name and label of each variable.")
    experiments = param.List(default=[], doc="Key and label of the GCM's runs; none: no data.")

    patches = param.List(default=[], doc="Where, kelvin, enabled and selected of each change.")
    settings = param.Dict(default={}, doc="What is held and shown; drawn boxes in words.")
    words = param.Dict(default={}, doc="What the page says of change, response and sensitivity.")
    busy = param.Boolean(doc="Whether a response is under way.")

    def set(self, name: str, value: Any) -> None:
        """Ask for another value of a setting."""
        self.send(type="sea-set", name=name, value=value)

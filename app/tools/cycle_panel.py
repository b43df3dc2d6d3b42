"""What the form of the tool Cycle shows, as plain values, and what it sends."""

from __future__ import annotations

from typing import Any

import param

from app.tools.form_panel import FormPanel


class CyclePanel(FormPanel):
    """The values that the form shows: `app.tools.cycle_form` builds it, once its tool is open."""

    methods = param.List(default=[], doc="Key, label and sentence of each method.")
    variables = param.List(default=[], doc="Name and label of each variable.")
    areas = param.List(default=[], doc="Key and label of each area.")

    settings = param.Dict(default={}, doc="Method, stations, variable and area of the curves.")
    words = param.Dict(default={}, doc="What the page says of run, network and observation.")
    playing = param.Boolean(doc="Whether the run goes on by itself.")
    begun = param.Boolean(doc="Whether there is a run.")
    within = param.Boolean(doc="Whether the day shown is of the run.")
    done = param.Integer(default=0, doc="Days that are cycled.")
    total = param.Integer(default=0, doc="Days of the run.")

    def set(self, name: str, value: Any) -> None:
        """Ask for another value of a setting."""
        self.send(type="cycle-set", name=name, value=value)

    def act(self, action: str) -> None:
        """Ask for something to be done with the run."""
        self.send(type="cycle-run", action=action)

"""What the form of the tool Observe shows, as plain values, and what it sends."""

from __future__ import annotations

from typing import Any

import param

from app.tools.form_panel import FormPanel


class ObservePanel(FormPanel):
    """The values that the form shows: `app.tools.observe_form` builds it, once its tool is open."""

    kinds = param.List(default=[], doc="Key, label and settings of each network.")
    whole = param.String(default="globe", doc="What people read where neither land nor sea is.")
    methods = param.List(default=[], doc="Key, label and heeded settings of each method.")
    variables = param.List(default=[], doc="Name, label and short label of each variable.")
    as_kinds = param.List(default=[], doc="Code and label of what can be placed by hand.")
    trial = param.String(doc="The experiment of one observation, in words; '' where there is none.")

    settings = param.Dict(default={}, doc="What is observed and how it is assimilated.")
    region_words = param.String(doc="The drawn region, in words.")
    counts = param.Dict(default={}, doc="How many observations there are, in words and numbers.")
    costs = param.List(default=[], doc="Prior, observations and total of each step's cost.")
    outcome = param.String(doc="How the analysis ended, in words.")
    outcome_help = param.String(doc="What the numbers in it are.")
    values = param.String(doc="Where the values come from, in words.")
    months = param.String(doc="Which values are of another month than that shown, in words.")
    run = param.String(doc="'' or 'live', 'step', 'paused': what is under way.")
    rejected = param.List(default=[], doc="Row and reason of what a file had that cannot be.")
    rejected_words = param.String()
    hint = param.String(doc="What the next click places, where one does not do.")
    reading = param.String(doc="The observation under the pointer, in words.")

    def set(self, name: str, value: Any) -> None:
        """Ask for another value of a setting."""
        self.send(type="observing", name=name, value=value)

    @property
    def used(self) -> list[str]:
        """The settings that the network chosen has."""
        kind = self.settings["kind"]
        return next((used for key, _, used in self.kinds if key == kind), [])

    @property
    def heeded(self) -> list[str]:
        """The settings that the method chosen has, of those that some methods lack."""
        method = self.settings["method"]
        return next((heeded for key, _, heeded in self.methods if key == method), [])

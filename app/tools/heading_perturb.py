"""Above the columns while the tool Perturb is chosen: what the second shows, and all titles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import param

from app.components import Handler
from app.glossary import info
from app.tools.form_panel import FormPanel
from app.widgets import Choice, HeadingNote, Tick, explained, heading

# The glossary's term of what the columns show, where it is not the response.
TERMS = {"sensitivity": "sensitivity", "atlas": "atlas"}


class PerturbHeading(FormPanel):
    """Values of the heading, and its widgets, which follow them.

    Parameters
    ----------
    handler : callable
        Is given the messages of one batch, in order.
    views : sequence of (str, str)
        Key and label of what can be shown.
    """

    view = param.String(default="sum")
    per_kelvin = param.Boolean()
    fade = param.Boolean()
    pair = param.List(default=["", "", ""], doc="Above the first map and the scatter; short.")
    note = param.String(doc="What the columns show just now, in words.")
    hint = param.String(doc="Why the second column is empty; '' where it is not.")
    stale = param.Boolean(doc="Whether the columns are still of another month than the heading's.")

    def __init__(self, handler: Handler | None, views: Sequence[tuple[str, str]]) -> None:
        super().__init__(handler)
        self._views = dict(views)
        self.choice = Choice(
            "What the columns show",
            lambda key: self._set("view", key),
            self._views,
            self.view,
            css_classes=["heading", "content", "shows-view"],
        )
        self.divide = Tick(
            "per kelvin",
            lambda on: self._set("per_kelvin", on),
            title="Divide by the mean change of the sea",
            css_classes=["heading"],
        )
        self.faded = Tick(
            "fade",
            lambda on: self._set("fade", on),
            title="Fade what is smaller than one posterior standard deviation of a single month",
            css_classes=["heading"],
        )
        self.about = explained("response")
        self.said = HeadingNote(status=True)
        self.root = heading()
        self.built = False

    def build(self) -> None:
        """Put the widgets in their place, unless they are there."""
        if self.built:
            return
        self.built = True
        self.show()
        self.param.watch(lambda *_: self.show(), [n for n in PerturbHeading.param if n != "name"])
        self.root.objects = [
            self.choice.widget,
            self.about,
            self.divide.widget,
            self.faded.widget,
            self.said.pane,
        ]

    def _set(self, name: str, value: Any) -> None:
        self.send(type="sea-set", name=name, value=value)
        # What was refused shows what is in force again.
        self.show()

    def show(self) -> None:
        """Show what is in force."""
        self.choice.show(self.view)
        self.about.object = info(TERMS.get(self.view, "response"))
        shown = self.view == "response"
        self.divide.show(self.per_kelvin, visible=shown)
        self.faded.show(self.fade, visible=shown)
        self.said.show(self.note, stale=self.stale)

    def titles(self) -> dict[str, str]:
        """Return what is said of the columns elsewhere on the page."""
        first, long, short = self.pair
        return {
            "--first-title": first,
            # Over the maps themselves, where there is room for it.
            "--hint-perturb": self.hint,
            "--second-title": self._views.get(self.view, ""),
            "#first-title": first,
            "#against-title": long,
            "#against-short": short,
        }

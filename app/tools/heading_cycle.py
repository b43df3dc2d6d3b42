"""Above the columns while the tool Cycle is chosen: what stands beside the truth, and titles."""

from __future__ import annotations

from collections.abc import Mapping

import param

from app.components import Handler
from app.tools.cycle_text import VIEWS
from app.tools.form_panel import FormPanel
from app.widgets import Choice, HeadingNote, heading


class CycleHeading(FormPanel):
    """Values of the heading, and its widgets, which follow them.

    Parameters
    ----------
    handler : callable
        Is given the messages of one batch, in order.
    views : mapping of str to str
        Labels of what can be shown, by key.
    """

    view = param.String(default="analysis")
    note = param.String(doc="What the column shows just now, in words.")
    stale = param.Boolean(doc="Whether the columns are still of another day than the heading's.")

    def __init__(self, handler: Handler | None, views: Mapping[str, str]) -> None:
        super().__init__(handler)
        self._views = dict(views)
        self.choice = Choice(
            "What stands beside the truth",
            self._ask,
            self._views,
            self.view,
            css_classes=["heading", "content", "shows-view"],
        )
        self.said = HeadingNote(status=True)
        self.root = heading()
        self.built = False

    def build(self) -> None:
        """Put the widgets in their place, unless they are there."""
        if self.built:
            return
        self.built = True
        self.show()
        self.param.watch(lambda *_: self.show(), ["view", "note", "stale"])
        self.root.objects = [self.choice.widget, self.said.pane]

    def _ask(self, key: str) -> None:
        self.send(type="cycle-set", name="view", value=key)
        # What was refused shows what is in force again.
        self.show()

    def show(self) -> None:
        """Show what is in force."""
        self.choice.show(self.view)
        self.said.show(self.note, stale=self.stale)

    def titles(self) -> dict[str, str]:
        """Return what is said of the columns elsewhere on the page."""
        up = VIEWS[self.view][1]
        return {
            "--first-title": "Truth",
            "--second-title": self._views[self.view],
            "#first-title": "Truth",
            "#against-title": f"{up} ↑ against truth →",
            "#against-short": f"{up} ↑ truth →",
        }

"""Above the column beside the model: the target, or another method's analysis."""

from __future__ import annotations

from collections.abc import Sequence

import param

from app.components import Handler
from app.tools.form_panel import FormPanel
from app.widgets import Choice, HeadingNote, explained, heading, text


class ComparisonHeading(FormPanel):
    """Values of the heading, and its widgets, which follow them.

    Parameters
    ----------
    handler : callable
        Is given the messages of one batch, in order.
    views : sequence of (str, str)
        Key and label of what can be shown.
    """

    beside = param.String(default="target")
    name_within = param.String(default="target", doc="What it is, within a sentence.")
    quantity = param.String(doc="What of another method stands there, such as 'increment'.")
    note = param.String(doc="What is amiss with it just now, in words.")
    stale = param.Boolean(doc="Whether the column is still of another month than the heading's.")

    def __init__(self, handler: Handler | None, views: Sequence[tuple[str, str]]) -> None:
        super().__init__(handler)
        self._views = list(views)
        self.choice = Choice(
            "What stands beside the model",
            self._ask,
            dict(self._views),
            self.beside,
            css_classes=["heading", "beside"],
        )
        self.said = HeadingNote(status=True)
        alone = len(self._views) < 2
        first = text("<b>Target</b>", "only") if alone else self.choice.widget
        self.root = heading(first, explained("target"), self.said.pane)
        names = [name for name in ComparisonHeading.param if name != "name"]
        self.param.watch(lambda *_: self.show(), names)
        self.show()

    def _ask(self, key: str) -> None:
        self.send(type="beside", value=key)
        self.show()

    def labels(self) -> dict[str, str]:
        """Return what can be shown; of another method's, what of it is shown."""
        return {
            key: f"{label}: {self.quantity}" if key == self.beside != "target" else label
            for key, label in self._views
        }

    def show(self) -> None:
        """Show what is in force."""
        self.choice.show(self.beside, self.labels())
        self.said.show(self.note, stale=self.stale)

    def titles(self) -> dict[str, str]:
        """Return what is said of the column elsewhere on the page."""
        # For a variable that is enlarged, whose maps stand without these headings.
        return {
            "--beside-title": self.labels()[self.beside],
            ".against .other": self.name_within,
        }

"""Above the column beside the model: the target, a pinned state, or another method's analysis."""

from __future__ import annotations

from collections.abc import Sequence

import param

from app.components import Handler
from app.glossary import info
from app.tools.form_panel import FormPanel
from app.widgets import Choice, HeadingNote, button, explained, heading, text
from mlda_core.page_state.observations import PINNED


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
    pinned = param.Boolean(doc="Whether there is a pinned state to be shown.")
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
        self.unpin = button(
            "Unpin",
            lambda: self.send(type="unpin"),
            "Let go of the pinned state: the target stands here again",
            css_classes=["tight", "unpin"],
        )
        self.said = HeadingNote(status=True)
        self.about = explained("target")
        # Instead of the list, while there is nothing to choose from.
        self.only = text("<b>Target</b>", "only")
        self.root = heading(self.only, self.choice.widget, self.about, self.unpin, self.said.pane)
        names = [name for name in ComparisonHeading.param if name != "name"]
        self.param.watch(lambda *_: self.show(), names)
        self.show()

    def _ask(self, key: str) -> None:
        self.send(type="beside", value=key)
        self.show()

    def labels(self) -> dict[str, str]:
        """Return what can be shown; of another method's, what of it is shown."""
        return {
            key: f"{label}: {self.quantity}" if self._of_method(key) else label
            for key, label in self._views
            if key != PINNED or self.pinned
        }

    def _of_method(self, key: str) -> bool:
        return key == self.beside and key not in ("target", PINNED)

    def show(self) -> None:
        """Show what is in force."""
        labels, pinned = self.labels(), self.beside == PINNED
        alone = len(labels) < 2
        self.only.visible = alone
        self.choice.show(self.beside, labels, visible=not alone)
        self.about.object = info("pinned state" if pinned else "target")
        self.unpin.visible = pinned
        self.said.show(self.note, stale=self.stale)

    def titles(self) -> dict[str, str]:
        """Return what is said of the column elsewhere on the page."""
        # For a variable that is enlarged, whose maps stand without these headings.
        return {
            "--beside-title": self.labels()[self.beside],
            ".against .other": self.name_within,
        }

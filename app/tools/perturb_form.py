"""The form of the tool Perturb: Panel's widgets, built when the tool is first open.

Not before the maps are drawn, as the form of Observe (docs/decisions/0016).
"""

from __future__ import annotations

from typing import Any

from app.tools.form_response import ResponseForm
from app.tools.form_sea import SeaForm
from app.tools.perturb_panel import PerturbPanel
from app.widgets import form_column

# What of the panel's values the form shows.
SHOWN = ["patches", "settings", "words", "busy"]


class PerturbForm:
    """The form.

    Parameters
    ----------
    panel : PerturbPanel
        What it shows.
    atlas : panel.viewable.Viewable
        The controls of the atlas, below it.
    """

    def __init__(self, panel: PerturbPanel, atlas: Any) -> None:
        self._panel, self._atlas = panel, atlas
        # Empty until it is built: a page that opens holds this alone.
        self.root = form_column()
        self.parts: tuple[SeaForm, ResponseForm] | None = None

    def build(self) -> None:
        """Build the widgets, unless they are there."""
        if self.parts is not None:
            return
        sea, response = SeaForm(self._panel), ResponseForm(self._panel)
        self.parts = (sea, response)
        self.show()
        self._panel.param.watch(lambda *_: self.show(), SHOWN)
        self.root.objects = [*sea.parts, *response.parts, self._atlas]

    def show(self) -> None:
        """Show what is in force."""
        for part in self.parts or ():
            part.show()

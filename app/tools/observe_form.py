"""The form of the tool Observe: Panel's widgets, built when the tool is first open.

Not before the maps are drawn: fifty widgets would delay them (docs/decisions/0016).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import panel as pn

from app.tools.form_analysis import AnalysisForm
from app.tools.form_network import NetworkForm
from app.tools.form_pointer import PointerForm
from app.tools.form_rows import RowsForm
from app.tools.observe_panel import ObservePanel
from app.widgets import block, form_column

# What of the panel's values the form shows.
SHOWN = [
    "settings", "region_words", "counts", "costs", "outcome", "outcome_help", "values", "months",
    "run", "rejected", "rejected_words", "hint", "reading", "trial",
]  # fmt: skip


@dataclass(frozen=True)
class Inserts:
    """What stands within the form.

    Parameters
    ----------
    chart, members, next_place, card, table : panel.viewable.Viewable
        The cost by step, how members are drawn, the controls of *Where next?*, the card of an
        observation, the table.
    """

    chart: Any
    members: Any
    next_place: Any
    card: Any
    table: Any


class ObserveForm:
    """The form, and the table below it.

    Parameters
    ----------
    panel : ObservePanel
        What it shows.
    inserts : Inserts
    """

    def __init__(self, panel: ObservePanel, inserts: Inserts) -> None:
        self._panel, self._inserts = panel, inserts
        # Empty until they are built: a page that opens holds these alone.
        self.root = form_column()
        self.listing = pn.Column(margin=0, sizing_mode="stretch_both")
        self.parts: tuple[NetworkForm, AnalysisForm, PointerForm, RowsForm] | None = None

    def build(self) -> None:
        """Build the widgets, unless they are there."""
        if self.parts is not None:
            return
        panel, inserts = self._panel, self._inserts
        network, analysis = NetworkForm(panel), AnalysisForm(panel, inserts.chart)
        pointer = PointerForm(panel, inserts.card)
        rows = RowsForm(panel, lambda: pointer.kind.widget.value)
        self.parts = (network, analysis, pointer, rows)
        self.show()
        panel.param.watch(lambda *_: self.show(), SHOWN)
        self.root.objects = [
            *network.rows.values(),
            *analysis.root,
            inserts.members,
            inserts.next_place,
            block(*pointer.parts, *rows.parts),
        ]
        self.listing.objects = [inserts.table]

    def show(self) -> None:
        """Show what is in force."""
        for part in self.parts or ():
            part.show()

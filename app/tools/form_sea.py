"""The form of Perturb: the changes of the sea."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import panel as pn

from app.components import AmountSlider
from app.tools.perturb_panel import PerturbPanel
from app.widgets import (
    Button,
    Choice,
    Tick,
    attributes,
    button,
    change_list,
    change_row,
    fields,
    text,
)

# What a drag over a map draws is known in the browser alone.
_DRAW = "document.dispatchEvent(new CustomEvent('mlda:draw', {{detail: '{}'}}))"
LABEL = "Changes of the sea; they add up"
EMPTY = "The sea is as it was. Add a region, or draw on a map."


def draw_button(mode: str, label: str, title: str) -> Button:
    """Return a button after which a drag over a map draws."""
    made = button(
        label, lambda: None, title, model_name=f"perturb-{mode}", css_classes=[f"draw-{mode}"]
    )
    made.jscallback(clicks=_DRAW.format(mode))
    return made


@dataclass(frozen=True)
class ChangeRow:
    """The controls of one change of the sea."""

    on: Tick
    amount: AmountSlider
    gone: Button
    root: pn.Row


class SeaForm:
    """Inputs of the changes of the sea, and how much of it they change.

    Parameters
    ----------
    panel : PerturbPanel
    """

    def __init__(self, panel: PerturbPanel) -> None:
        self._panel = panel
        # Rows stay when changes go: they would be drawn anew, and the keyboard's place be lost.
        self.rows: list[ChangeRow] = []
        self.add = Choice(
            "Add a region",
            self._add,
            {
                "": "Add a region …",
                **{k: "Everywhere" if k == "globe" else label for k, label in panel.regions},
            },
            "",
            css_classes=["raised", "grows"],
        )
        self.changes = change_list(LABEL)
        self.empty = text(f"<p>{EMPTY}</p>", "empty")
        self.change = text(name="change", sizing_mode="stretch_width")
        self.clear = button("Clear", lambda: panel.send(type="sea-clear"))
        self.beyond = text(name="beyond", sizing_mode="stretch_width")
        self.outcome = text(
            name="answered",
            sizing_mode="stretch_width",
            html_attributes={"role": "status", "aria-live": "polite"},
        )
        self.parts = (
            text("<h2>Change the sea</h2>", "head", term="patch"),
            fields(
                self.add.widget,
                draw_button("box", "Draw box", "Drag a box over a map"),
                draw_button("lasso", "Draw lasso", "Draw round a part of the sea with the pointer"),
            ),
            self.changes,
            self.empty,
            fields(self.change, self.clear),
            self.beyond,
            self.outcome,
        )

    def _add(self, region: str) -> None:
        if region:
            self._panel.send(type="sea-add", region=region)
            self.show()

    def _row(self, at: int) -> ChangeRow:
        panel = self._panel
        on = Tick("", lambda on: self._enable(at, on), css_classes=["bare"])
        amount = AmountSlider(
            panel.receive, at=at, most=panel.most, margin=0, sizing_mode="stretch_width"
        )
        gone = button(
            "Delete",
            lambda: panel.send(type="sea-delete", at=at),
            "Delete",
            css_classes=["cross", "gone"],
        )
        return ChangeRow(on, amount, gone, change_row(on.widget, amount, gone))

    def _enable(self, at: int, on: bool) -> None:
        self._panel.send(type="sea-edit", at=at, enabled=on)

    def show(self) -> None:
        """Show what is in force."""
        panel = self._panel
        while len(self.rows) < len(panel.patches):
            self.rows.append(self._row(len(self.rows)))
        if len(self.rows) != len(self.changes.objects):
            self.changes.objects = [row.root for row in self.rows]
        for at, row in enumerate(self.rows):
            self._show_row(at, row)
        # Beside the GCM the changes of the sea are those of its runs.
        inert = {"inert": ""} if panel.settings["view"] == "gcm" else {}
        self.changes.html_attributes = {**attributes(LABEL, "group"), **inert}
        self.add.show("")
        self.empty.visible = not panel.patches
        self.clear.visible = len(panel.patches) > 1
        words = panel.words
        self.change.object = f"<p>{escape(words['change'])}</p>"
        # It comes while an amount is dragged: its room is kept, so that nothing moves.
        self.beyond.param.update(
            object=f"<p>{escape(words['beyond'])}</p>" if words["beyond"] else "",
            min_height=54 if panel.patches else 0,
        )
        busy = " busy" if panel.busy else ""
        self.outcome.object = f'<p class="outcome{busy}">{escape(words["outcome"])}</p>'

    def _show_row(self, at: int, row: ChangeRow) -> None:
        if at >= len(self._panel.patches):
            row.root.visible = False
            return
        patch = self._panel.patches[at]
        where, on = patch["where"], patch["on"]
        row.on.show(on, options={f"{where} counts": "on"})
        row.amount.put(where=where, kelvin=patch["kelvin"], counts=on)
        row.gone.name = f"Delete {where}"
        classes = ["patch", f"at{at}", *(["selected"] if patch["selected"] else [])]
        row.root.param.update(css_classes=classes, visible=True)

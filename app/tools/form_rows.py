"""The form of Observe: what is done to observations that are selected, typed or in a file."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from app.components import LARGEST_FILE
from app.tools.observe_panel import ObservePanel
from app.widgets import Choice, button, fields, file_input, text, text_input
from mlda_core.page_state.settings import plain

MANY = {
    "withhold": ("Withhold", ""),
    "restore": ("Restore", ""),
    "delete": ("Delete", ""),
    "all": ("All", "Select all observations"),
}


class RowsForm:
    """Buttons and inputs of the observations themselves.

    Parameters
    ----------
    panel : ObservePanel
    kind : callable
        Returns what is placed: a value, a bound or a report.
    """

    def __init__(self, panel: ObservePanel, kind: Callable[[], Any]) -> None:
        self._panel, self._kind = panel, kind
        self.chosen = text(name="grows")
        self.many = {
            action: button(
                label,
                lambda action=action: panel.send(type="obs-many", action=action),  # type: ignore[misc]
                title,
                css_classes=["tight"],
            )
            for action, (label, title) in MANY.items()
        }
        self.variable = Choice(
            "Variable",
            lambda _: None,
            {name: short for name, _, short in panel.variables},
            panel.variables[0][0],
            css_classes=["raised", "short"],
        )
        self.lat, self.lon = text_input("lat", self._put), text_input("lon", self._put)
        self.put = button("Place", self._put, "Observe at these coordinates", css_classes=["last"])
        self.trial = button(
            panel.trial or "Try one alone",
            lambda: panel.send(type="trial"),
            "One observation, and the increment that it makes: by the model's method, and by "
            "ensemble OI beside it",
        )
        self.file = file_input("Upload CSV", ".csv,.txt,text/csv,text/plain")
        self.file.param.watch(self._upload, "value")
        self.download = button("Download CSV", lambda: panel.send(type="obs-download"))
        self.counts = text(name="grows")
        self.rejected = text(name="line", sizing_mode="stretch_width")
        self.hidden = text(name="line", sizing_mode="stretch_width")
        self.reading = text(name="line", sizing_mode="stretch_width", min_height=33)
        self.trial_row = fields(self.trial)
        self.parts = (
            fields(self.chosen, *self.many.values(), name="tight"),
            fields(self.variable.widget, self.lat, self.lon, self.put),
            self.trial_row,
            fields(self.file, self.download, self.counts),
            self.rejected,
            self.hidden,
            self.reading,
        )

    def _put(self) -> None:
        lat, lon = (plain(str(field.value)) for field in (self.lat, self.lon))
        name = self.variable.widget.value
        self._panel.send(type="obs-put", variable=name, lat=lat, lon=lon, **{"as": self._kind()})

    def _upload(self, event: Any) -> None:
        if event.new is None:
            return
        name, given = str(self.file.filename or "the file"), bytes(event.new)
        # Else the same file could not be given once more.
        self.file.clear()
        if len(given) > LARGEST_FILE:
            self._panel.send(type="obs-too-large", name=name, size=len(given))
            return
        text_of = given.decode("utf-8-sig", errors="replace")
        self._panel.send(type="obs-upload", name=name, text=text_of)

    def show(self) -> None:
        """Show what is selected, how many there are, and what could not be read."""
        panel, counts = self._panel, self._panel.counts
        count = counts["chosen"]
        said = f"{count} selected" if count else "none selected"
        self.chosen.object = f'<span class="chosen">{said}</span>'
        for action, made in self.many.items():
            made.disabled = not (counts["n"] if action == "all" else count)
        self.trial_row.visible = bool(panel.trial)
        hidden = escape(counts["hidden"])
        self.counts.object = f'<p class="counts" title="{hidden}">{escape(counts["words"])}</p>'
        self.hidden.param.update(object=f'<p class="hid">{hidden}</p>', visible=bool(hidden))
        self.rejected.param.update(
            object=rejected_words(panel.rejected_words, panel.rejected),
            visible=bool(panel.rejected),
        )
        self.reading.object = f'<p class="reading">{escape(panel.reading)}</p>'


def rejected_words(words: str, rows: list[Any]) -> str:
    """Return the rows of a file that were refused as HTML, with the reason of each.

    >>> rejected_words("1 of 2 rows refused:", [[1, "no <place>"]]).count("&lt;place&gt;")
    1
    """
    listed = "".join(f"<li><b>row {row}</b> {escape(why)}</li>" for row, why in rows)
    return (
        f'<details class="rejected" open><summary>{escape(words)}</summary>'
        f"<ol>{listed}</ol></details>"
    )

"""The form of Observe: what the pointer does on the maps."""

from __future__ import annotations

from html import escape
from typing import Any

from app.tools.observe_panel import ObservePanel
from app.widgets import Choice, Tick, explained, fields, text

MODES = {"place": "Place", "ask": "Ask", "box": "Box", "lasso": "Lasso"}
_EXPLAINED = (
    "Place: click a map to observe there, a marker to withhold or restore it (with Shift its "
    "whole station); drag a marker to move it. Ask: click a marker to see why it changed much or "
    "nothing, any other place to see what is known there; in the table, Space selects a row. "
    "Box: drag a box over a map to select its observations. Lasso: draw round observations to "
    "select them"
)
# The mode is held in the browser, which may set it itself: a drag may follow the choice at once.
_CHOSEN = (
    "if (cb_obj.active !== null) document.dispatchEvent(new CustomEvent('mlda:mode', "
    f"{{detail: {list(MODES)}[cb_obj.active]}}))"
)
_KIND = "document.dispatchEvent(new CustomEvent('mlda:as'))"


class PointerForm:
    """What a click and a drag on a map do; the browser reads it with each gesture.

    Parameters
    ----------
    panel : ObservePanel
    card : panel.viewable.Viewable
        The card of the observation that is selected.
    """

    def __init__(self, panel: ObservePanel, card: Any) -> None:
        self._panel = panel
        self.mode = Choice(
            "What the pointer does on maps",
            lambda _: None,
            MODES,
            "place",
            segments=True,
            title=_EXPLAINED,
            model_name="observe-mode",
            css_classes=["tall"],
        )
        self.mode.widget.jscallback(value=_CHOSEN)
        self.station = Tick(
            "whole station",
            lambda _: None,
            title="Withhold, and select by box or lasso, all that a station observes",
            model_name="observe-station",
            css_classes=["last"],
        )
        self.kind = Choice(
            "Observe as",
            lambda code: panel.send(type="obs-as", value=code),
            dict(panel.as_kinds),
            panel.as_kinds[0][0],
            title="What a click on a map places: a value, a bound, or a report in words as "
            "diaries hold; the mean over a box that is dragged, or the difference of two places",
            model_name="observe-as",
            css_classes=["labelled", "grows"],
        )
        # A drag may follow the choice at once.
        self.kind.widget.jscallback(value=_KIND)
        self.hint = text(name="line", sizing_mode="stretch_width")
        self.months = text(
            name="line", sizing_mode="stretch_width", html_attributes={"role": "status"}
        )
        self.values = text(name="line", sizing_mode="stretch_width")
        self.parts = (
            fields(self.mode.widget, self.station.widget),
            fields(self.kind.widget, explained("kind of observation")),
            self.hint,
            card,
            self.months,
            self.values,
        )

    def show(self) -> None:
        """Show where the values come from."""
        shown = ((self.hint, "hint"), (self.months, "months"), (self.values, "values"))
        for pane, name in shown:
            said = getattr(self._panel, name)
            pane.param.update(object=f'<p class="{name}">{escape(said)}</p>', visible=bool(said))

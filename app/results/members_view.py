"""The part *Members*: stamps of all, contours of one value, and the two that differ most."""

from __future__ import annotations

from typing import Any

import panel as pn

from app.charts.members import SpaghettiChart, StampsChart
from app.maps.legends import key_html
from app.results.panel import Foot
from app.web_files import read
from app.widgets import Choice, button, column, figure_pane, row, span, text

MODES = {"stamps": "Stamps", "spaghetti": "Spaghetti"}


class MembersView:
    """Both pictures, and what is chosen.

    Parameters
    ----------
    foot : Foot
    """

    def __init__(self, foot: Foot) -> None:
        self._foot, self._quiet = foot, False
        self.mode = Choice(
            "Members as",
            lambda key: foot.send(type="members-mode", value=key),
            MODES,
            "stamps",
            segments=True,
            title="Small maps of all members, or the contour of one value of each",
        )
        self.level = pn.widgets.FloatInput(
            label="Value of the contour",
            value=0.0,
            step=0.5,
            width=84,
            margin=0,
            align="center",
            stylesheets=[read("widgets/number.css")],
        )
        self.level.param.watch(self._on_level, "value")
        self.flip = button(
            "Flip the two that differ most",
            lambda: foot.send(type="members-flip"),
            "Show one of the two members that differ most in all variables, then the other",
        )
        self.scale = text(name="scale", stylesheets=[read("key.css")])
        self.words = text(name="said", sizing_mode="stretch_width")
        self.stamps = StampsChart(
            lambda member: foot.send(type="member-shown", value=member),
            foot.theme,
            foot.records[0],
        )
        self.spaghetti = SpaghettiChart(foot.theme)
        self.root = column(
            row(self.mode.widget, self.level, self.flip, self.scale, self.words),
            figure_pane(self.stamps.figure),
            figure_pane(self.spaghetti.figure),
            name="members",
        )
        foot.param.watch(self._show, ["members", "opened"])
        foot.param.watch(self._repaint, "theme")
        self._show()

    def _on_level(self, event: Any) -> None:
        if not self._quiet and event.new is not None:
            self._foot.send(type="members-level", value=event.new)

    def _repaint(self, event: Any) -> None:
        self.stamps.set_theme(event.new)
        self.spaghetti.set_theme(event.new)

    def _show(self, *_: Any) -> None:
        foot, shown = self._foot, self._foot.members
        if "members" not in foot.opened:
            return
        mode = shown.get("mode", "stamps")
        self.mode.show(mode)
        self.level.visible = mode == "spaghetti"
        self._quiet = True
        try:
            self.level.value = shown.get("level", 0.0)
        finally:
            self._quiet = False
        # The figure's own: a pane of Panel that is shown again takes it back from the figure.
        for key, chart in (("stamps", self.stamps), ("spaghetti", self.spaghetti)):
            chart.figure.visible = key == mode
        if "image" in shown:
            record = next(v for v in foot.records if v.name == shown["variable"])
            self.stamps.draw(shown["image"], shown["n"], record, shown["projection"])
            self.scale.object = key_html(record, "model")
        self.scale.visible = mode == "stamps" and "image" in shown
        self.stamps.mark(shown.get("member", 0))
        if "lines" in shown:
            self.spaghetti.draw(shown["lines"], shown["projection"])
        self.words.object = span("of", shown.get("words", ""), status=True)

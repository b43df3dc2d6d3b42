"""The form of Observe: what is observed, and where."""

from __future__ import annotations

from typing import Any

from app.tools.observe_panel import ObservePanel
from app.widgets import Choice, Number, Ticks, button, explained, fields, text
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.settings import field_of

# What a spacing begins with where a number of stations stood, and the other way round.
FIRST = {"spacing": 2000, "count": 100}
# Kilometres between ships, and whatever else has no number of its own, by default.
APART = 500
# Starts a drag over a map, or takes it back: known in the browser alone.
_DRAW = "document.dispatchEvent(new CustomEvent('mlda:mode', {detail: 'region'}))"


class NetworkForm:
    """Inputs of the network.

    Parameters
    ----------
    panel : ObservePanel
    """

    def __init__(self, panel: ObservePanel) -> None:
        self._panel = panel
        year, count, spacing = (
            field_of(ObservationSettings, name) for name in ("year", "count", "spacing")
        )
        self.kind = Choice(
            field_of(ObservationSettings, "kind")["label"],
            lambda key: self._set("kind", key),
            {key: label for key, label, _ in panel.kinds},
            panel.kinds[0][0],
            css_classes=["labelled", "grows"],
        )
        self.year = Number(
            year["label"],
            lambda value: self._set("year", value),
            title=year["title"],
            width=86,
            css_classes=["labelled"],
        )
        self.amount = Number(
            "How many, or how far apart",
            lambda value: self._set(str(self.given.widget.value), value),
            width=58,
        )
        self.given = Choice(
            "Given as",
            lambda name: self._set(name, FIRST[name]),
            {"count": count["label"], "spacing": spacing["label"]},
            "count",
            css_classes=["raised"],
        )
        self.variables = Ticks(
            "Variables",
            lambda names: self._set("variables", names),
            {name: short for name, _, short in panel.variables},
            title="What is observed: " + ", ".join(label for _, label, _ in panel.variables),
        )
        self.domain = Choice(
            field_of(ObservationSettings, "domain")["label"],
            lambda key: self._set("domain", key),
            {"globe": panel.whole, "land": "land", "sea": "sea"},
            "globe",
            css_classes=["labelled", "raised"],
        )
        self.draw = button(
            "Draw region",
            lambda: None,
            "Drag a box over a map: stations only within it",
            model_name="observe-region",
            css_classes=["presses"],
        )
        self.draw.jscallback(clicks=_DRAW)
        self.everywhere = button(
            "Everywhere again",
            lambda: self._set("region", None),
            "Everywhere again",
            css_classes=["cross"],
        )
        self.rows = {
            "kind": fields(
                self.kind.widget, self.year.widget, explained("network (of observations)")
            ),
            "amount": fields(self.amount.widget, self.given.widget),
            "variables": fields(text("Variables", "what"), self.variables.widget),
            "where": fields(self.domain.widget, self.draw, self.everywhere),
        }

    def _set(self, name: str, value: Any) -> None:
        self._panel.set(name, value)
        # What was refused shows what is in force again.
        self.show()

    def show(self) -> None:
        """Show what is in force."""
        panel, settings, used = self._panel, self._panel.settings, self._panel.used
        spaced = settings["spacing"] > 0 or "count" not in used
        self.kind.show(settings["kind"])
        self.year.show(settings["year"], visible="year" in used)
        labels = {name: field_of(ObservationSettings, name)["label"] for name in FIRST}
        offered = {name: label for name, label in labels.items() if name in (*used, "spacing")}
        self.given.show("spacing" if spaced else "count", offered)
        self.amount.show(settings["spacing"] or APART if spaced else settings["count"])
        self.rows["amount"].visible = "spacing_km" in used
        self.variables.show(settings["variables"])
        self.rows["variables"].visible = "variables" in used
        self.domain.show(settings["domain"], visible="domain" in used)
        words = panel.region_words if settings["region"] else "Draw region"
        self.draw.param.update(name=words, visible="region" in used)
        self.everywhere.visible = "region" in used and settings["region"]
        self.rows["where"].visible = "domain" in used or "region" in used

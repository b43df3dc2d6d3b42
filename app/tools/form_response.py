"""The form of Perturb: what is held, what is asked of the sea, and what it is compared with."""

from __future__ import annotations

from html import escape
from typing import Any

from app.tools.form_sea import draw_button
from app.tools.perturb_panel import PerturbPanel
from app.widgets import Choice, Presses, block, button, fields, text

FADING = (
    "Faded: where the response is smaller than one posterior standard deviation of a single "
    "month, so that one month alone could not show it. Means over many months can still be sure "
    "of it."
)
CLICKING = "Click a map to ask about that variable in a 20° × 20° box there."
# A region that was drawn.
BOX = "box"


class ResponseForm:
    """Inputs of the response, of the sensitivity, and of the comparison with the GCM.

    Parameters
    ----------
    panel : PerturbPanel
    """

    def __init__(self, panel: PerturbPanel) -> None:
        self._panel = panel
        held = panel.helds[0][0]
        self.held = Choice(
            "What is held",
            lambda key: self._set("held", key),
            {key: label for key, label, _ in panel.helds},
            held,
            segments=True,
            inline=False,
            css_classes=["listed"],
        )
        self.within = self._place("Free inside", "within")
        self.over = self._place("Over", "over")
        self.confined = fields(
            self.within.widget,
            draw_button(
                "within", "Draw", "Drag a box over a map: inside it nothing but the sea is held"
            ),
            name="inner",
        )
        self.question = text(name="question", sizing_mode="stretch_width")
        self.fading = block(text(f"<p>{FADING}</p>", "fading", sizing_mode="stretch_width"))
        self.variable = Choice(
            "Variable",
            lambda name: self._set("variable", name),
            dict(panel.variables),
            panel.variables[0][0],
            css_classes=["raised", "grows"],
        )
        self.sensitivity = button(
            "Show",
            self._ask,
            "Show what each part of the sea does to this mean",
            model_name="perturb-sensitivity",
        )
        self.clicking = text(f"<p>{CLICKING}</p>", "clicking", sizing_mode="stretch_width")
        self.found = text(name="sensitivity", sizing_mode="stretch_width")
        self.runs = Presses("Compare with the GCM", self._compare, dict(panel.experiments))
        self.compared = text(name="gcm-words", sizing_mode="stretch_width")
        self.gcm = block(
            text("<h2>Compare with the GCM</h2>", "head"),
            fields(self.runs.widget),
            self.compared,
        )
        self.gcm.visible = bool(panel.experiments)
        self.parts = (
            block(
                text("<h2>What is held</h2>", "head", term="constrained variables"),
                self.held.widget,
                self.confined,
                self.question,
            ),
            self.fading,
            block(
                text("<h2>What is it sensitive to?</h2>", "head", term="sensitivity"),
                fields(self.variable.widget),
                fields(
                    self.over.widget,
                    draw_button("over", "Draw", "Drag a box over a map"),
                    self.sensitivity,
                ),
                self.clicking,
                self.found,
            ),
            self.gcm,
        )

    def _place(self, label: str, name: str) -> Choice:
        places = self._places(name)
        return Choice(
            label,
            lambda key: self._set(name, key),
            places,
            next(iter(places)),
            css_classes=["labelled", "grows"],
        )

    def _places(self, name: str, drawn: str = "") -> dict[str, str]:
        places = dict(self._panel.regions)
        if name == "within":
            del places["globe"]
            places = {"": "where the sea is changed"} | places
        return places | ({BOX: drawn} if drawn else {})

    def _set(self, name: str, value: Any) -> None:
        self._panel.set(name, value)
        # What was refused shows what is in force again.
        self.show()

    def _ask(self) -> None:
        shown = self._panel.settings["view"] == "sensitivity"
        self._set("view", "response" if shown else "sensitivity")

    def _compare(self, key: str) -> None:
        """Compare with a run; what is pressed again ends it."""
        if key:
            self._set("gcm", key)
        else:
            self._set("view", "response")

    def show(self) -> None:
        """Show what is in force."""
        panel, s, words = self._panel, self._panel.settings, self._panel.words
        view = s["view"]
        self.held.show(s["held"])
        question = next((said for key, _, said in panel.helds if key == s["held"]), "")
        self.question.object = f"<p>{escape(question)}</p>"
        self.confined.visible = s["held"] == "outside"
        for name in ("within", "over"):
            made: Choice = getattr(self, name)
            made.show(s[name], self._places(name, s[f"{name}_words"]))
        self.fading.visible = view == "response" and s["fade"]
        self.variable.show(s["variable"])
        self.clicking.visible = view == "sensitivity"
        self._say(self.found, words["sensitivity"])
        self.runs.show(s["gcm"] if view == "gcm" else "")
        self._say(self.compared, words["gcm"] if view == "gcm" else "")

    def _say(self, pane: Any, said: str) -> None:
        pane.param.update(object=f"<p>{escape(said)}</p>", visible=bool(said))

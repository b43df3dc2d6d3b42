"""The form of Observe: how observations are assimilated, and the run of it."""

from __future__ import annotations

from html import escape
from typing import Any

from app.components import SettingSlider
from app.glossary import info
from app.tools.observe_panel import ObservePanel
from app.widgets import Choice, Number, Tick, block, button, explained, fields, keep_focus, text
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.settings import field_of

# Why a setting that the method chosen lacks is idle.
IDLE = {
    "residual": "This method has no residual analysis",
    "localisation": "This method has no localisation",
}

# The terms in the words on how it ended.
OUTCOME = ("chi-squared per observation", "degrees of freedom for signal")


class AnalysisForm:
    """Inputs of the method, buttons of the run, and how it ended.

    Parameters
    ----------
    panel : ObservePanel
    chart : panel.viewable.Viewable
        The cost by step.
    """

    def __init__(self, panel: ObservePanel, chart: Any) -> None:
        self._panel = panel
        residual, live = (field_of(ObservationSettings, name) for name in ("residual", "live"))
        self.method = Choice(
            field_of(ObservationSettings, "method")["label"],
            lambda key: self._set("method", key),
            {key: label for key, label, _ in panel.methods},
            panel.methods[0][0],
            css_classes=["labelled", "grows"],
        )
        self.residual = Tick(
            residual["label"],
            lambda on: self._set("residual", on),
            title=residual["title"],
        )
        self.error = self._slider("error", "{} × spread", info("observation error"))
        self.localisation = self._slider("localisation", "× {}", info("localisation radius"))
        self.seeds = [self._seed("seed"), self._seed("noise")]
        self.live = Tick(
            live["label"],
            lambda on: self._set("live", on),
            title=live["title"],
            css_classes=["strong"],
        )
        run = self._run
        self.now = run("now", "Assimilate")
        self.step = run(
            "step", "Step", "Draw the minimisation step by step, from the background on"
        )
        # Two buttons: what a press means is what stood on it, however the run went meanwhile.
        self.pause, self.go_on = run("pause", "Pause"), run("pause", "Go on")
        self.once = run("once", "+1", "One step further")
        self.cancel = run("cancel", "Cancel")
        keep_focus((self.step, self.pause), (self.pause, self.go_on), (self.go_on, self.pause))
        self.cost = text(name="line", term="", sizing_mode="stretch_width", min_height=18)
        # Always whole: it may say what to do. Two lines are usual, and move nothing.
        self.outcome = text(
            name="line",
            term="",
            sizing_mode="stretch_width",
            min_height=33,
            html_attributes={"role": "status", "aria-live": "polite"},
        )
        self.root = (
            block(
                fields(
                    self.method.widget,
                    explained("method"),
                    self.residual.widget,
                    explained("residual analysis"),
                ),
                self.error,
                self.localisation,
                fields(
                    text("Seeds:", "what"),
                    *(seed.widget for seed in self.seeds),
                    explained("sampled value"),
                ),
            ),
            block(
                fields(
                    self.live.widget,
                    self.now,
                    self.step,
                    self.pause,
                    self.go_on,
                    self.once,
                    self.cancel,
                ),
                chart,
                self.cost,
                self.outcome,
            ),
        )

    def _slider(self, name: str, words: str, about: str) -> SettingSlider:
        return SettingSlider(
            self._panel.receive,
            setting=name,
            words=words,
            about=about,
            sizing_mode="stretch_width",
            margin=0,
            **field_of(ObservationSettings, name),
        )

    def _seed(self, name: str) -> Number:
        field = field_of(ObservationSettings, name)
        return Number(
            field["label"],
            lambda value: self._set(name, value),
            title=field["title"],
            width=89,
            css_classes=["labelled"],
        )

    def _run(self, action: str, label: str, title: str = "") -> Any:
        return button(label, lambda: self._panel.send(type="run", action=action), title)

    def _set(self, name: str, value: Any) -> None:
        self._panel.set(name, value)
        # What was refused shows what is in force again.
        self.show()

    def show(self) -> None:
        """Show what is in force, and what is under way."""
        panel, settings = self._panel, self._panel.settings
        lacks = {k: "" if k in panel.heeded else why for k, why in IDLE.items()}
        self.method.show(settings["method"])
        self.residual.show(settings["residual"], disabled=bool(lacks["residual"]))
        title = lacks["residual"] or field_of(ObservationSettings, "residual")["title"]
        self.residual.explain(title)
        self.error.put(value=settings["error"])
        self.localisation.put(value=settings["localisation"], idle=lacks["localisation"])
        seed, noise = self.seeds
        seed.show(settings["seed"], visible="seed" in panel.used)
        noise.show(settings["noise"])
        self.live.show(settings["live"])
        self._show_run()
        said = cost_words(panel.costs)
        self.cost.object = said.replace("</p>", f"{info('cost')}</p>")
        about = "".join(map(info, OUTCOME)) if "DFS" in panel.outcome else ""
        about = f'<span class="about">{about}</span>' if about else ""
        title = escape(panel.outcome_help)
        said = f"{escape(panel.outcome)}{about}"
        self.outcome.object = f'<p class="outcome" title="{title}">{said}</p>'

    def _show_run(self) -> None:
        run = self._panel.run
        steps = run in ("step", "paused")
        shown = {
            self.now: not self._panel.settings["live"],
            self.pause: run == "step",
            self.go_on: run == "paused",
            self.once: run == "paused",
            self.cancel: bool(run),
            self.step: not steps,
        }
        for made, visible in shown.items():
            made.visible = visible


def cost_words(costs: list[Any]) -> str:
    """Return the cost of the last step as HTML; its parts are rounded so that they add up.

    >>> cost_words([[1.26, 2.26, 3.52]])
    '<p class="cost">cost <b>3.5</b> = prior 1.3 + observations 2.2</p>'
    >>> cost_words([])
    ''
    """
    if not costs:
        return ""
    prior, _, total = costs[-1]
    whole, part = round(10 * total), round(10 * prior)
    return (
        f'<p class="cost">cost <b>{whole / 10:.1f}</b> = prior {part / 10:.1f} + '
        f"observations {(whole - part) / 10:.1f}</p>"
    )

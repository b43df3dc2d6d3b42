"""The form of the tool Cycle: Panel's widgets, built when the tool is first open."""

from __future__ import annotations

from html import escape
from typing import Any

from app.tools.cycle_panel import CyclePanel
from app.widgets import (
    Choice,
    block,
    button,
    fields,
    form_column,
    keep_focus,
    progress_bar,
    text,
)
from mlda_core.page_state.cycles import STATIONS, CycleSettings
from mlda_core.page_state.settings import field_of

# What of the panel's values the form shows.
SHOWN = ["settings", "words", "playing", "begun", "within", "done", "total"]


class CycleForm:
    """The form.

    Parameters
    ----------
    panel : CyclePanel
        What it shows.
    chart : panel.viewable.Viewable
        The curves.
    more : tuple of panel.viewable.Viewable
        Parts below.
    """

    def __init__(self, panel: CyclePanel, chart: Any, more: tuple[Any, ...] = ()) -> None:
        self._panel, self._chart, self._more = panel, chart, more
        # Empty until it is built: a page that opens holds this alone.
        self.root = form_column()
        self.built = False

    def build(self) -> None:
        """Build the widgets, unless they are there."""
        if self.built:
            return
        self.built = True
        self._make_run()
        self._make_rest()
        self.show()
        self._panel.param.watch(lambda *_: self.show(), SHOWN)
        self.root.objects = [
            fields(self.method.widget, text("Stations", "what"), self.stations.widget),
            self.sentence,
            block(
                fields(self.run, self.pause, self.back, self.step, self.again),
                fields(self.progress, self.count),
                self.outcome,
            ),
            *self.later,
        ]

    def _make_run(self) -> None:
        panel = self._panel
        first = panel.methods[0][0]
        method, stations = (field_of(CycleSettings, name) for name in ("method", "stations"))
        self.method = Choice(
            method["label"],
            lambda key: self._set("method", key),
            {key: label for key, label, _ in panel.methods},
            first,
            title=method["title"],
            css_classes=["labelled", "grows"],
        )
        self.stations = Choice(
            stations["label"],
            lambda key: self._set("stations", int(key)),
            {str(count): str(count) for count in STATIONS},
            str(STATIONS[1]),
            segments=True,
            title=stations["title"],
        )
        self.sentence = text(name="fading", sizing_mode="stretch_width")
        act = panel.act
        self.run = button("Run", lambda: act("run"), "Go on from the last day that is cycled")
        self.pause = button("Pause", lambda: act("pause"), "Stop after the day under way")
        self.back = button("− 1 day", lambda: act("back"), "Go back a day")
        self.step = button("+ 1 day", lambda: act("step"), "Cycle one day further")
        self.again = button("Start here", lambda: act("again"), "Begin on the day shown")
        keep_focus((self.run, self.pause), (self.pause, self.run))
        self.progress = progress_bar("Days of the run that are cycled", most=100)
        self.count = text(name="count")
        self.outcome = text(
            name="answered",
            sizing_mode="stretch_width",
            min_height=33,
            html_attributes={"role": "status", "aria-live": "polite"},
        )

    def _make_rest(self) -> None:
        panel = self._panel
        self.variable = Choice(
            "Variable of the curves",
            lambda name: self._set("variable", name),
            dict(panel.variables),
            panel.variables[0][0],
            css_classes=["raised", "grows"],
        )
        self.over = Choice(
            "Area of the curves",
            lambda key: self._set("over", key),
            dict(panel.areas),
            "globe",
            css_classes=["raised", "grows"],
        )
        areas = {key: label for key, label in panel.areas if key != "globe"}
        self.area = Choice(
            "Area without observations",
            lambda _: None,
            areas,
            "europe",
            css_classes=["raised", "grows"],
        )
        self.withhold = button(
            "Withhold from here",
            lambda: panel.send(type="cycle-withhold", area=self.area.widget.value),
            "No station of that area observes from the day shown on",
        )
        self.restore = button(
            "All again",
            lambda: panel.send(type="cycle-withhold", area=""),
            "All stations observe again from the day shown on",
        )
        self.network = text(name="sensitivity", sizing_mode="stretch_width")

        # There is nothing to see or to change before a run.
        self.later = (
            block(
                text("<h2>Errors against the truth</h2>", "head"),
                fields(self.variable.widget, text("over", "what"), self.over.widget),
                self._chart,
            ),
            block(
                text("<h2>Change the network on the way</h2>", "head"),
                fields(self.area.widget, self.withhold, self.restore),
                self.network,
            ),
            *self._more,
        )

    def _set(self, name: str, value: Any) -> None:
        self._panel.set(name, value)
        # What was refused shows what is in force again.
        self.show()

    def show(self) -> None:
        """Show what is in force, and what is under way."""
        panel, settings, words = self._panel, self._panel.settings, self._panel.words
        self.method.show(settings["method"])
        self.stations.show(str(settings["stations"]))
        self.sentence.object = _said(words["method"])
        self.run.visible, self.pause.visible = not panel.playing, panel.playing
        for made in (self.back, self.step, self.again, *self.later):
            made.visible = panel.begun
        self.progress.visible = panel.begun and panel.done < panel.total
        self.progress.value = round(100 * panel.done / max(panel.total, 1))
        self.count.object = f"{panel.done} of {panel.total} days" if panel.begun else ""
        self.outcome.object = _said(words["run"])
        self.variable.show(settings["variable"])
        self.over.show(settings["over"])
        self.restore.visible = bool(settings["withheld"])
        self.network.param.update(object=_said(words["network"]), visible=bool(words["network"]))


def _said(words: str) -> str:
    return f"<p>{escape(words)}</p>"

"""Above the model's column: what it shows, and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import param

from app.components import Handler, Members
from app.glossary import info
from app.tools.form_panel import FormPanel
from app.widgets import (
    Choice,
    Decimal,
    HeadingNote,
    Number,
    Tick,
    attributes,
    button,
    explained,
    heading,
    row,
    text,
)
from mlda_core.assimilation.posterior.sampler import MEMBERS
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.settings import options_of

# These have ends of their own, which are not amplified.
OWN_ENDS = ("probability", "next")
# What shows the state itself, or what it differs by.
STATES = ("model", "difference", "member")
# The glossary's term of what the column shows.
TERMS = {
    "increment": "increment",
    "difference": "target",
    "influence": "influence",
    "spread": "spread",
    "member": "posterior ensemble, member",
    "next": "where next",
}


class ModelHeading(FormPanel):
    """Values of the heading, and its widgets, which follow them.

    Parameters
    ----------
    handler : callable
        Is given the messages of one batch, in order.
    columns : sequence of (str, str)
        Key and label of what can be shown.
    """

    column = param.String(default="model")
    model_label = param.String(default="Model", doc="What the model is at present.")
    analysis = param.Boolean(doc="Whether it is the analysis of the observations.")
    hatch = param.Number(default=0.5, doc="Share of the climatological spread, for hatching.")
    member = param.Integer(default=1, doc="Member of the ensemble chosen.")
    event = param.String(default="above", doc="What the probability shown is of.")
    threshold = param.Number(default=1.0, doc="The value that a probability is above or below.")
    shows_member = param.Boolean(doc="Whether the column shows it by now.")
    note = param.String(doc="What the column shows just now, in words.")
    stale = param.Boolean(doc="Whether the column is still of another month or network.")
    hint = param.String(doc="What to do while the column has nothing to show; '' where it has.")
    against = param.String(default="target", doc="What stands beside the model.")
    who = param.String(doc="The method, where another one's stands beside it; else ''.")
    scale = param.Integer(default=1, doc="What the model column's colour range is divided by.")
    arrows = param.Boolean(default=True)
    vector = param.Boolean(doc="Whether there is a vector that arrows could show.")

    def __init__(self, handler: Handler | None, columns: Sequence[tuple[str, str]]) -> None:
        super().__init__(handler)
        self._columns = list(columns)
        self.choice = Choice(
            "What the model column shows",
            lambda key: self._ask("column", key),
            self.labels(),
            self.column,
            css_classes=["heading", "content", "shows-column"],
        )
        self.amplify = Choice(
            "Amplify",
            lambda key: self._ask("scale", int(key)),
            {str(n): f"× {n}" for n in options_of(ObservationSettings, "scale")},
            str(self.scale),
            title="Divide this column's colour range, and the length of its arrows' key, by so "
            "much: for what is small",
            css_classes=["heading", "amplify"],
        )
        self.vectors = Tick(
            "arrows",
            lambda on: self._ask("arrows", on),
            title="Draw the wind as arrows over the other maps",
            css_classes=["heading", "arrows"],
        )
        self.share = Number(
            "Hatched above, per cent of the climatological spread",
            lambda value: self._ask("hatch", None if value is None else value / 100),
            title="Hatched where the spread exceeds this part of the climatological one",
            step=5,
            width=46,
            css_classes=["heading", "quiet"],
        )
        self.hatching = row(
            text(
                'hatched <span class="long">above</span><span class="short">&gt;</span>',
                "beside-hatch",
            ),
            self.share.widget,
            text("%", "beside-hatch"),
            name="hatch",
        )
        self.of_event = Choice(
            "Probability of what",
            lambda key: self._ask("event", key),
            options_of(ObservationSettings, "event"),
            self.event,
            css_classes=["heading", "event"],
        )
        self.limit = Decimal(
            "Value, an anomaly in each map's units",
            lambda value: self._ask("threshold", value),
            self.threshold,
            title="An anomaly, in each map's units",
            width=46,
            css_classes=["heading", "threshold"],
        )
        self.members = Members(self.receive, members=MEMBERS, margin=0)
        self.pin = button(
            "Pin",
            lambda: self.send(type="pin"),
            "Pin this state: it stands in the left column while the model goes on, to compare",
            css_classes=["tight", "pin"],
        )
        self.said = HeadingNote()
        self.about = explained("analysis")
        self.root = heading(
            self.choice.widget,
            self.about,
            self.pin,
            self.amplify.widget,
            self.vectors.widget,
            self.hatching,
            self.of_event.widget,
            self.limit.widget,
            self.members,
            self.said.pane,
        )
        self.param.watch(lambda *_: self.show(), [n for n in ModelHeading.param if n != "name"])
        self.show()

    def _ask(self, kind: str, value: Any) -> None:
        self.send(type=kind, value=value)
        # What was refused shows what is in force again.
        self.show()

    def labels(self) -> dict[str, str]:
        """Return what can be shown; beside another method all say whose they are, and of what."""
        made = {}
        for key, label in self._columns:
            made[key] = f"{self.who}: {label.lower()}" if self.who else label
            if key == "difference":
                made[key] = f"{'Analysis' if self.analysis else 'Model'} \u2212 {self.against}"
            elif key == "model":
                own = self.who and self.analysis
                made[key] = f"{self.who}: analysis" if own else self.model_label
        return made

    def show(self) -> None:
        """Show what is in force."""
        labels = self.labels()
        title = labels[self.column]
        self.choice.show(self.column, labels, html_attributes=attributes(title=title))
        own = "analysis" if self.analysis else "decoder"
        self.about.object = info(TERMS.get(self.column, own))
        # Members are as large as the analysis: there the room is for their slider.
        narrow = self.column == "member" and self.scale == 1
        self.amplify.show(str(self.scale), visible=self.column not in OWN_ENDS and not narrow)
        self.vectors.show(self.arrows, visible=self.vector)
        self.share.show(round(100 * self.hatch))
        self.hatching.visible = self.column == "spread"
        probable = self.column == "probability"
        self.of_event.show(self.event, visible=probable)
        self.limit.show(self.threshold, visible=probable and self.event in ("over", "under"))
        # What follows from an analysis alone is no state that could be pinned.
        self.pin.visible = self.column in STATES
        shown = self.column == "member"
        self.members.put(member=self.member, shows_member=self.shows_member, shown=shown)
        self.said.show(self.note, stale=self.stale)

    def titles(self) -> dict[str, str]:
        """Return what is said of the column elsewhere on the page."""
        words = "Member" if self.shows_member else "Analysis" if self.analysis else "Model"
        # The scatter is of the model against the target whatever stands in the column.
        return {
            "--column-title": self.labels()[self.column],
            # Over the maps themselves, where there is room for it.
            "--hint": self.hint,
            ".against .model": words,
        }

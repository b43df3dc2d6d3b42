"""The panel below the maps: a line of headings, and the parts that they unfold.

A part is made when it is first opened: the first paint holds the line alone.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import bokeh.events
import panel as pn

from app.charts.base import bm
from app.glossary import info
from app.results.densities_view import DensitiesView
from app.results.drivers_view import DriversView
from app.results.impact_view import ImpactView
from app.results.members_view import MembersView
from app.results.panel import Foot
from app.results.ranks_view import RanksView
from app.results.scores_view import ScoresView
from app.results.series_view import SeriesView
from app.web_files import read
from app.widgets import Choice, Headings, attributes, explained, text

LABELS = {
    "scores": "Verification",
    "series": "Series",
    "ranks": "Ranks",
    "densities": "Densities",
    "members": "Members",
    "drivers": "Drivers",
    "impact": "Impact",
}
IMPACT_TITLE = "Impact: a measured series, predicted from the latent vector"
# The glossary's terms of what a part shows.
TERMS = {
    "scores": ("verification", "explained variance"),
    "ranks": ("rank histogram",),
    "densities": ("densities",),
    "members": ("posterior ensemble, member", "stamps, spaghetti"),
    "drivers": ("drivers",),
    "impact": ("impact head", "skill of an impact head"),
}
VIEWS: dict[str, Callable[[Foot], Any]] = {
    "scores": ScoresView,
    "series": SeriesView,
    "ranks": RanksView,
    "densities": DensitiesView,
    "members": MembersView,
    "drivers": DriversView,
    "impact": ImpactView,
}


class FootView:
    """What a visitor sees of a `Foot`.

    Parameters
    ----------
    foot : Foot
    """

    def __init__(self, foot: Foot) -> None:
        self._foot = foot
        self._quiet = False
        self.views: dict[str, Any] = {}
        self.headings = Headings(
            name="Parts of the panel",
            inline=True,
            margin=0,
            align="center",
            stylesheets=[read("widgets/headings.css")],
        )
        self.headings.param.watch(self._unfold, "value")
        self.variable = Choice(
            "Variable of the series and the drivers",
            self._choose_variable,
            {v["name"]: v["label"] for v in foot.variables},
            foot.variable,
            width=180,
            css_classes=["shrinks"],
        )
        self.region = Choice(
            "Region of the verification, the series and the drivers",
            self._choose_region,
            dict(foot.regions),
            foot.region,
            width=240,
            css_classes=["over", "shrinks"],
        )
        self.about = explained("")
        self.words = text(name="said", sizing_mode="stretch_width")
        self.parts = pn.Row(
            sizing_mode="stretch_both",
            margin=0,
            css_classes=["parts"],
            stylesheets=[read("widgets/parts.css")],
            visible=False,
        )
        # For the layout of what stands above.
        self.parts.jscallback(
            visible="document.documentElement.toggleAttribute('data-foot', cb_obj.visible)"
        )
        line = pn.Row(
            self.headings,
            self.variable.widget,
            self.region.widget,
            self.about,
            self.words,
            sizing_mode="stretch_width",
            margin=0,
            css_classes=["line"],
            stylesheets=[read("widgets/parts.css")],
        )
        self.root = pn.Column(
            line,
            self.parts,
            sizing_mode="stretch_both",
            margin=0,
            css_classes=["results"],
            stylesheets=[read("widgets/parts.css")],
        )
        foot.param.watch(self._show, ["opened", "mode", "impacts"])
        foot.param.watch(self._show_words, "busy")
        foot.param.watch(self._show_choices, ["regions", "region", "variable"])
        self._show()
        self._show_words()

    def unfold_if_room(self, document: Any) -> None:
        """Open table and series where few rows of maps leave room below them.

        Parameters
        ----------
        document : Document
            Whose browser measures the room, once it shows the page.
        """
        foot = self._foot
        if foot.opened:
            return
        asked = bm.Div(visible=False)

        def unfold(_attr: str, _old: str, _new: str) -> None:
            foot.send(type="foot", value=["scores", "series"])

        asked.on_change("text", unfold)
        self.root.append(pn.pane.Bokeh(asked, margin=0))
        ask = bm.CustomJS(args={"asked": asked}, code=read("callbacks/room_below.js"))
        document.js_on_event(bokeh.events.DocumentReady, ask)

    # -- what the visitor does ---------------------------------------------------------------

    def _unfold(self, event: Any) -> None:
        if self._quiet:
            return
        for part in LABELS:
            if (part in event.new) != (part in event.old):
                self._foot.unfold(part)
        # The foot decides which parts fit beside each other.
        self._show()

    def _choose_variable(self, name: str) -> None:
        self._foot.variable = name

    def _choose_region(self, key: str) -> None:
        self._foot.send(type="foot-region", value=key)
        self._show_choices()

    # -- what is shown -----------------------------------------------------------------------

    def _show(self, *_: Any) -> None:
        opened = self._foot.unfolded
        self._quiet = True
        try:
            options = {LABELS[part]: part for part in self._foot.offered}
            title = IMPACT_TITLE if self._foot.impacts else ""
            named = attributes("Parts of the panel", "group", title)
            self.headings.param.update(options=options, value=opened, html_attributes=named)
        finally:
            self._quiet = False
        for part in opened:
            if part not in self.views:
                self.views[part] = VIEWS[part](self._foot)
                # In the order of the headings.
                self.parts.objects = [self.views[p].root for p in LABELS if p in self.views]
        for part, view in self.views.items():
            view.root.visible = part in opened
        self.parts.visible = bool(opened)
        self.about.object = "".join(info(term) for part in opened for term in TERMS.get(part, ()))
        self.variable.widget.visible = bool({"series", "drivers", "members"} & set(opened))
        self.region.widget.visible = "impact" not in opened

    def _show_words(self, *_: Any) -> None:
        """Say what is being computed for the table, folded or not."""
        said = escape(self._foot.busy)
        self.words.object = f'<span title="{said}">{said}</span>' if said else ""

    def _show_choices(self, *_: Any) -> None:
        foot = self._foot
        self.region.show(foot.region, dict(foot.regions))
        self.variable.show(foot.variable)

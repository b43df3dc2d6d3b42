"""The part *Ranks*: a rank histogram of the observations."""

from __future__ import annotations

from typing import Any

from app.charts.ranks import KINDS, RankChart
from app.results.panel import Foot
from app.widgets import column, figure_pane, span, text


class RanksView:
    """The histogram, and what it says in words.

    Parameters
    ----------
    foot : Foot
    """

    def __init__(self, foot: Foot) -> None:
        self._foot = foot
        self.chart = RankChart(foot.theme)
        self.words = text(name="key", sizing_mode="stretch_width")
        self.root = column(self.words, figure_pane(self.chart.figure), name="ranks")
        foot.param.watch(self._show, ["ranks", "opened"])
        foot.param.watch(lambda event: self.chart.set_theme(event.new), "theme")
        self._show()

    def _show(self, *_: Any) -> None:
        foot = self._foot
        if "ranks" not in foot.opened:
            return
        shares = {kind: foot.ranks.get(kind, []) for kind in KINDS}
        self.chart.draw(shares, foot.ranks.get("chance"))
        self.words.object = span("of", foot.ranks.get("words", ""), status=True)

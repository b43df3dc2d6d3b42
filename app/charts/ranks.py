"""A rank histogram of observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.charts.base import TOOLTIP, Chart, bm, make_figure, paint

KINDS = ("withheld", "used")
LABELS = {"withheld": "withheld", "used": "used, by what the others say"}
# Behind each bar: between what a calibrated analysis lies by chance.
CHANCE = "calibrated, by chance: 9 of 10 bars"
COLORS_OF = {"withheld": "analysis", "used": "changed"}


class RankChart(Chart):
    """Bars side by side for withheld and used observations, and a line where they would be even.

    Parameters
    ----------
    theme : str
    """

    def __init__(self, theme: str) -> None:
        super().__init__(theme)
        self._sources = {
            kind: bm.ColumnDataSource({"left": [], "right": [], "top": [], "text": []})
            for kind in KINDS
        }
        self.figure = make_figure(x_range=bm.Range1d(0, 1), y_range=bm.Range1d(0, 1))
        fig = self.figure
        self._band = bm.ColumnDataSource({"left": [], "right": [], "low": [], "high": []})
        self._chance = fig.quad(
            left="left", right="right", top="high", bottom="low", source=self._band,
            line_color=None, legend_label=CHANCE,
        )  # fmt: skip
        self._bars = {
            kind: fig.quad(
                left="left", right="right", top="top", bottom=0, source=source, line_color=None,
                legend_label=LABELS[kind],
            )
            for kind, source in self._sources.items()
        }  # fmt: skip
        self._even = bm.Span(location=0.1, dimension="width", line_dash="dashed", line_width=1)
        fig.add_layout(self._even)
        fig.add_tools(bm.HoverTool(renderers=list(self._bars.values()), tooltips=TOOLTIP))
        fig.xaxis[0].update(axis_label="rank among what was expected: 0 below all, 1 above all")
        fig.yaxis[0].update(axis_label="share", ticker=bm.BasicTicker(desired_num_ticks=4))
        fig.legend[0].update(
            location="top_center", orientation="horizontal", padding=2, border_line_color=None,
            label_text_font_size="11px", background_fill_alpha=0.0, click_policy="hide",
        )  # fmt: skip
        self._paint()

    def draw(
        self,
        shares: Mapping[str, Sequence[float]],
        chance: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        """Draw the share of each bin, by kind; a kind without observations has no bars.

        Parameters
        ----------
        shares : mapping
            Of each bin, by kind.
        chance : mapping, optional
            Between what a bin of a calibrated analysis lies by chance, by kind.
        """
        band: dict[str, list[float]] = {"left": [], "right": [], "low": [], "high": []}
        present = [kind for kind in KINDS if shares.get(kind)]
        most = 0.0
        for kind in KINDS:
            values = list(shares.get(kind, ()))
            width = 1.0 / max(len(values), 1)
            wide = 0.9 * width / max(len(present), 1)
            first = present.index(kind) * wide if kind in present else 0.0
            left = [i * width + 0.05 * width + first for i in range(len(values))]
            self._sources[kind].data = {
                "left": left,
                "right": [at + wide for at in left],
                "top": values,
                "text": [
                    f"{LABELS[kind]}\n{i * width:.1f} to {(i + 1) * width:.1f}: {100 * v:.0f} %"
                    for i, v in enumerate(values)
                ],
            }
            if values and chance and kind in chance:
                band["left"] += left
                band["right"] += [at + wide for at in left]
                band["low"] += [chance[kind][0]] * len(left)
                band["high"] += [chance[kind][1]] * len(left)
            self._bars[kind].visible = kind in present
            self.figure.legend[0].items[1 + KINDS.index(kind)].visible = kind in present
            most = max([most, *values])
            if values:
                self._even.location = width
        self._band.data = band
        self._chance.visible = self.figure.legend[0].items[0].visible = bool(band["left"])
        most = max([most, *band["high"]])
        self.figure.y_range.update(start=0, end=1.25 * most or 1.0)

    def _paint(self) -> None:
        colors = paint(self.figure, self._theme)
        for kind, bars in self._bars.items():
            bars.glyph.update(fill_color=colors[COLORS_OF[kind]], fill_alpha=0.75)
        self._chance.glyph.update(fill_color=colors["muted"], fill_alpha=0.3)
        self._even.line_color = colors["muted"]

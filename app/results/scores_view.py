"""The part *Verification*: a table of scores, methods by variables."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import panel as pn

from app.charts.texts import plain
from app.results.panel import Foot
from app.web_files import read
from app.widgets import Choice, button, column, row, text

MEASURE_LABELS = {"explained_variance": "Expl. variance", "rmse": "RMSE", "r": "r"}
MEASURE_TITLES = {
    "explained_variance": "1 \N{MINUS SIGN} error variance / variance: the skill against "
    "climatology, which has 0",
    "rmse": "Root-mean-square error, in the variable's units",
    "r": "Correlation of the anomalies' patterns",
}
PLACES = {"target": "Cells", "withheld": "Withheld"}
PLACES_TITLE = (
    "Cells: against the target, every cell by its area. Withheld: at the withheld observations, "
    "each counting alike"
)
METHOD = "method"


class ScoresView:
    """The table of scores, its settings, and the notes below it.

    Parameters
    ----------
    foot : Foot
    """

    def __init__(self, foot: Foot) -> None:
        self._foot = foot
        self._quiet = False
        self.measure = Choice(
            "Score",
            self._measure,
            MEASURE_LABELS,
            foot.measure,
            segments=True,
            title=". ".join(f"{MEASURE_LABELS[m]}: {MEASURE_TITLES[m]}" for m in MEASURE_LABELS),
        )
        self.place = Choice(
            "Where to score", self._place, PLACES, foot.place, segments=True, title=PLACES_TITLE
        )
        self.compare = button(
            "Compare all methods",
            lambda: foot.send(type="compare"),
            "Run every method on these observations",
        )
        names = [v["name"] for v in foot.variables]
        self.table = pn.widgets.Tabulator(
            self._frame(),
            show_index=False,
            pagination=None,
            layout="fit_columns",
            selectable=1,
            sortable=False,
            sizing_mode="stretch_both",
            min_height=60,
            titles=self._titles(),
            header_tooltips=self._tooltips(),
            widths={METHOD: 128},
            text_align={METHOD: "left", **dict.fromkeys(names, "right")},
            formatters={name: {"type": "html"} for name in (METHOD, *names)},
            editors=dict.fromkeys([METHOD, *names]),
            configuration={
                "columnDefaults": {"minWidth": 40, "headerSort": False, "headerWordWrap": True}
            },
            stylesheets=[read("widgets/table.css")],
            theme="simple",
            margin=0,
        )
        self.table.param.watch(self._on_selection, "selection")
        self.words = text(name="words", sizing_mode="stretch_width")
        self.root = column(
            row(self.measure.widget, self.place.widget, self.compare),
            self.table,
            self.words,
            name="scores",
        )
        shown = ["scores", "extra", "method", "busy", "measure", "place", "opened"]
        foot.param.watch(self._show, shown)
        self._show()

    def _measure(self, measure: str) -> None:
        self._foot.measure = measure

    def _place(self, place: str) -> None:
        self._foot.place = place

    def _on_selection(self, event: Any) -> None:
        if self._quiet:
            return
        foot = self._foot
        # Above the methods stand states that are none.
        row = event.new[0] - len(foot.extra) if event.new else -1
        if row >= 0:
            foot.send(type="method", value=foot.methods[row][0])
        # A second click leaves it chosen; a method that is refused is not.
        self._select()

    def _select(self) -> None:
        keys = [key for key, *_ in self._foot.methods]
        first, method = len(self._foot.extra), self._foot.method
        chosen = [first + keys.index(method)] if method in keys else []
        if self.table.selection != chosen:
            self._quiet = True
            try:
                self.table.selection = chosen
            finally:
                self._quiet = False

    # -- what is shown -----------------------------------------------------------------------

    def _titles(self) -> dict[str, str]:
        units = self._foot.measure == "rmse"
        return {METHOD: "Method"} | {
            v["name"]: escape(v["label"]) + (f" ({escape(v['units'])})" if units else "")
            for v in self._foot.variables
        }

    def _tooltips(self) -> dict[str, str]:
        return dict.fromkeys(
            [v["name"] for v in self._foot.variables], MEASURE_TITLES[self._foot.measure]
        )

    def _frame(self) -> pd.DataFrame:
        foot = self._foot
        columns: dict[str, list[str]] = {
            METHOD: [
                f'<span title="{escape(about)}">{escape(label)}</span>'
                for _, label, about in foot.extra
            ]
            + [
                f'<button type="button" title="{escape(about)}. Click to show it in the model '
                f'column.">{escape(label)}</button>'
                for _, label, about in foot.methods
            ]
        }
        keys = [key for key, *_ in (*foot.extra, *foot.methods)]
        for variable in foot.variables:
            columns[variable["name"]] = [self._cell(key, variable) for key in keys]
        return pd.DataFrame(columns)

    def _written(self, method: str, variable: dict[str, Any]) -> str:
        foot = self._foot
        score = foot.scores.get(foot.place, {}).get(method, {}).get(variable["name"], {})
        value = score.get(foot.measure)
        if value is None:
            return ""
        return plain(value, variable["decimals"] + 1 if foot.measure == "rmse" else 2)

    def _cell(self, method: str, variable: dict[str, Any]) -> str:
        foot = self._foot
        written = self._written(method, variable)
        if not written:
            return '<span class="none" aria-label="no score">–</span>'
        n = foot.scores[foot.place][method][variable["name"]]["n"]
        title = f"{n} withheld observations" if foot.place == "withheld" else f"{n} cells"
        # Scores with the same digits as the best are marked as well.
        best = foot.scores.get("best", {}).get(foot.place, {}).get(variable["name"])
        if foot.measure == "r" or not best or written != self._written(best, variable):
            return f'<span title="{title}">{written}</span>'
        why = "the least RMSE" if best == method else "as good as the best to these digits"
        return f'<b title="{title}; {why}">{written}</b>'

    def _show(self, *_: Any) -> None:
        foot = self._foot
        if "scores" not in foot.opened:
            return
        withheld = bool(foot.scores.get("withheld"))
        if foot.place == "withheld" and not withheld:
            foot.place = "target"
            return
        self.place.show(foot.place, PLACES if withheld else {"target": PLACES["target"]})
        self.measure.show(foot.measure)
        frame = self._frame()
        old = self.table.value
        if len(frame) != len(old):
            self.table.value = old = frame
        changed = {
            name: [(i, v) for i, v in enumerate(frame[name]) if v != old[name].iloc[i]]
            for name in frame
        }
        # Only these cells: the keyboard stays where it was.
        if any(changed.values()):
            self.table.patch({name: cells for name, cells in changed.items() if cells})
        if self.table.titles != self._titles() or self.table.header_tooltips != self._tooltips():
            self.table.param.update(titles=self._titles(), header_tooltips=self._tooltips())
        self._select()
        words = "".join(f"<li>{escape(w)}</li>" for w in foot.scores.get("words", []))
        self.words.object = f"<ul>{words}</ul>" if words else ""

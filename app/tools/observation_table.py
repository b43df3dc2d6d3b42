"""The observations as a table that is edited in place: Tabulator, which draws what is in sight."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
from bokeh.models.widgets.tables import HTMLTemplateFormatter

from app.web_files import read

COLUMNS = ("variable", "kind", "lat", "lon", "value", "error", "withheld", "misfit")
_TITLES = {"misfit": "misfit σ"}
# Beside the column of kinds whole words do not fit; what each is is in its tooltip.
_SHORT_TITLES = {
    "variable": "what", "kind": "as", "error": "±", "withheld": "○", "misfit": "σ",
}  # fmt: skip
# With a scrollbar beside them they just fit the panel.
_WIDTHS = {
    "variable": 63, "lat": 41, "lon": 45, "value": 43, "error": 35, "withheld": 54, "misfit": 50,
}  # fmt: skip
# With the column of kinds, which is there where some rows are no values: a class needs more room.
_NARROW = {
    "variable": 46, "kind": 24, "lat": 37, "lon": 44, "value": 70, "error": 33, "withheld": 36,
    "misfit": 42,
}  # fmt: skip
_TIPS = {
    "kind": "observed as: the marker on the maps, whose kind is named above",
    "lat": "degrees, south negative",
    "lon": "degrees, west negative",
    "value": "anomaly, display units",
    "error": "error: its standard deviation, display units",
    "withheld": "withheld: not used, only scored",
    "misfit": "misfit: how far it lies from what the others say, in standard deviations of that "
    "difference",
}


def _written(decimals: int, *, words: bool = False) -> HTMLTemplateFormatter:
    """Write numbers with a real minus sign, as the whole page does."""
    # Adding zero turns -0 into 0.
    number = f"(Math.round(value * 1e{decimals}) / 1e{decimals} + 0).toFixed({decimals})"
    number += '.replace("-", "\N{MINUS SIGN}")'
    shown = f"Number.isFinite(value) ? {number} : ''"
    if words:
        shown = f"typeof value === 'string' ? value : {shown}"
    return HTMLTemplateFormatter(template=f"<%= {shown} %>")


# So many changed rows are patched: a new table would begin at its top, away from what was edited.
FEW = 20

# What stands in the table while it has no rows.
EMPTY = "Nothing is observed yet. Click a map, choose a network above, or upload a CSV."


class ObservationTable:
    """The Tabulator widget of the observations.

    Parameters
    ----------
    names : mapping
        What people read in place of each variable's name.
    labels : iterable of str
        The same at length.
    """

    def __init__(self, names: Mapping[str, str], labels: Iterable[str]) -> None:
        self._names = names
        self._edited: Callable[[int, str, Any], None] = lambda *_: None
        self._selected: Callable[[list[int]], None] = lambda _: None
        self._quiet = False
        number = {"type": "number"}
        self.widget = pn.widgets.Tabulator(
            self._frame(None, None),
            show_index=False,
            pagination=None,
            layout="fit_columns",
            selectable=True,
            sizing_mode="stretch_both",
            min_height=120,
            titles=_TITLES,
            hidden_columns=["kind"],
            widths=_WIDTHS,
            header_tooltips=_TIPS | {"variable": ", ".join(labels)},
            text_align={"variable": "left", "kind": "center", "withheld": "center"},
            formatters={
                **{name: _written(1) for name in ("lat", "lon")},
                **{name: _written(2) for name in ("error", "misfit")},
                "value": _written(2, words=True),
                # The hollow ring that a withheld observation is on the maps.
                "withheld": {
                    "type": "tickCross",
                    "tickElement": '<i class="ring"></i>',
                    "crossElement": False,
                },
            },
            editors={
                **dict.fromkeys(("lat", "lon", "value", "error"), number),
                # A click there selects the row.
                "variable": None,
                "kind": None,
                "withheld": {"type": "tickCross"},
                "misfit": None,
            },
            configuration={
                "columnDefaults": {"headerSortTristate": True, "minWidth": 30},
                "placeholder": EMPTY,
            },
            stylesheets=[read("table.css")],
            theme="simple",
            margin=0,
        )
        self.widget.jscallback(tags=read("callbacks/table_to_top.js"))
        self.widget.on_edit(self._on_edit)
        self._watcher = self.widget.param.watch(self._on_selection, "selection")

    def listen(
        self,
        edited: Callable[[int, str, Any], None],
        selected: Callable[[list[int]], None],
    ) -> None:
        """Set the handlers of edits (row, column, value) and of selected rows."""
        self._edited, self._selected = edited, selected

    def show(self, rows: pd.DataFrame, misfit: np.ndarray | None, chosen: list[int]) -> None:
        """Show a table of observations.

        Parameters
        ----------
        rows : DataFrame
            Observations.
        misfit : ndarray, shape (n,), optional
            Standard deviations, NaN where unknown.
        chosen : list of int
            Selected rows.
        """
        frame = self._frame(rows, misfit)
        old = self.widget.value
        plain = "kind" not in rows
        hidden = ["kind"] if plain else []
        if hidden != self.widget.hidden_columns:
            self.widget.param.update(
                hidden_columns=hidden,
                widths=_WIDTHS if plain else _NARROW,
                titles=_TITLES if plain else _SHORT_TITLES,
            )
        self._quiet = True
        try:
            patches = _patches(old, frame)
            if patches is None:
                # After one row is added or deleted by hand the scroll position stays.
                if abs(len(frame) - len(old)) > 1:
                    self._to_top()
                self.widget.value = frame
            elif patches and old["misfit"].isna().all() and frame["misfit"].notna().any():
                # The first misfits come while the browser still builds the table: it would lose a
                # patch of cells.
                self.widget.value = frame
            elif patches:
                # Only these cells, so that the table keeps its place.
                self.widget.patch(patches)
            if sorted(self.widget.selection) != sorted(chosen):
                self.widget.selection = sorted(chosen)
        finally:
            self._quiet = False

    def _to_top(self) -> None:
        # The browser is notified by a new tag.
        self.widget.tags = [int(self.widget.tags[0]) + 1 if self.widget.tags else 1]

    def restore(self, rows: pd.DataFrame, misfit: np.ndarray | None) -> None:
        """Show what was there before an edit that was refused."""
        self.widget.value = self._frame(rows, misfit)

    def _on_edit(self, event: Any) -> None:
        self._edited(int(event.row), str(event.column), event.value)

    def _on_selection(self, event: Any) -> None:
        if not self._quiet:
            self._selected(list(event.new))

    def close(self) -> None:
        """Release the session."""
        self.listen(lambda *_: None, lambda _: None)

    def _frame(self, rows: pd.DataFrame | None, misfit: np.ndarray | None) -> pd.DataFrame:
        if rows is None or not len(rows):
            made = pd.DataFrame({name: pd.Series([], dtype=float) for name in COLUMNS})
            return made.astype({"variable": object, "kind": object, "withheld": bool})
        names = rows["variable"].astype(object)
        return pd.DataFrame(
            {
                "variable": names.map(lambda name: self._names.get(name, name)),
                "kind": rows.get("sign", ""),
                "lat": rows["lat"].round(2),
                # West negative, as the texts say west and not 200 degrees east.
                "lon": ((rows["lon"] + 180.0) % 360.0 - 180.0).round(2),
                # A report has words for its class.
                "value": rows.get("says", rows["value"].round(3)),
                "error": rows["error_sd"].round(3),
                "withheld": rows["withheld"].astype(bool),
                "misfit": np.full(len(rows), np.nan) if misfit is None else np.round(misfit, 2),
            }
        )


def _patches(old: pd.DataFrame, new: pd.DataFrame) -> dict[str, Any] | None:
    """Return the cells that differ; None where it is another table, or nearly."""
    # A table with reports holds words for values: a cell of numbers takes none.
    if len(old) != len(new) or not old.dtypes.equals(new.dtypes):
        return None
    made: dict[str, Any] = {}
    for name in COLUMNS:
        differs = ~((old[name] == new[name]) | (old[name].isna() & new[name].isna()))
        rows = np.flatnonzero(differs.to_numpy(dtype=bool))
        if name == "misfit" and len(rows):
            made[name] = [(slice(0, len(new)), new[name].tolist())]
        elif len(rows) > FEW:
            return None
        elif len(rows):
            made[name] = [(int(i), new[name].tolist()[i]) for i in rows]
    return made

"""The last problem at its mode: where errors are not normal it takes rounds to find."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.assimilation.options import Setting
    from mlda_core.assimilation.problem import Problem


class LastSolved:
    """Keeps one problem, so that what is asked about an analysis does not search for it again."""

    def __init__(self) -> None:
        # One object, so that another thread never sees a half of it.
        self._last: tuple[Setting, int, pd.DataFrame, Problem] | None = None

    def keep(self, setting: Setting, month: int, table: pd.DataFrame, problem: Problem) -> None:
        """Keep a problem at its mode.

        Parameters
        ----------
        setting : Setting
        month : int
            Calendar month 1..12.
        table : DataFrame
            Its observations; they are copied, for a caller may change them.
        problem : Problem
        """
        if problem.stated is not None:
            self._last = setting, month, table.copy(), problem

    def find(self, setting: Setting, month: int, table: pd.DataFrame) -> Problem | None:
        """Return the problem of these observations, if it is the last one; None if not."""
        last = self._last
        if last is None or last[0] != setting or last[1] != month or not last[2].equals(table):
            return None
        return last[3]

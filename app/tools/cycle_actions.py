"""Actions of the tool Cycle: each message changes settings or the run, or is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.components import Message
from app.context import Action, SessionContext
from app.maps.projections import on_map, to_lonlat
from app.text import place
from app.tools.cycle import CycleTool
from app.tools.cycle_text import day_words
from mlda_core.page_state.cycle_runs import days_from
from mlda_core.page_state.cycles import AREAS, InvalidCycleError, withhold
from mlda_core.page_state.settings import number

# What can be set by its name.
SET = ("method", "stations", "view", "variable", "over")


class CycleActions:
    """Actions on the run.

    Parameters
    ----------
    context : SessionContext
    cycle : CycleTool
        That shows it.
    """

    def __init__(self, context: SessionContext, cycle: CycleTool) -> None:
        self._bundle, self._state, self._cycle = context.bundle, context.state, cycle

    def actions(self) -> Mapping[str, Action]:
        """Return what each message about the cycle does."""
        acts = {
            "cycle-set": self.change_setting,
            "cycle-run": self.act,
            "cycle-withhold": self.withhold,
            "cycle-alone": self.observe,
            "cycle-forecast": self.forecast,
            "cycle-place": self.observe_clicked,
        }
        return acts if self._cycle.offered else dict.fromkeys(acts, _refuse)

    def change_setting(self, message: Message) -> str:
        """Change a setting."""
        name, value = str(message.get("name")), message.get("value")
        if name == "method":
            value = str(value)
        if name not in SET:
            raise InvalidCycleError(f"There is no setting '{name[:24]}' of the cycle.")
        if name == "method" and value not in self._cycle.methods:
            raise InvalidCycleError(
                f"The page does not cycle '{str(value)[:24]}'; choose one of "
                f"{', '.join(self._cycle.methods)}."
            )
        self._state.cycles = self._cycle.settings.adjust({name: value})
        self._state.commit()
        return ""

    def act(self, message: Message) -> str:
        """Run, pause, go a day back or further, or begin on the day shown."""
        acts: dict[str, Any] = {
            "run": self._run,
            "pause": self._pause,
            "back": lambda: self._go(-1),
            "step": lambda: self._go(1),
            "again": self._again,
        }
        action = acts.get(str(message.get("action")))
        if action is None:
            raise InvalidCycleError("A cycle can run, pause, go a day back or further; reload.")
        words: str = action()
        return words

    def _run(self) -> str:
        cycle = self._cycle
        if not cycle.settings.first:
            cycle.begin(self._state.month)
            self._state.commit()
        cycle.play()
        return ""

    def _pause(self) -> str:
        self._cycle.work.pause()
        self._state.commit()
        return "The run is paused."

    def _go(self, days: int) -> str:
        labels = self._cycle.labels
        month = self._state.month
        # From elsewhere the nearest end of the run is a day away.
        at = labels.index(month) + days if month in labels else 0 if days < 0 else len(labels) - 1
        if not 0 <= at < len(labels):
            end = "first" if at < 0 else "last"
            raise InvalidCycleError(f"{day_words(month)} is the run's {end} day.")
        self._cycle.work.pause()
        self._cycle.show_day(labels[at])
        self._state.commit()
        return ""

    def _again(self) -> str:
        month = self._state.month
        days_from(self._bundle, month)
        self._cycle.begin(month)
        self._state.commit()
        return f"A run from {day_words(month)} on."

    def withhold(self, message: Message) -> str:
        """Withhold the stations of an area from the day shown on, or none."""
        area = str(message.get("area"))
        if area and area not in AREAS:
            raise InvalidCycleError(f"Nothing can be withheld in '{area[:24]}'.")
        cycle, month = self._cycle, self._state.month
        if month not in cycle.labels:
            raise InvalidCycleError(
                f"{day_words(month)} is not of the run; press Run, or go to one of its days."
            )
        cycle.work.pause()
        self._state.cycles = withhold(cycle.settings, month, area)
        self._state.commit()
        if not area:
            return f"All stations observe from {day_words(month)} on."
        return f"No observation of {AREAS[area].short} from {day_words(month)} on; Run goes on."

    def forecast(self, _: Message) -> str:
        """Forecast from the analysis of the day shown."""
        cycle, month = self._cycle, self._state.month
        day = cycle.day_of(month)
        if day is None:
            raise InvalidCycleError(
                f"There is no analysis of {day_words(month)} yet; go to a day that is cycled."
            )
        cycle.forecast.start(cycle.request(), day, month)
        return f"A forecast from {day_words(month)}."

    def observe(self, message: Message) -> str:
        """Observe one value alone, on the day shown."""
        cycle, month = self._cycle, self._state.month
        names = [variable.name for variable in self._bundle.variables]
        name = message.get("variable")
        if name not in names:
            raise InvalidCycleError("That variable is none of this bundle's; reload the page.")
        if month not in cycle.labels:
            raise InvalidCycleError(
                f"{day_words(month)} is not of the run; press Run, or go to one of its days."
            )
        where = (message.get("lat"), message.get("lon"))
        made = cycle.settings.adjust({"alone": [name, *where, month], "view": "alone"})
        self._state.cycles = made
        self._state.commit()
        _, lat, lon, _ = made.alone or ("", 0.0, 0.0, "")
        return f"One observation at {place(lat, lon)} on {day_words(month)}."

    def observe_clicked(self, message: Message) -> str:
        """Observe one value alone at a clicked place."""
        x, y = (number("place", message.get(name), -10, 10) for name in ("x", "y"))
        if not on_map(self._state.projection, x, y):
            raise InvalidCycleError("That is off the globe; click inside its outline.")
        (lon,), (lat,) = to_lonlat(self._state.projection, np.array([x]), np.array([y]))
        return self.observe({**message, "lat": float(lat), "lon": float(lon)})


def _refuse(_: Message) -> str:
    raise InvalidCycleError("This model cannot be cycled; choose a bundle of days that can.")

"""Ranks of the observations, and densities at a place or over a region, for the foot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from app.charts.densities import Curve, Densities, Mark
from app.components import Message
from app.context import Action, SessionContext
from app.jobs.analysis import sentence
from app.jobs.worker import ANALYSES, Latest
from app.results.panel import Foot
from app.text import counted, number, place, short_labels, signed
from mlda_core.assimilation.densities import densities_at
from mlda_core.climate.regions import Region
from mlda_core.climate.scales import written_units
from mlda_core.evaluation.rank_histogram import observation_ranks
from mlda_core.observations.said import said, where
from mlda_core.page_state.analyses import engine_of
from mlda_core.page_state.rows import InvalidObservationError
from mlda_core.page_state.snapshot import Asked, View

if TYPE_CHECKING:
    from app.tools.observe import ObserveTool
    from mlda_core.assimilation.densities import PlaceDensities

Where = tuple[float, float] | Region
# Degrees about a place that its outline on the maps has.
ROUND = 2.0
# An observation so near is drawn beside the densities of a place.
NEAR_KM = 500.0


class DeparturesPanel:
    """State and actions of the parts *Ranks* and *Densities*.

    Parameters
    ----------
    context : SessionContext
    foot : Foot
    observe : ObserveTool
        Whose analysis they are of.
    region_of : callable
        Returns the region chosen in the foot.
    """

    def __init__(
        self,
        context: SessionContext,
        foot: Foot,
        observe: ObserveTool,
        region_of: Callable[[], Region],
    ) -> None:
        self._bundle, self._state = context.bundle, context.state
        self._foot, self._observe, self._region_of = foot, observe, region_of
        self._changed = context.redraw
        self._work = Latest(context.schedule, self._broken, pool=ANALYSES)
        self._names = short_labels(context.bundle.variables)
        self._ranked: Any = None
        self._complain = context.complain
        # A place is chosen and none is clicked yet; the last one; and a region's variable.
        self._waits = False
        self._last: Asked | None = None
        self._chosen = foot.variable
        self._asked: tuple[Any, ...] | None = None

    def actions(self) -> Mapping[str, Action]:
        """Return what each message does."""
        return {"density-where": self.choose_where, "density-variable": self.choose_variable}

    @property
    def _where(self) -> str:
        return "place" if self._waits or self._state.asked is not None else "region"

    @property
    def _place(self) -> tuple[float, float] | None:
        asked = self._state.asked
        return None if asked is None else asked[1:]

    @property
    def _variable(self) -> str:
        asked = self._state.asked
        return self._chosen if asked is None else asked[0]

    def choose_where(self, message: Message) -> str:
        """Show a place's densities or a region's."""
        value = message.get("value")
        if value not in ("place", "region"):
            raise InvalidObservationError(f"Densities are of no '{str(value)[:24]}'.")
        if value == "region":
            self._leave()
        elif self._state.asked is None:
            self._waits, self._state.asked = True, self._last
        return ""

    def choose_variable(self, message: Message) -> str:
        """Show the densities of another variable."""
        value = str(message.get("value"))
        if value not in self._names:
            raise InvalidObservationError(f"This bundle has no variable '{value[:24]}'.")
        self._chosen = value
        if self._place is not None:
            self._state.asked = (value, *self._place)
        return ""

    def ask_place(self, variable: str, lat: float, lon: float) -> str:
        """Show what is known of a variable at a place: the part opens."""
        self._state.asked = View.check("asked", [variable, lat, lon])
        if "densities" not in self._foot.opened:
            self._foot.unfold("densities")
        return f"Asked: {self._names[variable]} at {place(lat, lon)}."

    def follow(self) -> None:
        """Open the part where the state, as from a link, asks about a place."""
        asked = self._state.asked
        if asked is None or self._state.impact or "densities" in self._foot.opened:
            return
        if asked[0] not in self._names:
            self._state.asked = None
            self._complain(f"This bundle has no variable '{asked[0][:24]}' to ask about.")
            return
        self._foot.opened = self._foot.beside("densities")

    def opened(self, parts: Sequence[str]) -> bool:
        """Follow which parts were opened; True where the state asks about a place no more."""
        if "densities" in parts or self._state.asked is None:
            return False
        self._leave()
        return True

    def _leave(self) -> None:
        """Ask about no place; the last one is kept for the choice *Place*."""
        self._last, self._waits = self._state.asked or self._last, False
        self._chosen = self._variable
        self._state.asked = None

    def outlined(self) -> list[tuple[float, float, float, float]]:
        """Return what the densities are of, to be outlined on the maps."""
        if "densities" not in self._foot.opened or self._where != "place" or self._place is None:
            return []
        lat, lon = self._place
        south, north = max(lat - ROUND, -90.0), min(lat + ROUND, 90.0)
        return [(south, north, (lon - ROUND) % 360.0, (lon + ROUND) % 360.0)]

    def show(self) -> None:
        """Update both parts; the caller holds the document."""
        if "ranks" in self._foot.opened:
            self._show_ranks()
        if "densities" in self._foot.opened:
            self._show_densities()

    # -- ranks -------------------------------------------------------------------------------

    def _show_ranks(self) -> None:
        ensemble, why = self._observe.view.members()
        if ensemble is None:
            self._foot.put(ranks={"words": why})
            self._ranked = None
            return
        if ensemble is self._ranked:
            return
        self._ranked = ensemble
        found = observation_ranks(ensemble)
        parts = {"withheld": found.withheld, "used": found.used}
        shown: dict[str, Any] = {
            kind: found.frequencies(kind).tolist() if values.size else []
            for kind, values in parts.items()
        }
        shown["chance"] = {kind: found.chance(kind) for kind, v in parts.items() if v.size}
        present = [counted(v.size, f"{k} observation") for k, v in parts.items() if v.size]
        words = " and ".join(present) or "Nothing is observed that has a rank."
        if present:
            words += ": even where spread and errors are right; high at the ends: too sure"
        if found.reports:
            drawn = "a report's rank is" if found.reports == 1 else "ranks of reports are"
            words += f"; {drawn} drawn within the class"
        if found.bounds:
            words += f"; {counted(found.bounds, 'bound')} without a rank"
        self._foot.put(ranks={**shown, "words": words})

    # -- densities ---------------------------------------------------------------------------

    def _wanted(self) -> tuple[Where | None, str]:
        """Return where the densities are of, and its name."""
        if self._where == "region":
            region = self._region_of()
            return region, region.short
        if self._place is None:
            return None, ""
        return self._place, place(*self._place)

    def _show_densities(self) -> None:
        work, task = self._observe.analysing, self._observe.analysing.task
        wanted, name = self._wanted()
        head = {"where": self._where, "variable": self._variable}
        if wanted is None:
            how = "Choose Ask in Observe, and click a map; or choose Region"
            self._foot.put(densities={**head, "words": how})
            self._asked = None
            return
        none = self._observe.view.why_no_posterior("Densities")
        if none or task is None or not work.answered:
            self._foot.put(densities={**head, "words": none or "Waiting for the analysis …"})
            self._asked = None
            return
        asked = (task, wanted, self._variable)
        if self._asked is not None and self._asked[0] is task and self._asked[1:] == asked[1:]:
            return
        self._asked = asked
        self._foot.put(densities={**self._foot.densities, **head, "words": f"{name}: …"})
        bundle, variable = self._bundle, self._variable

        def made(found: PlaceDensities) -> None:
            self._foot.put(densities={**head, **self._plain(found, name)})

        self._work.submit(
            lambda _: densities_at(
                engine_of(bundle),
                task.observations,
                task.month,
                variable,
                wanted,
                **task.settings,
            ),
            made,
        )

    def _broken(self, error: Exception) -> None:
        head = {"where": self._where, "variable": self._variable}
        self._foot.put(densities={**head, "words": sentence(error, "The densities")})

    def _plain(self, found: PlaceDensities, name: str) -> dict[str, Any]:
        """Return what is shown of densities."""
        unit = written_units(found.units)
        digits = next(v.decimals for v in self._bundle.variables if v.name == found.variable)
        curves = (
            Curve("before", "muted", found.prior.x, found.prior.y, dash="dashed"),
            Curve("after", "analysis", found.posterior.x, found.posterior.y, fill=True),
        )
        there = np.isfinite(found.target)
        marks = [Mark("target", "text", found.target)] if there else []
        inside = isinstance(self._wanted()[0], Region)
        if not inside:
            marks += _nearest_mark(found.nearest)

        def written(density: Any) -> str:
            return f"{signed(density.mean, digits)} ± {number(density.sd, digits)}"

        words = f"{name}: {written(found.prior)} before, {written(found.posterior)} {unit} after"
        if there:
            words += f"; target {signed(found.target, digits)}"
        return {
            "chart": Densities(curves, tuple(marks), unit),
            "words": words,
            "nearest": [self._near(row, digits) for _, row in found.nearest.iterrows()],
            "note": self._note(found),
        }

    def _near(self, row: Any, digits: int) -> str:
        variable = next(v for v in self._bundle.variables if v.name == row["variable"])
        far = float(row["distance_km"])
        # Of a region where its marker is.
        centre = "its centre " if row.get("area", "") else ""
        away = "within" if far == 0 else f"{centre}{far:,.0f} km away"
        held = ", withheld" if row["withheld"] else ""
        return f"{int(row['row']) + 1}: {said(row, variable, digits)} {where(row)}, {away}{held}"

    def _note(self, found: PlaceDensities) -> str:
        notes = []
        if found.approximate:
            notes.append(
                "After: the normal approximation, for so many observations whose errors are not "
                "normal; the members are not bound to it."
            )
        if not len(found.nearest):
            names = ", ".join(dict.fromkeys(
                self._names[name] for name in self._observe.table.rows["variable"]
            ))  # fmt: skip
            what = f"what is known of it comes from {names}" if names else "nothing is observed"
            notes.append(f"No observation of {self._names[found.variable]}: {what}.")
        return " ".join(notes)

    def close(self) -> None:
        """Release everything at the end of the session."""
        self._work.cancel()


def _nearest_mark(nearest: pd.DataFrame) -> list[Mark]:
    """Return the nearest observation as it lies on the axis of its variable's values.

    A bound is a half-open range, a report the range of its class at its own place. Means and
    differences are not on the axis of a place.
    """
    near = nearest[nearest["distance_km"] < NEAR_KM]
    if "area" in near:
        near = near[near["area"] == ""]
    for _, row in near.head(1).iterrows():
        low, high = float(row["low"]), float(row["high"])
        name = "nearest observation"
        if np.isnan(low):
            return [Mark(name, "changed", float(row["value"]), float(row["error_sd"]))]
        return [Mark(f"{name}: what it says", "changed", np.nan, low=low, high=high)]
    return []

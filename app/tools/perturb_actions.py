"""Gestures of the tool Perturb: each message changes the sea or the view, or says why it cannot."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from app.components import Message
from app.context import Action, SessionContext
from app.maps.markers import Markers, floats
from app.maps.projections import box_to_region, globe_on_map, on_map, to_lonlat
from app.state import perturbations
from app.state.perturbations import InvalidPerturbationError, PerturbationSettings
from app.state.settings import number
from app.text import signed
from app.tools.perturb import PerturbTool
from mlda_core.climate.regions import REGIONS
from mlda_core.perturbation.sst_patches import Patch, PerturbationError, sst_change

# Why a change of the sea is refused.
REFUSED = (InvalidPerturbationError, PerturbationError)
MODES = ("", "box", "lasso", "over", "within")
_HINTS = {
    "": "",
    "box": "Drag a box over the sea.",
    "lasso": "Draw round a part of the sea.",
    "over": "Drag a box over any map: the sensitivity is of its mean.",
    "within": "Drag a box over any map: inside it nothing but the sea is held.",
}
# A new change is as large as an El Nino's; uniform, as the warming that people speak of.
KELVIN, UNIFORM = 2.0, 1.0
# Degrees of the box round a clicked place, each way.
HALF = 10.0
# Seconds in which a drawn outline waits for the message that says what it is.
EARLY = 3.0
# A hand's outline is as exact as this, in units of a map 2 high: about half a degree.
EXACT = 0.006


class PerturbActions:
    """What a visitor can do to the sea.

    Parameters
    ----------
    context : SessionContext
    perturber : PerturbTool
        That shows it.
    """

    def __init__(self, context: SessionContext, perturb: PerturbTool) -> None:
        self._bundle, self._state, self._perturb = context.bundle, context.state, perturb
        self._redraw, self._say, self._done = context.redraw, context.say, context.done
        self._early: tuple[float, dict[str, Any]] | None = None

    # -- messages ----------------------------------------------------------------------------

    def actions(self) -> Mapping[str, Action]:
        """Return what each message about the sea does."""
        return {
            "sea-add": self.add_region,
            "sea-edit": self.edit,
            "sea-delete": self.delete,
            "sea-clear": self.clear,
            "sea-select": self.select,
            "sea-set": self.change_setting,
            "sea-mode": self.choose_mode,
            "sea-click": self.aim_at_clicked,
        }

    def _take(self, made: PerturbationSettings, *, done: bool = True) -> None:
        self._state.perturbations = made
        if done:
            self._state.commit()

    def add_region(self, message: Message) -> str:
        """Change the sea everywhere or in a named region."""
        key = message.get("region")
        if key not in REGIONS:
            raise InvalidPerturbationError(f"There is no region '{str(key)[:24]}'; choose another.")
        return self._add(Patch(UNIFORM if key == "globe" else KELVIN, region=str(key)))

    def _add(self, patch: Patch) -> str:
        # On land alone it is refused here, before anything is computed.
        sst_change((patch,), self._bundle, self._state.month)
        made = perturbations.add(self._state.perturbations, patch)
        self._take(made)
        return f"The sea is changed: {_label(made.patches[-1])}."

    def edit(self, message: Message) -> str | None:
        """Change an amount, or whether it counts; while it is dragged nothing is said of it."""
        done = bool(message.get("done", True))
        made = perturbations.edit(
            self._state.perturbations,
            message.get("at"),
            kelvin=message.get("kelvin"),
            enabled=message.get("enabled"),
        )
        self._take(made, done=done)
        return f"{_label(made.patches[made.selected])}." if done else None

    def delete(self, message: Message) -> str:
        """Delete a change."""
        before: PerturbationSettings = self._state.perturbations
        made = perturbations.delete(before, message.get("at"))
        self._take(made)
        return "Deleted; undo brings it back."

    def clear(self, _: Message) -> str:
        """Delete all changes."""
        count = len(self._state.perturbations.patches)
        if not count:
            raise InvalidPerturbationError("There is no change of the sea to clear; add one first.")
        self._take(self._state.perturbations.replace(patches=(), selected=-1))
        return "The sea is as it was; undo brings the changes back."

    def select(self, message: Message) -> None:
        """Select a change."""
        self._take(perturbations.select(self._state.perturbations, message.get("at")))

    def change_setting(self, message: Message) -> str:
        """Change what is held or what is shown."""
        name, value = str(message.get("name")), message.get("value")
        if name == "patches":
            raise InvalidPerturbationError(
                "Changes of the sea are edited one by one, not as patches."
            )
        names = [variable.name for variable in self._bundle.variables]
        if name == "variable" and value not in names:
            raise InvalidPerturbationError(f"This bundle has no variable '{str(value)[:24]}'.")
        if name == "gcm" and not self._perturb.gcm:
            raise InvalidPerturbationError("This bundle comes without the GCM's own responses.")
        made = self._state.perturbations.adjust({name: value})
        shows = {"gcm": "gcm", "variable": "sensitivity", "over": "sensitivity"}
        if name in shows:
            made = made.replace(view=shows[name])
        if made.view == "gcm" and not self._perturb.gcm:
            raise InvalidPerturbationError("This bundle comes without the GCM's own responses.")
        self._take(made)
        return ""

    def choose_mode(self, message: Message) -> str:
        """Choose what dragging on a map draws."""
        mode = message.get("value")
        if mode not in MODES:
            raise InvalidPerturbationError(f"The pointer cannot draw '{str(mode)[:24]}' on a map.")
        self._perturb.mode = str(mode)
        early, self._early = self._early, None
        shape = "poly" if mode == "lasso" else "rect"
        if (
            mode
            and early is not None
            and time.monotonic() - early[0] < EARLY
            and early[1].get("type") == shape
        ):
            return self._take_drawn(early[1])
        return _HINTS[self._perturb.mode]

    def aim_at_clicked(self, message: Message) -> str:
        """Show the sensitivity of what lies round a clicked place."""
        names = [variable.name for variable in self._bundle.variables]
        if message.get("variable") not in names:
            raise InvalidPerturbationError("That map is none of this bundle's; reload the page.")
        x, y = (number("place", message.get(name), -10, 10) for name in ("x", "y"))
        if not on_map(self._state.projection, x, y):
            raise InvalidPerturbationError("That is off the globe; click inside its outline.")
        (lon,), (lat,) = to_lonlat(self._state.projection, np.array([x]), np.array([y]))
        middle = float(np.clip(lat, HALF - 90, 90 - HALF))
        box = (middle - HALF, middle + HALF, float(lon) - HALF, float(lon) + HALF)
        settings = {"variable": message.get("variable"), "over": box, "view": "sensitivity"}
        self._take(self._state.perturbations.adjust(settings))
        return ""

    # -- from Bokeh's own tools ----------------------------------------------------------------

    def attach(self, markers: Markers) -> None:
        """Heed boxes and lassos on the maps."""
        markers.on_geometry(self._drawn)

    def _drawn(self, _: str, geometry: dict[str, Any]) -> None:
        """Take over a drawn box or lasso, or say why not."""
        if self._state.tool != "perturb":
            return
        if not self._perturb.mode:
            # The browser draws at once, and what it draws may overtake the message that says so.
            self._early = time.monotonic(), geometry
            return
        try:
            self._done(self._take_drawn(geometry))
        except REFUSED as error:
            self._say(str(error), failed=True)
        self._redraw()

    def _take_drawn(self, geometry: dict[str, Any]) -> str:
        """Do with an outline what the mode says; the mode is then over."""
        mode, self._perturb.mode = self._perturb.mode, ""
        if mode == "lasso":
            return self._add(self._lasso(geometry))
        region = box_to_region(self._state.projection, geometry)
        if mode == "box":
            return self._add(Patch(KELVIN, box=region))
        return self.change_setting({"name": mode, "value": region})

    def _lasso(self, geometry: dict[str, Any]) -> Patch:
        x, y = (floats(geometry.get(name)) for name in ("x", "y"))
        if len(x) < 3 or len(x) != len(y):
            raise InvalidPerturbationError("The lasso goes round nothing; draw it again.")
        # A hand leaves the globe and crosses its own line; what it went round on the globe counts.
        shape = shapely.make_valid(shapely.Polygon(np.column_stack([x, y])))
        kept = shapely.intersection(shape, globe_on_map(self._state.projection).buffer(-1e-3))
        parts = [part for part in shapely.get_parts(kept) if part.geom_type == "Polygon"]
        largest = max(parts, key=lambda part: part.area, default=shapely.Polygon())
        outline = np.asarray(shapely.simplify(largest, EXACT).exterior.coords)[:-1]
        if len(outline) < 3:
            raise InvalidPerturbationError(
                "The lasso goes round nothing on the globe; draw it again."
            )
        lon, lat = to_lonlat(self._state.projection, outline[:, 0], outline[:, 1])
        return perturbations.lasso(lat.tolist(), lon.tolist(), KELVIN)


def _label(patch: Patch) -> str:
    return f"{patch.where} {signed(patch.kelvin, 1)} K"

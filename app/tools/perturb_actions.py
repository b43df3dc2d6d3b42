"""Actions of the tool Perturb: each message changes settings, or is refused with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from app.components import Message
from app.context import Action, SessionContext
from app.maps.drawings import lasso_polygon, read_drawing
from app.maps.projections import box_to_region, globe_on_map, on_map, to_lonlat
from app.text import signed
from app.tools.perturb import PerturbTool
from mlda_core.climate.regions import REGIONS
from mlda_core.page_state import perturbations
from mlda_core.page_state.perturbations import InvalidPerturbationError, PerturbationSettings
from mlda_core.page_state.settings import number
from mlda_core.perturbation.sst_patches import Patch, PerturbationError, sst_change

# Why a change of the sea is refused.
REFUSED = (InvalidPerturbationError, PerturbationError)
# What a drag over the maps can draw, and what to do for it; "" pans.
HINTS = {
    "": "",
    "box": "Drag a box over the sea.",
    "lasso": "Draw round a part of the sea.",
    "over": "Drag a box over any map: the sensitivity is of its mean.",
    "within": "Drag a box over any map: inside it nothing but the sea is held.",
}
# Amounts of a new change, K: as of a strong El Nino; everywhere, one kelvin of warming.
KELVIN, UNIFORM = 2.0, 1.0
# Degrees of the box round a clicked place, each way.
HALF = 10.0
# Tolerance of a lasso's outline, in units of a map 2 high: about half a degree.
EXACT = 0.006


class PerturbActions:
    """Actions on the sea.

    Parameters
    ----------
    context : SessionContext
    perturb : PerturbTool
        That shows it.
    """

    def __init__(self, context: SessionContext, perturb: PerturbTool) -> None:
        self._bundle, self._state, self._perturb = context.bundle, context.state, perturb

    # -- messages ----------------------------------------------------------------------------

    def actions(self) -> Mapping[str, Action]:
        """Return what each message about the sea does."""
        return {
            **self._perturb.atlas.actions(),
            "atlas-patch": self.add_protocol_patch,
            "sea-add": self.add_region,
            "sea-edit": self.edit,
            "sea-delete": self.delete,
            "sea-clear": self.clear,
            "sea-select": self.select,
            "sea-set": self.change_setting,
            "sea-mode": self.choose_mode,
            "sea-drawn": self.take_drawing,
            "sea-click": self.aim_at_clicked,
        }

    def _take(self, made: PerturbationSettings, *, done: bool = True) -> None:
        self._state.perturbations = made
        if done:
            self._state.commit()

    def add_region(self, message: Message) -> str:
        """Change the sea everywhere or in a named region."""
        key = str(message.get("region"))
        if key not in REGIONS:
            raise InvalidPerturbationError(f"There is no region '{key[:24]}'; choose another.")
        return self._add(Patch(UNIFORM if key == "globe" else KELVIN, region=key))

    def add_protocol_patch(self, message: Message) -> str:
        """Change the sea by a patch of the GFMIP protocol."""
        return self._add(self._perturb.atlas.patch_of(message.get("key")))

    def _open(self, lat: float, lon: float) -> str:
        """Let the protocol's patch at a place change the sea alone."""
        patch = self._perturb.atlas.patch_at(lat, lon)
        made = perturbations.open_alone(self._state.perturbations, patch)
        self._take(made)
        off = "; the other changes are switched off" if len(made.patches) > 1 else ""
        return f"The sea is changed: {_label(made.patches[-1])}{off}."

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
        # The atlas is of means over the same region, of every variable.
        if name in shows and not (made.view == "atlas" and name != "gcm"):
            made = made.replace(view=shows[name])
        if made.view == "gcm" and not self._perturb.gcm:
            raise InvalidPerturbationError("This bundle comes without the GCM's own responses.")
        self._take(made)
        return ""

    def choose_mode(self, message: Message) -> str:
        """Return the hint of a pointer mode; the browser holds the mode."""
        return HINTS[_mode(message.get("value"))]

    def take_drawing(self, message: Message) -> str:
        """Use a box or lasso according to the mode in which it was drawn."""
        mode = _mode(message.get("mode"))
        drawing = read_drawing(message.get("geometry"), "lasso" if mode == "lasso" else "box")
        if mode == "lasso":
            return self._add(self._lasso(drawing))
        region = box_to_region(self._state.projection, drawing)
        if mode == "box":
            return self._add(Patch(KELVIN, box=region))
        return self.change_setting({"name": mode, "value": region})

    def aim_at_clicked(self, message: Message) -> str:
        """Show the sensitivity of what lies round a clicked place, or the atlas' patch there."""
        names = [variable.name for variable in self._bundle.variables]
        if message.get("variable") not in names:
            raise InvalidPerturbationError("That map is none of this bundle's; reload the page.")
        x, y = (number("place", message.get(name), -10, 10) for name in ("x", "y"))
        if not on_map(self._state.projection, x, y):
            raise InvalidPerturbationError("That is off the globe; click inside its outline.")
        (lon,), (lat,) = to_lonlat(self._state.projection, np.array([x]), np.array([y]))
        if self._state.perturbations.view == "atlas":
            return self._open(float(lat), float(lon))
        middle = float(np.clip(lat, HALF - 90, 90 - HALF))
        box = (middle - HALF, middle + HALF, float(lon) - HALF, float(lon) + HALF)
        settings = {"variable": message.get("variable"), "over": box, "view": "sensitivity"}
        self._take(self._state.perturbations.adjust(settings))
        return ""

    def _lasso(self, drawing: dict[str, Any]) -> Patch:
        shape = lasso_polygon(drawing)
        if shape is None:
            raise InvalidPerturbationError("The lasso goes round nothing; draw it again.")
        # A lasso may leave the globe; the part on the globe counts.
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


def _mode(value: Any) -> str:
    if not isinstance(value, str) or value not in HINTS:
        raise InvalidPerturbationError(f"The pointer cannot draw '{str(value)[:24]}' on a map.")
    return value


def _label(patch: Patch) -> str:
    return f"{patch.where} {signed(patch.kelvin, 1)} K"

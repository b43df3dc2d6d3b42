"""The atlas of the tool Perturb: patches of the GFMIP protocol, and what each does to a mean.

The maps are a view of the columns, filled in as the patches are made; a patch of the protocol can
be taken as a change of the sea, from a list or by a click on these maps.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.components import Message
from app.context import Action, SessionContext
from app.jobs.atlas import AtlasJob, AtlasRequest
from app.maps.color_scales import Look, atlas_look, units
from app.maps.frames import Column
from app.text import number, region_words, short_labels, signed
from app.widgets import Choice, block, button, keep_focus, progress_bar, row, text
from mlda_core.climate.regions import REGIONS
from mlda_core.page_state.perturbations import PerturbationSettings, region_of
from mlda_core.page_state.settings import options_of
from mlda_core.perturbation.gcm import GcmError
from mlda_core.perturbation.gcm_atlas import GcmAtlas, gcm_atlas
from mlda_core.perturbation.gfmip import ProtocolPatch, nearest, of_key, patches_at_sea
from mlda_core.perturbation.sst_patches import Patch, open_water

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.perturbation.atlas import Atlas

BOX = "box"
# What is beside the atlas in place of the GCM's own.
NO_RUNS = (
    "No run of the GCM warms one of these patches alone; what its runs over seas with random "
    "patches say is in the documentation, under Atlas of patches."
)
# Why there is nothing of the GCM beside the atlas, where it has runs.
NOT_COMPARED = (
    "The GCM's own sensitivities are of means over named regions, with the sea alone held: choose "
    "those to see them beside the atlas."
)
Readings = tuple[tuple[tuple[str, str, str], ...], ...]


@lru_cache(maxsize=4)
def sensitivities_of(bundle: Bundle) -> GcmAtlas | None:
    """Return the GCM's own sensitivities, read once; None without them or where they are broken."""
    try:
        return gcm_atlas(bundle)
    except GcmError:
        return None


class AtlasTool:
    """Controls and maps of the atlas.

    Parameters
    ----------
    context : SessionContext
    sea : str
        Name of the variable that can be changed; '' where there is none.
    """

    def __init__(self, context: SessionContext, sea: str) -> None:
        bundle: Bundle = context.bundle
        self._bundle, self._state = bundle, context.state
        self.job = AtlasJob(context)
        self._names = short_labels(bundle.variables)
        self.gcm = sensitivities_of(bundle) if sea else None
        self._drawn: tuple[Any, Column, Readings, Column | None] | None = None
        self._patches: tuple[ProtocolPatch, ...] = ()
        if sea:
            self._patches = patches_at_sea(bundle.grid, bundle.mask[bundle.sea_row])
        send = context.on_messages

        def set_(name: str) -> Any:
            return lambda value: send([{"type": "sea-set", "name": name, "value": value}])

        listed = sorted(self._patches, key=lambda patch: (-patch.lat, patch.lon))
        self.patch = Choice(
            "A patch of the GFMIP protocol",
            lambda key: send([{"type": "atlas-patch", "key": key}]) if key else None,
            {"": "Add a patch …", **{patch.key: patch.label for patch in listed}},
            "",
            width=130,
            title="Add one of the protocol's patches to the changes of the sea",
        )
        self.amplitude = Choice(
            "Amount of each patch",
            set_("amplitude"),
            options_of(PerturbationSettings, "amplitude"),
            "2",
            segments=True,
        )
        self.region = Choice("Whose mean", set_("over"), self._regions(None), "globe", width=146)
        self.open = button(
            "Show the atlas",
            lambda: set_("view")("atlas"),
            "Warm one patch after the other, and map what each does to a mean",
        )
        self.cancel = button(
            "Cancel", lambda: send([{"type": "atlas-cancel"}]), "Stop; what is done stays"
        )
        self.go_on = button("Go on", lambda: send([{"type": "atlas-go-on"}]), "Make the rest")
        keep_focus((self.cancel, self.go_on), (self.go_on, self.cancel))
        self.progress = progress_bar("Patches of the atlas that are done", most=100)
        self.count = text(name="count")
        self.words = text(name="atlas", sizing_mode="stretch_width")
        self.root = block(
            text("<h2>Atlas of patches (GFMIP)</h2>", "head", term="atlas"),
            row(self.patch.widget, self.amplitude.widget),
            row(text("Mean over", "what"), self.region.widget, self.open),
            row(self.progress, self.count, self.cancel, self.go_on),
            self.words,
        )

    # -- what is asked -----------------------------------------------------------------------

    @property
    def _settings(self) -> PerturbationSettings:
        settings: PerturbationSettings = self._state.perturbations
        return settings

    @property
    def kelvin(self) -> float:
        """Amount at a patch's centre."""
        return float(self._settings.amplitude)

    def request(self) -> AtlasRequest:
        """Return the atlas that the state asks for."""
        p = self._settings
        within = p.within if p.held == "outside" else ""
        return AtlasRequest(self._state.month, p.held, within, self.kelvin)

    def refresh(self, *, shown: bool, ready: bool) -> None:
        """Make the atlas while it is shown, once the network's factors are there."""
        if not shown:
            self.job.stop(by_hand=False)
        elif ready:
            self.job.ask(self.request())

    def patch_at(self, lat: float, lon: float) -> Patch:
        """Return the protocol's patch at a place, as a change of the sea.

        Raises
        ------
        PerturbationError
            If no patch with open sea reaches it.
        """
        free = open_water(self._bundle, self._state.month)
        found = nearest(lat, lon, patches_at_sea(self._bundle.grid, free))
        return found.patch(self.kelvin)

    def patch_of(self, key: Any) -> Patch:
        """Return the protocol's patch of a key, as a change of the sea."""
        return of_key(str(key)).patch(self.kelvin)

    # -- actions -----------------------------------------------------------------------------

    def actions(self) -> Mapping[str, Action]:
        """Return what each message about the making of the atlas does."""
        return {"atlas-cancel": self.stop, "atlas-go-on": self.resume}

    def stop(self, _: Message) -> None:
        """Stop making it."""
        self.job.stop(by_hand=True)

    def resume(self, _: Message) -> None:
        """Go on with it."""
        self.job.go_on()

    # -- what is drawn -----------------------------------------------------------------------

    @property
    def atlas(self) -> Atlas | None:
        """The atlas asked for, as far as it is made."""
        return self.job.atlas if self.job.asked == self.request() else None

    @property
    def key(self) -> tuple[Any, ...]:
        """What the maps depend on."""
        over = self._settings.over
        return self.atlas, over if isinstance(over, str) else str(over)

    @property
    def compared(self) -> str:
        """The region whose means' sensitivity the GCM's runs tell too; '' where they do not."""
        p = self._settings
        if self.gcm is None or p.held != "sst_only" or p.over not in self.gcm.regions:
            return ""
        return str(p.over)

    def column(self) -> tuple[Column, Readings, Column | None]:
        """Return maps of all variables' sensitivity, the readings of their rows, and the GCM's own.

        The GCM's are on the same scales; None where its runs do not tell.
        """
        atlas, over = self.key
        if self._drawn is None or self._drawn[0] != (atlas, over):
            values = np.full((1, len(self._bundle.variables)), np.nan)
            fields = np.full(self._bundle.mask.shape, np.nan, np.float32)
            if atlas is not None:
                values = atlas.told(region_of(self._settings.over))
                fields = atlas.spread_out(values).astype(np.float32)
            look: Look = atlas_look(self._bundle.variables, fields, self._bundle.grid.weights)
            column = Column("sensitivity", fields, look=look)
            left, said = self._of_gcm(atlas, values, look)
            self._drawn = (atlas, over), column, self._readings(values, said), left
        return self._drawn[1:]

    def _of_gcm(
        self, atlas: Atlas | None, values: NDArray[np.float64], look: Look
    ) -> tuple[Column | None, Readings]:
        """Return the GCM's map of the patches that the atlas shows, and how the two correlate."""
        region = self.compared
        if self.gcm is None or not region:
            return None, ((),) * len(self._bundle.variables)
        if atlas is None:
            empty = np.full(self._bundle.mask.shape, np.nan, np.float32)
            return Column("sensitivity", empty, look=look), ((),) * len(empty)
        own = np.where(np.isfinite(values), self.gcm.values(region, atlas.patches), np.nan)
        fields = atlas.spread_out(own).astype(np.float32)
        said = tuple(
            (("GCM", f"r {number(r)}", ""),) if np.isfinite(r) else ()
            for r in self.gcm.correlation(atlas, region)
        )
        return Column("sensitivity", fields, look=look), said

    def _readings(self, values: NDArray[np.float64], said: Readings) -> Readings:
        made: list[tuple[tuple[str, str, str], ...]] = []
        for i, variable in enumerate(self._bundle.variables):
            column = values[:, i]
            if not np.isfinite(column).any():
                made.append((("max", number(np.nan), ""),))
                continue
            made.append((
                ("max", signed(float(np.nanmax(column)), 2), ""),
                ("min", signed(float(np.nanmin(column)), 2), ""),
                (f"{units(variable, full=False)} per K", "", ""),
                *said[i],
            ))  # fmt: skip
        return tuple(made)

    # -- controls ----------------------------------------------------------------------------

    def _regions(self, box: Any) -> dict[str, str]:
        drawn = {} if box is None else {BOX: region_words(box)}
        return {key: region.short for key, region in REGIONS.items()} | drawn

    def show(self, *, shown: bool) -> None:
        """Update the controls; the caller holds the document."""
        over = self._settings.over
        if isinstance(over, str):
            self.region.show(over, self._regions(None))
        else:
            self.region.show(BOX, self._regions(over))
        self.amplitude.show(self._settings.amplitude)
        self.patch.show("")
        self.open.visible = not shown
        job = self.job
        left = shown and job.total > 0 and job.done < job.total
        self.progress.visible = left
        # In per cent: a bar refuses a value beyond its end, which would change with the month.
        self.progress.value = round(100 * job.done / max(job.total, 1))
        self.count.object = f"{job.done} of {job.total} patches" if left else ""
        self.cancel.visible = shown and job.running
        self.go_on.visible = left and not job.running
        self.words.object = "".join(f"<p>{part}</p>" for part in self._words() if shown)

    def _words(self) -> list[str]:
        if self.job.failed:
            return [self.job.failed]
        atlas = self.atlas
        if atlas is None:
            step = self._bundle.seasons.step
            return [f"The first patches come once the analysis of the {step} is there."]
        where = region_of(self._settings.over)
        values = atlas.told(where)
        said = []
        for i, variable in enumerate(self._bundle.variables):
            column = values[:, i]
            if not np.isfinite(column).any():
                continue
            most = int(np.nanargmax(np.abs(column)))
            said.append(
                f"{self._names[variable.name]}: {signed(float(column[most]), 2)} "
                f"{units(variable, full=False)} at {atlas.patches[most].label}"
            )
        found = (
            f"Means over {where.short}, per kelvin of the open sea's mean, by where the sea is "
            f"warmed; click a map to open the patch there. Largest: {'; '.join(said)}."
        )
        if self.gcm is None:
            return [found, NO_RUNS]
        return [found, self._gcm_words(self.gcm) if self.compared else NOT_COMPARED]

    def _gcm_words(self, gcm: GcmAtlas) -> str:
        """Return what the GCM's maps are, and how well its runs know them."""
        region = self.compared
        halves = gcm.halves[gcm.regions.index(region)]
        rows = zip(self._bundle.variables, gcm.known(region), halves, strict=True)
        told = "; ".join(f"{self._names[v.name]} {n:.0f}, r {number(r)}" for v, n, r in rows)
        return (
            "Left, the GCM's own, estimated from its runs over seas with random patches "
            f"({gcm.members} members of {gcm.months} months), for no run warms one of these alone. "
            f"How many of the {len(gcm.patches)} patches the runs know, and how one member's "
            f"estimate correlates with the other's: {told}. In the scatters r is the emulator's "
            "correlation with the GCM's at that resolution."
        )

    @property
    def busy(self) -> bool:
        """Whether it is being made."""
        return self.job.running

    def close(self) -> None:
        """Release everything at the end of the session."""
        self.job.close()

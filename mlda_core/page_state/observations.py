"""Observations and assimilation settings of a session: plain data, changed by pure functions.

Observations are a network, by its name and numbers, and what was done to it by hand. A value or
an error that nobody typed is absent here: it is sampled from the month's target, and so follows
the month, the error slider and the seed of the noise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

import param

from mlda_core.assimilation.methods import METHODS, WITH_WHOLE_POSTERIOR
from mlda_core.assimilation.options import OPTIONS
from mlda_core.assimilation.posterior.sampler import EVENTS, MEMBERS, SAMPLER
from mlda_core.assimilation.posterior.samplers import SAMPLERS
from mlda_core.observations.networks import DOMAINS, NETWORKS, SPACINGS, YEARS
from mlda_core.page_state.rows import (
    MAX_ROWS,
    MAX_TEXT,
    InvalidObservationError,
    Row,
    check_row,
    pack_rows,
    plain_changes,
    plain_rows,
    read_changes,
    read_numbers,
    read_rows,
    unpack_rows,
)
from mlda_core.page_state.settings import Settings, Structured, number, number_of, setting

MAX_SEED = 2**31 - 1
Region = tuple[float, float, float, float]
# Changes of rows by hand; links pack them together.
ROWS = ("withheld", "deleted", "changed", "own")
# What says which network it is; what says which observations; and what, how they are assimilated.
NETWORK = ("kind", "variables", "count", "spacing", "domain", "region", "year", "seed")
OBSERVED = (*NETWORK, "error", "noise", *ROWS)
ANALYSED = (*OBSERVED, "method", "residual", "localisation")
# Stands beside the model where a state is pinned.
PINNED = "pinned"


def _names(given: Any) -> tuple[str, ...]:
    """Sort names of variables; whether a bundle has them it says itself."""
    if not isinstance(given, list | tuple) or not all(isinstance(v, str) for v in given):
        raise InvalidObservationError(
            "The network's variables must be a list of names; correct it."
        )
    return tuple(sorted({v[:40] for v in given}))


def _region(given: Any) -> Region | None:
    """Turn a region's longitudes to 0..360 and round it to what a link holds."""
    if given is None:
        return None
    if not isinstance(given, list | tuple) or len(given) != 4:
        raise InvalidObservationError("A region must be south, north, west and east; correct it.")
    refuses = InvalidObservationError
    south, north = (number("region's latitude", v, -90, 90, refuses) for v in given[:2])
    west, east = (number("region's longitude", v, -360, 720, refuses) for v in given[2:])
    if south >= north or west == east:
        raise InvalidObservationError("The region is empty; draw a larger one.")
    around = east - west >= 360
    sides = (0.0, 360.0) if around else (round(west % 360, 2), round(east % 360, 2))
    return (round(south, 2), round(north, 2), *sides)


def _parts(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def _box_setting(key: str, doc: str) -> Structured[Region | None]:
    """Return a setting that is a box, or none; ``key`` is its key in links."""
    return Structured(
        None,
        _region,
        plain=lambda region: region and list(region),
        text=lambda region: ",".join(f"{v:g}" for v in region or ()),
        parse=lambda text: [number_of(part) for part in _parts(text)],
        doc=doc,
        metadata=setting(key),
    )


class Spacing(param.Integer):
    """Kilometres between stations; 0 where their number says it."""

    __slots__ = ()

    def _validate_value(self, val: Any, allow_None: bool) -> None:
        super()._validate_value(val, allow_None)
        if 0 < val < SPACINGS[0]:
            raise ValueError(f"{val} km are too near.")


class ObservationSettings(Settings):
    """Observations and how they are assimilated."""

    refuses: ClassVar = InvalidObservationError
    group: ClassVar = "observations"

    kind: param.Selector[str] = param.Selector(
        default="stations",
        objects={kind.label: key for key, kind in NETWORKS.items()},
        label="Network",
        doc="Which variables are observed, and where.",
        metadata=setting("network", words="network"),
    )
    variables: Structured[tuple[str, ...]] = Structured(
        (),
        _names,
        plain=list,
        text=",".join,
        parse=_parts,
        doc="What stations observe; none: what such a network usually does.",
        metadata=setting("observe"),
    )
    count = param.Integer(
        default=100,
        bounds=(1, 3000),
        label="stations",
        doc="How many stations.",
        metadata=setting("stations", words="number of stations"),
    )
    spacing = Spacing(
        default=0,
        bounds=(0, SPACINGS[1]),
        label="km apart",
        doc="Least distance of stations, or that of ships along their routes; 0: as many as said.",
        metadata=setting(
            "spacing",
            refused=f"A spacing must be 0, or from {SPACINGS[0]} to {SPACINGS[1]} km; correct it.",
        ),
    )
    domain: param.Selector[str] = param.Selector(
        default="globe", objects=list(DOMAINS), label="Where", metadata=setting("on")
    )
    region = _box_setting("box", "Where stations are, within the domain.")
    year = param.Integer(
        default=1900,
        bounds=YEARS,
        label="in",
        doc="Stations that reported in this year",
        metadata=setting("year"),
    )
    seed = param.Integer(
        default=1,
        bounds=(0, MAX_SEED),
        label="places",
        doc="Seed of the stations' places",
        metadata=setting("places", words="seed of the places"),
    )
    error = param.Number(
        default=0.2,
        bounds=(0.02, 2.0),
        softbounds=(0.05, 1.0),
        step=0.05,
        label="Obs. error",
        doc="Error standard deviation of what is sampled from the target, and of what a file gives "
        "without an error, as a multiple of the local spread",
        metadata=setting("error", words="observation error", digits=4),
    )
    noise = param.Integer(
        default=1,
        bounds=(0, MAX_SEED),
        label="noise",
        doc="Seed of the observations' errors",
        metadata=setting("noise", words="seed of the noise"),
    )
    method: param.Selector[str] = param.Selector(
        default=OPTIONS["method"].default,
        objects={method.label: key for key, method in METHODS.items()},
        label="Method",
        doc="How observations become an analysis.",
        metadata=setting("method"),
    )
    residual = param.Boolean(
        default=OPTIONS["residual"].default,
        label="residual",
        doc=OPTIONS["residual"].help,
        metadata=setting("residual"),
    )
    localisation = param.Number(
        default=OPTIONS["localisation"].default,
        bounds=(0.25, 2.0),
        step=0.05,
        label="Localisation radius",
        doc=OPTIONS["localisation"].help,
        metadata=setting("reach", words="localisation radius", digits=4),
    )
    live = param.Boolean(
        default=True,
        label="Live",
        doc="Whether every change is assimilated at once.",
        metadata=setting("live"),
    )
    column: param.Selector[str] = param.Selector(
        default="model",
        objects={
            "Model": "model",
            "Increment": "increment",
            "Difference": "difference",
            "One observation's influence": "influence",
            "Spread": "spread",
            "Member": "member",
            "Probability": "probability",
            "Where next?": "next",
        },
        doc="What the model's column shows.",
        metadata=setting("column", words="view of the model"),
    )
    member = param.Integer(
        default=1,
        bounds=(1, MEMBERS),
        doc="Member of the posterior ensemble that the model's column shows.",
        # Flipping through members is looking, and no work to be undone.
        metadata=setting("member", words="member of the ensemble", history=False),
    )
    sampler: param.Selector[str] = param.Selector(
        default=SAMPLER,
        objects={found.label: key for key, found in SAMPLERS.items()},
        label="Members by",
        doc="How members are drawn from the posterior.",
        metadata=setting("sampler"),
    )
    event: param.Selector[str] = param.Selector(
        default="above",
        objects={label: key for key, (label, _) in EVENTS.items()}
        | {"Above …": "over", "Below …": "under"},
        doc="What the model's column shows the probability of.",
        metadata=setting("event"),
    )
    threshold = param.Number(
        default=1.0,
        bounds=(-100.0, 100.0),
        doc="The value that the probability is above or below: an anomaly, in each map's units.",
        metadata=setting("threshold", words="value", digits=3),
    )
    next_variable = param.String(
        default="",
        doc="What to observe next; none: what is asked about.",
        metadata=setting("next", words="variable to observe next"),
    )
    next_target = param.String(
        default="",
        doc="Whose spread the next observation is to lower; none: the first variable.",
        metadata=setting("nextof", words="variable of where next"),
    )
    next_region = param.String(
        default="globe",
        doc="Where it is to lower it: a named region, or the box drawn.",
        metadata=setting("nextin", words="region of where next"),
    )
    next_box = _box_setting("nextbox", "The box drawn for it.")
    hatch = param.Number(
        default=0.5,
        bounds=(0.05, 1.0),
        doc="A spread above this share of the climatological one is hatched.",
        metadata=setting("hatch", words="share for hatching", digits=4),
    )
    # The target, the state that is pinned, or the analysis of the same observations by another
    # method: one that takes any network, and no longer than the slider's own.
    beside: param.Selector[str] = param.Selector(
        default="target",
        objects={"Target": "target", "Pinned state": PINNED}
        | {METHODS[key].label: key for key in WITH_WHOLE_POSTERIOR},
        doc="What stands beside the model.",
        metadata=setting("beside", words="view beside the model"),
    )
    # For increments, which are far smaller than months' anomalies.
    scale: param.Selector[int] = param.Selector(
        default=1,
        objects=[1, 2, 5, 10],
        doc="What the model column's colour range is divided by.",
        metadata=setting(
            "scale",
            refused="The colours cannot be amplified {value} times; choose one of {options}.",
        ),
    )
    arrows = param.Boolean(
        default=True,
        doc="Whether a bundle's vector is drawn as arrows.",
        metadata=setting("arrows"),
    )
    withheld: Structured[frozenset[int]] = Structured(
        frozenset(),
        read_numbers,
        plain=sorted,
        doc="Rows of the network that are only scored.",
        metadata=setting(),
    )
    deleted: Structured[frozenset[int]] = Structured(
        frozenset(),
        read_numbers,
        plain=sorted,
        doc="Rows of the network that are left out.",
        metadata=setting(),
    )
    changed: Structured[tuple[tuple[int, Row], ...]] = Structured(
        (),
        read_changes,
        plain=plain_changes,
        doc="Rows of the network that were moved or edited, by number.",
        metadata=setting(),
    )
    own: Structured[tuple[Row, ...]] = Structured(
        (),
        read_rows,
        plain=plain_rows,
        doc="Rows placed by hand or read from a file; they follow those of the network.",
        metadata=setting(),
    )

    @property
    def by_hand(self) -> int:
        """Number of rows that differ from the network's own."""
        return len(self.withheld | self.deleted | {i for i, _ in self.changed}) + len(self.own)

    @cached_property
    def network(self) -> tuple[Any, ...]:
        """What the network is; with another one of these its rows are other rows."""
        return tuple(self.values[name] for name in NETWORK)

    @cached_property
    def observed(self) -> tuple[Any, ...]:
        """The settings that determine the observations; the others are about their use."""
        return tuple(self.values[name] for name in OBSERVED)

    @cached_property
    def analysed(self) -> tuple[Any, ...]:
        """The settings that determine the analysis of a month."""
        return tuple(self.values[name] for name in ANALYSED)

    def adjust(
        self, values: Mapping[str, Any], options: Mapping[str, Sequence[Any]] | None = None
    ) -> Self:
        """Return the same settings with values that come from outside.

        Another network has other rows: what was done to the old one's goes, unless it is given
        too. Rows of one's own stay; but of ``custom``, which `mlda_core.page_state.tables.freeze`
        makes of a network's rows, only those with a value of their own: the others were the
        network's.

        Raises
        ------
        InvalidObservationError
            If one is unknown or cannot be.
        """
        made = super().adjust(values, options)
        gone: dict[str, Any] = {}
        if made.network != self.network:
            gone = {"withheld": frozenset(), "deleted": frozenset(), "changed": ()}
        if made.kind != self.kind and self.kind == "custom":
            gone["own"] = tuple(row for row in made.own if row.value is not None)
        gone = {name: value for name, value in gone.items() if name not in values}
        return made.replace(**gone) if gone else made

    def to_parts(self, beside: Self | None = None) -> dict[str, str]:
        """Return the parts of a link; rows that are too many for one are left out."""
        rows = self.rows_text()
        return super().to_parts(beside) | ({"rows": rows} if rows else {})

    @classmethod
    def from_parts(cls, given: Mapping[str, str]) -> dict[str, Any]:
        """Return what the parts of a link say."""
        rows = unpack_rows(given["rows"], ROWS) if "rows" in given else {}
        return super().from_parts(given) | rows

    def rows_text(self, most: int = MAX_TEXT) -> str:
        """Pack what was done by hand for a link; '' where it is nothing or more than `most`."""
        if not 0 < self.by_hand <= most:
            return ""
        return pack_rows({k: v for k, v in self.to_dict().items() if k in ROWS}, most)


to_dict = ObservationSettings.to_dict


# -- what a gesture does to rows -----------------------------------------------------------------


def withhold(
    settings: ObservationSettings, sources: Collection[int], *, held: bool
) -> ObservationSettings:
    """Withhold or restore rows.

    Parameters
    ----------
    settings : ObservationSettings
        What there is.
    sources : collection of int
        Rows: of the network by number, one's own as -1, -2, ...
    held : bool
        Withhold; or restore.
    """
    network = {i for i in sources if i >= 0}
    chosen = {-1 - i for i in sources if i < 0}
    own = tuple(
        row._replace(withheld=held) if j in chosen else row for j, row in enumerate(settings.own)
    )
    kept = settings.withheld | network if held else settings.withheld - network
    return settings.replace(withheld=frozenset(kept), own=own)


def delete(settings: ObservationSettings, sources: Collection[int]) -> ObservationSettings:
    """Delete rows; of a network they stay away until it is changed."""
    network = {i for i in sources if i >= 0}
    chosen = {-1 - i for i in sources if i < 0}
    return settings.replace(
        deleted=settings.deleted | network,
        withheld=settings.withheld - network,
        changed=tuple(pair for pair in settings.changed if pair[0] not in network),
        own=tuple(row for j, row in enumerate(settings.own) if j not in chosen),
    )


def place(settings: ObservationSettings, row: Row) -> ObservationSettings:
    """Add a row of one's own."""
    if len(settings.own) >= MAX_ROWS:
        raise InvalidObservationError(
            f"There are {MAX_ROWS} observations already; delete some first."
        )
    return settings.replace(own=(*settings.own, check_row(row)))


def edit(settings: ObservationSettings, source: int, row: Row) -> ObservationSettings:
    """Put a row in another's place; whether it is withheld stays as it is."""
    row = check_row(row)
    if source < 0:
        own = list(settings.own)
        own[-1 - source] = row._replace(withheld=own[-1 - source].withheld)
        return settings.replace(own=tuple(own))
    changed = dict(settings.changed)
    changed[source] = row._replace(withheld=False)
    return settings.replace(changed=tuple(sorted(changed.items())))

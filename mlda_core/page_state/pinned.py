"""A state that is pinned: what of it makes its fields, as a link to it alone, and its words."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from mlda_core.assimilation.methods import METHODS
from mlda_core.page_state.observations import ANALYSED, ObservationSettings
from mlda_core.page_state.serialize import to_query
from mlda_core.page_state.settings import InvalidStateError
from mlda_core.page_state.snapshot import MAX_PINNED, Limits, Snapshot

# Which member it is, where it is one.
_MEMBER = ("column", "member", "sampler")


def pin_of(snapshot: Snapshot, limits: Limits) -> str:
    """Return the setting ``pinned`` for the fields that the model of a state shows.

    Parameters
    ----------
    snapshot : Snapshot
    limits : Limits
        Of its bundle.

    Returns
    -------
    str
        The query of a link, for `mlda_core.page_state.serialize.read_pin`: the month, and a latent
        vector or what an analysis is made of. It is made again from that, so it holds what an
        analysis has beyond its latent vector too.

    Raises
    ------
    InvalidStateError
        If more was done to observations by hand than can be pinned.
    """
    observed: ObservationSettings = snapshot.observations
    names: tuple[str, ...] = ()
    if rests_on_analysis(snapshot):
        names = ANALYSED
    if snapshot.model == "analysis" and observed.column == "member":
        names += _MEMBER
    made = limits.first_view().replace(
        month=snapshot.month,
        model=snapshot.model,
        z=snapshot.z,
        origin=snapshot.origin,
        observations=ObservationSettings().replace(**{n: observed.values[n] for n in names}),
    )
    text = to_query(made, replace(limits, link=""))
    if names and observed.by_hand and not observed.rows_text():
        # Too much for a link, though not for a file.
        rows = observed.rows_text(MAX_PINNED)
        text += f"&{urlencode({'rows': rows})}"
        if not rows or len(text) > MAX_PINNED:
            raise InvalidStateError(
                f"With {observed.by_hand} observations placed or changed by hand a state cannot "
                "be pinned; save it as a file."
            )
    return text


def rests_on_analysis(snapshot: Snapshot) -> bool:
    """Whether the fields of a state are an analysis, or one that was moved by hand."""
    origin = snapshot.origin
    moved = snapshot.model == "own" and origin is not None and origin.kind == "analysis"
    return snapshot.model == "analysis" or moved


def pin_words(snapshot: Snapshot, *, month_first: bool = False) -> str:
    """Return what a pinned state is, in a few words.

    Parameters
    ----------
    snapshot : Snapshot
    month_first : bool
        Where the end may be cut off.

    >>> pin_words(Snapshot("1997-12"))
    'VAE analysis, 1997-12'
    """
    observed: ObservationSettings = snapshot.observations
    label = METHODS[observed.method].label
    if snapshot.model == "code":
        what = "code"
    elif snapshot.model == "own":
        what = f"{label} analysis, moved by hand" if rests_on_analysis(snapshot) else "latent state"
    elif observed.column == "member":
        what = f"member {observed.member}, {label}"
    else:
        what = f"{label} analysis"
    return f"{snapshot.month}, {what}" if month_first else f"{what}, {snapshot.month}"

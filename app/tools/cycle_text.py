"""What the tool Cycle says, as pure functions of plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.text import counted, date_phrase
from mlda_core.page_state.cycles import AREAS, MOST_DAYS, CycleSettings, withheld_on

if TYPE_CHECKING:
    from mlda_core.page_state.cycle_runs import CycleRequest

INTRO = (
    "Run begins on the day shown. Only TEST days are cycled, at most {most} in a row: climatology "
    "is of the VALIDATION days."
)
# Titles of the second column, and of what it is in the scatter.
VIEWS = {
    "analysis": ("analysis", "Analysis"),
    "background": ("background", "Background"),
    "error": ("analysis − truth", "Analysis"),
    "background_error": ("background − truth", "Background"),
    "increment": ("analysis − background", "Analysis"),
    "spread": ("spread", "Analysis"),
    "alone": ("increment", "With it"),
}


def day_words(day: str) -> str:
    """Return a day as people write it.

    >>> day_words("1997-01-05")
    '5 January 1997'
    """
    return date_phrase(day).partition(" ")[2]


def begin_words() -> str:
    """Return what a run is, before there is one."""
    return INTRO.format(most=MOST_DAYS)


def run_words(
    labels: Sequence[str],
    done: int,
    month: str,
    *,
    running: bool,
    playing: bool,
    failed: str = "",
) -> str:
    """Return where a run is, and what the day shown is of it.

    Parameters
    ----------
    labels : sequence of str
        Its days.
    done : int
        How many are cycled.
    month : str
        The day shown.
    running, playing : bool
        Whether a day is under way, and whether the run goes on by itself.
    failed : str
        Why it could not go on.
    """
    if failed:
        return failed
    if month not in labels and not playing:
        return (
            f"{day_words(month)} is not of this run, which goes from {day_words(labels[0])} to "
            f"{day_words(labels[-1])}; choose one of its days, or start here."
        )
    if running and not done:
        return "Preparing climatology and forecast, once for all visitors …"
    count = f"{done} of {counted(len(labels), 'day')}"
    if playing:
        return f"Running: {count}."
    if running:
        return f"Cycling to {day_words(month)}: {count} …"
    if done == len(labels):
        return f"The run has ended: {count}. Go back to any of them, or start on another day."
    return f"{count} are cycled, to {day_words(labels[max(done, 1) - 1])}."


def network_words(settings: CycleSettings, month: str) -> str:
    """Return what of the network is withheld on the day shown, and what changes on the way."""
    if not settings.changes:
        return ""
    said = [
        f"without {AREAS[area].short} from {day_words(day)}"
        if area
        else f"all stations from {day_words(day)}"
        for day, area in settings.changes
    ]
    now = withheld_on(settings, month)
    shown = f"Withheld on the day shown: {AREAS[now].short}. " if now else ""
    return f"{shown}The network: {', '.join(said)}."


def run_label(request: CycleRequest, label: str, beside: CycleRequest) -> str:
    """Return what tells a run from another one, in few words.

    Parameters
    ----------
    request : CycleRequest
        The run.
    label : str
        Of its method.
    beside : CycleRequest
        The other one.
    """
    if request.method != beside.method:
        return f"earlier: {label}"
    if request.stations != beside.stations:
        return f"earlier: {request.stations} stations"
    if request.changes != beside.changes:
        areas = dict.fromkeys(AREAS[area].short for _, area in request.changes if area)
        return f"earlier: without {', '.join(areas)}" if areas else "earlier: all stations"
    return f"earlier: from {day_words(request.first)}"

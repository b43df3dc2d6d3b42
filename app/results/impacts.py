"""An impact series in the foot: measured, predicted, and predicted for the state shown.

The heads are tiny: a prediction takes a tenth of a millisecond, so the number moves with the
sliders. What was predicted for the months themselves stands in the head's own files.
"""

from __future__ import annotations

import math
import re
from calendar import month_name
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from app.components import Message
from app.context import Action, SessionContext
from app.text import SPLIT_LETTERS, number
from mlda_core.assimilation.methods import METHODS
from mlda_core.impact.files import load_impact
from mlda_core.impact.head import INTERVAL, ImpactError, ImpactHead, Prediction, Record
from mlda_core.page_state.rows import InvalidObservationError

if TYPE_CHECKING:
    from app.results.panel import Foot
    from mlda_core.bundle.bundle import Bundle

PART = "impact"


@lru_cache(maxsize=16)
def head_of(bundle: Bundle, name: str) -> ImpactHead:
    """Return a head of a bundle, read once a process.

    Raises
    ------
    ImpactError
        If it is broken.
    """
    return load_impact(name, bundle)


@lru_cache(maxsize=16)
def titles_of(bundle: Bundle) -> tuple[tuple[str, str], ...]:
    """Return names and titles of a bundle's heads; a broken one is called by its name."""
    found = []
    for name in bundle.impacts:
        try:
            found.append((name, head_of(bundle, name).title))
        except ImpactError:
            found.append((name, name))
    return tuple(found)


class ImpactPanel:
    """What the foot shows of impacts.

    Parameters
    ----------
    context : SessionContext
    foot : Foot
    """

    def __init__(self, context: SessionContext, foot: Foot) -> None:
        self._bundle, self._state, self._foot = context.bundle, context.state, foot
        self._complain = context.complain
        titles = titles_of(context.bundle)
        self._names = [name for name, _ in titles]
        foot.impacts = [list(pair) for pair in titles]
        self._shown = ""
        self._broken = ""

    def show(self) -> None:
        """Update the foot from the state; the caller holds the document."""
        state, foot = self._state, self._foot
        name = state.impact if state.impact in self._names else ""
        opened = [part for part in foot.opened if part != PART]
        if name:
            # It takes the whole width.
            opened = [PART]
        if opened != foot.opened:
            foot.opened = opened
        if not name:
            return
        try:
            head = head_of(self._bundle, name)
        except ImpactError as error:
            if self._broken != name:
                self._broken = name
                self._complain(str(error))
            return
        if name != self._shown:
            self._shown = name
            foot.impact = series_for(head)
        foot.put(impact_now=self._now(head))

    def _now(self, head: ImpactHead) -> dict[str, Any]:
        state = self._state
        why = ""
        if state.tool == "perturb":
            why = "The tool Perturb shows responses; this follows Explore and Observe."
        elif state.model == "analysis" and METHODS[state.observations.method].latent != "decoder":
            why = "The method of the analysis has no latent vector of the decoder."
        made = None if why else head.predict(state.z, state.month)
        return now_for(head, state.month, made, why)

    def opened(self, parts: Sequence[str]) -> bool:
        """Follow which parts were opened; True where another impact is shown than before."""
        name = self._state.impact
        if PART in parts and self._names:
            name = name if name in self._names else self._names[0]
        else:
            name = ""
        changed = name != self._state.impact
        self._state.impact = name
        return changed

    def actions(self) -> Mapping[str, Action]:
        """Return what each message about impacts does."""
        return {"impact": self.choose}

    def choose(self, message: Message) -> str:
        """Show another head."""
        name = str(message.get("value"))
        if name not in self._names:
            raise InvalidObservationError(f"There is no impact '{name[:24]}' in this bundle.")
        # A broken one is refused: number and chart would stay those of the head before.
        head_of(self._bundle, name)
        self._state.impact = name
        return ""


def series_for(head: ImpactHead) -> dict[str, Any]:
    """Return a head's record as plain values for the chart, and how good it is in words."""
    record = head.record
    measured = np.isfinite(record.observed)
    # The chart begins and ends with what was measured.
    first, last = np.flatnonzero(measured)[[0, -1]] if measured.any() else (0, len(measured) - 1)
    part = slice(int(first), int(last) + 1)

    def plain(values: Any, *, where: Any = None) -> list[float | None]:
        kept = values if where is None else np.where(where, values, np.nan)
        return [float(f"{v:.4g}") if math.isfinite(v) else None for v in kept[part]]

    return {
        "name": head.name,
        "title": head.title,
        "units": units_words(head.units),
        "months": list(record.months[part]),
        "split": "".join(SPLIT_LETTERS.get(s, "t") for s in record.splits[part]),
        "observed": plain(record.observed),
        **{
            name: plain(getattr(record, name), where=record.seen)
            for name in ("low", "median", "high")
        },
        "extremes": _ranges(record),
        "usual": [[float(f"{v:.4g}") for v in row] for row in head.usual],
        "skill": skill_words(head),
        "about": about_words(head),
    }


def _ranges(record: Record) -> list[list[float]]:
    """Return the least and the greatest measured value of each calendar month, (12, 2)."""
    calendar = np.array([int(m[5:]) for m in record.months])
    out = []
    for month in range(1, 13):
        own = record.observed[(calendar == month) & np.isfinite(record.observed)]
        given = own if own.size else record.observed[np.isfinite(record.observed)]
        out.append([float(given.min()), float(given.max())])
    return out


def now_for(head: ImpactHead, month: str, made: Prediction | None, why: str = "") -> dict[str, Any]:
    """Return the prediction of the state shown, in numbers and in words.

    Parameters
    ----------
    head : ImpactHead
    month : str
        ``YYYY-MM``.
    made : Prediction, optional
        Of the latent vector shown; None where there is none.
    why : str
        Why there is none.
    """
    calendar = int(month[5:])
    record, row = head.record, head.record.row.get(month)
    observed = math.nan if row is None else float(record.observed[row])
    _, usual, _ = head.usual[calendar - 1].tolist()
    units = f" {units_words(head.units)}" if head.units else ""
    now: dict[str, Any] = {
        "month": month,
        "calendar": calendar,
        "observed": observed if math.isfinite(observed) else None,
        "low": None,
        "median": None,
        "high": None,
    }
    words = [f"{head.title}, {month}"]
    notes = [why] if why else []
    if made is not None:
        low, median, high = made.quantile(np.array([INTERVAL[0], 0.5, INTERVAL[1]]))[0].tolist()
        now |= {"low": low, "median": median, "high": high}
        within = f"{100 * (INTERVAL[1] - INTERVAL[0]):.0f} %"
        now["texts"] = {
            "median": figures(median),
            "range": f"{within}: {figures(low)}\u2013{figures(high)}",
        }
        words.append(f"{figures(median)}{units}, {now['texts']['range']}")
        least, most = head.extremes
        if not least <= median <= most:
            notes.append(
                f"Beyond all training months ({figures(least)} to {figures(most)}{units})."
            )
    seen = "measured " + (figures(observed) if math.isfinite(observed) else "nothing")
    normal = f"usual for {month_name[calendar]} {figures(usual)}"
    words += [seen, normal]
    if row is not None and not record.seen[row]:
        before = f", or one of the {head.memory} before it," if head.memory else ""
        notes.append(
            f"The data of this month{before} lack a variable: a latent vector made from them knows "
            "less than the interval says."
        )
    now["facts"] = f"{seen} · {normal}"
    now["words"] = "; ".join([f"{words[0]}: {words[1]}", *words[2:]])
    now["note"] = " ".join(notes)
    return now


def units_words(units: str) -> str:
    """Write units with raised powers.

    >>> units_words("m3/s"), units_words("kg m-2 s-1"), units_words("mm")
    ('m³/s', 'kg m⁻² s⁻¹', 'mm')
    """
    raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    return re.sub(r"(?<=[a-zA-Z])-?\d+", lambda found: found[0].translate(raised), units)


def figures(value: float) -> str:
    """Write a number by two or three figures, as people say a flow.

    >>> [figures(v) for v in (0.0123, 4.26, 85.4, 163.2, 1234.0)]
    ['0.012', '4.3', '85', '163', '1230']
    """
    if not math.isfinite(value):
        return "\u2013"
    size = abs(value)
    if size >= 1000:
        return f"{float(f'{value:.3g}'):.0f}"
    if size >= 10:
        return f"{value:.0f}"
    return f"{value:.2g}" if size >= 1e-3 or value == 0 else f"{value:.1e}"


def skill_words(head: ImpactHead) -> str:
    """Say how good a head is on test months, beside climatology and linear regression."""
    found = head.skill
    if found is None:
        return ""
    split, scores = found
    own, line = scores["head"], scores["ridge"]
    low, high = own["crps_skill_interval"]
    where = "test months" if split == "test" else "validation months"
    skill, low, high, straight, held = (
        # Whole numbers: no "-0".
        round(100 * share)
        for share in (own["crps_skill"], low, high, line["crps_skill"], own["coverage"])
    )
    r = "" if own["correlation"] is None else f"; r {number(own['correlation'])}"
    span = f"{number(low, 0)} to {number(high, 0)} %"
    return (
        f"{scores['months']} {where}: CRPS skill {number(skill, 0)} % (90 % interval {span}); "
        f"linear regression {number(straight, 0)} %{r}; {held} % of months within the 80 % range"
    )


def about_words(head: ImpactHead) -> str:
    """Say what a prediction is made of."""
    past = f", and the {head.memory} months before as they were" if head.memory else ""
    return f"From the latent vector shown, taken as exact{past}"

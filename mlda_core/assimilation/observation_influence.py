"""What one observation tells an analysis, given all others: why much changed, or nothing.

All in closed form from the factors of the network (:mod:`mlda_core.assimilation.leave_one_out`), in
display units and in words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.leave_one_out import LeftOut, left_out
from mlda_core.assimilation.physical_units import at_place, climatological_spread
from mlda_core.assimilation.tilted import tilted
from mlda_core.climate.interpolation import ObservationError
from mlda_core.climate.places import number, place, signed
from mlda_core.climate.scales import written_units
from mlda_core.observations.kinds import PLAIN, kind_of
from mlda_core.observations.loading import Source
from mlda_core.observations.operators import standardised_operator
from mlda_core.observations.options import TableOptions
from mlda_core.observations.said import said, where

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.observations.likelihoods import Likelihoods
    from mlda_core.observations.standardised import Observed

Float = NDArray[np.float32]
Array = NDArray[np.float64]
Use = Literal["used", "withheld", "thinned"]
AS_GIVEN = TableOptions()

# The rules of the sentence. A change below this part of the prior's standard deviation is nothing.
NOTHING = 0.05
# Others have told so much of the prior's variance that little is left to tell.
TOLD = 0.75
# An error so many times what was uncertain before: such an observation hardly counts.
VAGUE = 2.0
# So near to what was expected, in standard deviations of the difference, is as expected.
EXPECTED = 0.25
# So far from it, in the same.
FAR = 4.0
# A heavy-tailed value with less than this weight is hardly believed: 2.4 sd with four degrees.
DOUBTED = 0.5


@dataclass(frozen=True, eq=False)
class Chances:
    """How probable it was that an observation says what it says.

    Parameters
    ----------
    before, others : float
        Before any observation, and by what all others say.
    after : float
        Once it is used: that another one of the same error would say the same.
    """

    before: float
    others: float
    after: float


@dataclass(frozen=True, eq=False)
class ObservationInfluence:
    """What one observation says, what was expected of it, and what it moves.

    Numbers are anomalies in display units; standard deviations are for small departures.

    Parameters
    ----------
    row : int
        Its row in the table, from 0.
    variable, label, units : str
        What is observed.
    kind : str
        Key of its kind, ``value`` of a value.
    lat, lon : float
        Degrees; of a region where it is shown.
    words : str
        What it says, in words of its kind: ``much colder than usual``.
    where : str
        What it is of: its place, region, or the two that differ.
    use : {"used", "withheld", "thinned"}
        Of one that is not used the rest is what it would do.
    value, error_sd : float
        What it says, of a report its class; the standard deviation of its error (R).
    low, high : float
        Ends of what it says, where that is an interval: a bound, or a report's class, whose ends
        are the place's thresholds. Else NaN.
    background, background_sd : float
        What was expected there before any observation, and how sure that was: the square root of
        the prior's variance there (H B H^T).
    others, others_sd : float
        What all others make of it, and how sure that is.
    analysis, analysis_sd : float
        The same with this observation: the mode, and the standard deviation by the curvature
        there, where its error is not normal.
    moved : float
        The change of the analysis there that it makes.
    most : float
        The greatest change in any cell of its variable.
    most_at : tuple of float
        Latitude and longitude of that.
    change : ndarray of float32, shape (V, lat, lon)
        The change of the whole analysis, for small departures.
    influence : float
        Self-sensitivity, 0 to 1: the part of the analysis there that is its own saying; its share
        of the degrees of freedom for signal.
    alone : float
        The same, were there no other observation. Both are of its pseudo-observation at the
        analysis where its error is not normal.
    misfit : float
        Departure from what the others say, in standard deviations of that difference; of an
        interval the distance to it.
    weight : float
        Robust weight, or that of a heavy-tailed value; 1 where it is not down-weighted.
    chances : Chances, optional
        Of a report or a bound.
    density : tuple of ndarray, shape (n,), optional
        Values in display units and density of what is known there with it, where its error is not
        normal; given what all others say.
    """

    row: int
    variable: str
    label: str
    units: str
    kind: str
    words: str
    where: str
    lat: float
    lon: float
    use: Use
    value: float
    error_sd: float
    low: float
    high: float
    background: float
    background_sd: float
    others: float
    others_sd: float
    analysis: float
    analysis_sd: float
    moved: float
    most: float
    most_at: tuple[float, float]
    change: Float
    influence: float
    alone: float
    misfit: float
    weight: float = 1.0
    chances: Chances | None = None
    density: tuple[Array, Array] | None = None

    @property
    def told(self) -> float:
        """Part of the prior's variance there that all others have told, 0 to 1."""
        return float(np.clip(1.0 - (self.others_sd / self.background_sd) ** 2, 0.0, 1.0))

    @property
    def reason(self) -> str:
        """Why it moves what it moves: the rule by which :meth:`sentence` is made.

        One of ``thinned``, ``withheld``, ``down-weighted``, ``expected``, ``told``, ``vague``,
        ``far`` and ``moved``.
        """
        if self.use != "used":
            return self.use
        if self.weight < (DOUBTED if self.kind == "student_t" else 1.0):
            return "down-weighted"
        if abs(self.misfit) > FAR:
            return "far"
        if abs(self.misfit) < EXPECTED:
            return "expected"
        if self.error_sd > VAGUE * self.others_sd and self.told < TOLD:
            return "vague"
        if self.told >= TOLD and self.influence < 0.5:
            return "told"
        if abs(self.moved) < NOTHING * self.background_sd:
            return "expected"
        return "moved"

    def sentence(self) -> str:
        """Return in one sentence what it did, and why no more."""
        n = _digits(self.background_sd)
        unit = self.units
        known = f"{signed(self.others, n)} ± {number(self.others_sd, n)} {unit}"
        moves = f"{signed(self.moved, n)} {unit} there"
        if abs(self.most) > 1.2 * abs(self.moved) and self.reason in ("moved", "far", "told"):
            moves += f", {signed(self.most, n)} {unit} at most at {place(*self.most_at)}"
        told = f"the others had told {100 * self.told:.0f} % of what was unknown there"
        if self.chances is not None:
            return self._sentence_of_chances(self.chances, moves, told)
        says = f"It says {self.words}"
        return {
            "thinned": f"{says}, but was left out by thinning: observations near it are used "
            "instead.",
            "withheld": f"{says}, but is withheld, so it changes nothing; used, it would move the "
            f"analysis by {moves}.",
            "down-weighted": f"{says}, {abs(self.misfit):.0f} σ from what the others say ({known}"
            f"), so it was down-weighted and moves the analysis by {moves}.",
            "expected": f"{says}, about what the others had led to expect ({known}), so it "
            f"moves the analysis by only {moves}.",
            "told": f"{says}, and {told} ({known}), so it moves the analysis by only {moves}.",
            "vague": f"{says}, and its error is large beside what was known without it ({known}"
            f"), so it moves the analysis by only {moves}.",
            "far": f"{says}, {abs(self.misfit):.0f} σ from what the others say ({known}), "
            f"and moves the analysis by {moves}: is it right?",
            "moved": f"{says} where the others say {known}, so it moves the analysis by {moves}.",
        }[self.reason]

    def _sentence_of_chances(self, chances: Chances, moves: str, told: str) -> str:
        """Return the sentence of a report or a bound: how probable it was, and is."""
        says = f"It says {self.words}"
        before = (
            f"which had a probability of {_percent(chances.before)} before any observation and "
            f"{_percent(chances.others)} by what the others say"
        )
        after = f"with it {_percent(chances.after)}"
        return {
            "thinned": f"{says}, but was left out by thinning: observations near it are used "
            "instead.",
            "withheld": f"{says}, {before}, but is withheld, so it changes nothing; used, it would "
            f"move the analysis by {moves}.",
            "expected": f"{says}, {before}, as it was expected, so it moves the analysis by only "
            f"{moves} ({after}).",
            "told": f"{says}, {before}, and {told}, so it moves the analysis by only {moves} "
            f"({after}).",
            "vague": f"{says}, {before}, and its error is large beside what was known without it, "
            f"so it moves the analysis by only {moves} ({after}).",
            "far": f"{says}, {before}, {abs(self.misfit):.0f} σ away, and moves the analysis by "
            f"{moves} ({after}): is it right?",
            "moved": f"{says}, {before}, so it moves the analysis by {moves} ({after}).",
        }[self.reason]


def observation_influence(
    assimilator: Assimilator,
    observations: Source,
    month: Any,
    row: int,
    *,
    options: TableOptions = AS_GIVEN,
    **settings: Any,
) -> ObservationInfluence:
    """Say what one observation tells the analysis, given all others.

    Parameters
    ----------
    assimilator : Assimilator
    observations, month, options, **settings
        As for :meth:`Assimilator.run`; the method must have a posterior.
    row : int
        Index among the month's observations, from 0.

    Returns
    -------
    ObservationInfluence

    Raises
    ------
    ObservationError
        If there is no such row, or an observation is invalid.
    StateError
        If a setting is invalid, or the method has no posterior.
    """
    bundle = assimilator.bundle
    problem, table = assimilator.prepared(observations, month, options=options, **settings)
    if not 0 <= row < len(table):
        raise ObservationError(f"There is no observation {row + 1}; the table has {len(table)}.")
    one = problem.every.where(np.array([row]))
    found = left_out(problem, row)
    given = table.iloc[row]
    held = "withheld" if bool(given["withheld"]) else "thinned"
    use: Use = "used" if row in problem.used else held  # type: ignore[assignment]
    which = int(one.places.variable[0])
    shown, slope = _in_display_units(bundle, one, given, problem.month)
    background, others, analysis = shown(
        np.array([found.background, found.others, found.others + found.moved])
    )
    spread = climatological_spread(bundle, problem.month)
    moved = found.change.reshape(bundle.mask.shape) * spread
    change = np.asarray(np.where(bundle.mask, moved, np.nan), np.float32)
    i, j = np.unravel_index(int(np.nanargmax(np.abs(change[which]))), bundle.grid.shape)
    background_sd = slope * float(np.sqrt(found.prior))
    likelihoods = one.likelihoods
    normal = likelihoods is None or bool(likelihoods.quadratic.all())
    error_sd = float(given["error_sd"]) * problem.setting.error_scale
    kind, _ = kind_of(str(given.get("kind", PLAIN)))
    scaled: dict[str, Any] = {str(k): v for k, v in given.items()} | {"error_sd": error_sd}
    return ObservationInfluence(
        row=row,
        variable=str(given["variable"]),
        label=str(given.get("label", "") or ""),
        units=written_units(bundle.variables[which].anomaly_units),
        kind=kind.key,
        words=said(scaled, bundle.variables[which], _digits(background_sd)),
        where=where(scaled),
        lat=float(given["lat"]),
        lon=float(given["lon"]),
        use=use,
        value=float(given["value"]),
        error_sd=error_sd,
        low=float("nan") if likelihoods is None else float(likelihoods.shown_low[0]),
        high=float("nan") if likelihoods is None else float(likelihoods.shown_high[0]),
        background=float(background),
        background_sd=background_sd,
        others=float(others),
        others_sd=slope * float(np.sqrt(found.left)),
        analysis=float(analysis),
        analysis_sd=slope * float(np.sqrt(found.left * found.error / (found.left + found.error))),
        moved=float(analysis - others),
        most=float(change[which, i, j]),
        most_at=(float(bundle.grid.lat[i]), float(bundle.grid.lon[j])),
        change=change,
        influence=float(found.left / (found.left + found.error)),
        alone=float(found.prior / (found.prior + found.error)),
        misfit=found.misfit,
        weight=found.weight,
        chances=None if normal else _chances(likelihoods, found),
        density=None if normal else _density(likelihoods, found, shown),
    )


def _in_display_units(
    bundle: Bundle, one: Observed, given: pd.Series, month: int
) -> tuple[Callable[[Array], Array], float]:
    """Return what turns standardised values of a row to display units, and its slope."""
    likelihoods, which = one.likelihoods, one.places.variable
    if likelihoods is None or bool(likelihoods.at_place[0]):
        spot = bundle.operator.locate(which, [float(given["lat"])], [float(given["lon"])])
        spread = climatological_spread(bundle, month)
        slope = float(bundle.operator.apply(spot, spread)[0])
        return lambda x: at_place(bundle, spot, x, month), slope
    # A mean or difference is a line of its standardised value.
    line = standardised_operator(bundle, likelihoods.shown, month)
    scale, offset = float(line.scale[0]), float(line.offset[0])
    return lambda x: np.asarray(offset + scale * x, np.float64), scale


def _chances(likelihood: Likelihoods | None, found: LeftOut) -> Chances | None:
    if likelihood is None or np.isnan(likelihood.terms.low[0]):
        return None

    def chance(mean: float, variance: float) -> float:
        below, upto = likelihood.predicted(np.array([mean]), np.array([variance]))
        return float(upto[0] - below[0])

    f, share = tilted(likelihood, found.others, found.left)
    again = np.exp(-likelihood.cost(f[:, None])[:, 0])
    return Chances(
        chance(found.background, found.prior),
        chance(found.others, found.left),
        float(share @ again),
    )


def _density(
    likelihood: Likelihoods | None, found: LeftOut, shown: Callable[[Array], Array]
) -> tuple[Array, Array] | None:
    if likelihood is None:
        return None
    f, share = tilted(likelihood, found.others, found.left)
    values = shown(f)
    slope = np.gradient(values, f)
    # Rain cannot be less than none; and beyond what matters there is nothing to draw.
    kept = (slope > 1e-3 * np.abs(slope).max()) & (share > 1e-5 * share.max())
    return values[kept], (share / (f[1] - f[0]))[kept] / slope[kept]


def _percent(probability: float) -> str:
    """Return a probability as people write it.

    >>> _percent(0.234), _percent(0.0004), _percent(0.9999)
    ('23 %', 'below 1 %', 'above 99 %')
    """
    if probability < 0.005:
        return "below 1 %"
    return "above 99 %" if probability > 0.995 else f"{100 * probability:.0f} %"


def _digits(sd: float) -> int:
    """Return the decimals in which numbers of a standard deviation are written, 1 to 3.

    >>> _digits(4.3), _digits(2.3), _digits(0.31), _digits(0.02)
    (1, 2, 2, 3)
    """
    return int(np.clip(1 - np.floor(np.log10(max(sd, 1e-6) / 3.0)), 1, 3))

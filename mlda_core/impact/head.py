"""Impact heads: from the latent vector to a measured local series, such as river flow.

A head is a small ensemble of perceptrons from (z, calendar month) to a normal distribution of the
month's standardised, transformed value; the ensemble's mixture is approximated by a normal with its
mean and variance. A head with a memory also gets the mean code of the preceding months, as river
flow depends on earlier rain. The value is Box-Cox transformed (Box and Cox 1964, J. R. Stat. Soc. B
26, 211) if it cannot be negative, and standardised by the mean and spread of its calendar month, so
that a head without skill equals climatology. Training is in
:mod:`mlda_core.impact.training`, files in :mod:`mlda_core.impact.files`;
this module, needed for every frame of the page, uses NumPy only.

    head = load_impact("assets/bundles/real/impacts/thames", bundle)
    head.predict(bundle.code("1998-01"), "1998-01").quantile(0.9)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from mlda_core.climate.errors import UserError

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float64]
# Reported 80 % prediction interval.
INTERVAL = (0.1, 0.9)
# Levels of the quantiles used for scores and means: midpoints of a hundred equal intervals.
LEVELS: Float = (np.arange(100) + 0.5) / 100
# Least area fraction of each variable with values for a month to count as seen.
MIN_COVER = 0.5


class ImpactError(UserError):
    """An impact model is invalid; the message is one sentence with the remedy."""


@dataclass(frozen=True)
class Transform:
    """The Box-Cox transform, or none.

    Parameters
    ----------
    power : float
        Exponent, 0 to 1; 0 is the logarithm, 1 the identity.
    shift : float
        Added first: half of the least positive value if some are zero.
    bounded : bool
        Whether values cannot be negative.
    """

    power: float
    shift: float
    bounded: bool

    @classmethod
    def fitted(cls, values: Float) -> Transform:
        """Fit the transform that makes the values most nearly normal.

        Parameters
        ----------
        values : ndarray, shape (n,)

        Returns
        -------
        Transform
            None (power 1) if a value is negative; else the power of maximum likelihood, among
            tenths.
        """
        if values.min() < 0 or not (values > 0).any():
            return cls(1.0, 0.0, bounded=False)
        shift = 0.0 if values.min() > 0 else 0.5 * float(values[values > 0].min())
        powers = np.arange(11) / 10
        logs = np.log(values + shift)

        def likelihood(power: float) -> float:
            spread = cls(power, shift, bounded=True).forward(values).std()
            return float(-np.log(max(spread, 1e-300)) + (power - 1) * logs.mean())

        return cls(float(max(powers, key=likelihood)), shift, bounded=True)

    def forward(self, values: ArrayLike) -> Float:
        """Transform values, any shape."""
        moved = np.asarray(values, np.float64) + self.shift
        if not self.bounded:
            return moved
        moved = np.maximum(moved, 1e-12)
        return np.log(moved) if self.power == 0 else (moved**self.power - 1) / self.power

    def inverse(self, values: ArrayLike) -> Float:
        """Invert :meth:`forward`; negative results become zero."""
        given = np.asarray(values, np.float64)
        if not self.bounded:
            return given - self.shift
        if self.power == 0:
            # Larger values are beyond any river's flow, and would overflow.
            moved = np.exp(np.minimum(given, 100.0))
        else:
            moved = np.maximum(self.power * given + 1, 0.0) ** (1 / self.power)
        return np.maximum(moved - self.shift, 0.0)


@dataclass(frozen=True)
class Scale:
    """Standardisation of the values.

    Transformed, less the mean of the calendar month, divided by its spread.

    Parameters
    ----------
    transform : Transform
    centre, spread : ndarray, shape (12,)
        Mean and standard deviation of the transformed values by calendar month.
    """

    transform: Transform
    centre: Float
    spread: Float

    def forward(self, values: ArrayLike, calendar: NDArray[np.int64]) -> Float:
        """Standardise values; `calendar` has months 1..12 of the same shape."""
        return (self.transform.forward(values) - self.centre[calendar - 1]) / self.spread[
            calendar - 1
        ]

    def inverse(self, values: ArrayLike, calendar: NDArray[np.int64]) -> Float:
        """Invert :meth:`forward`."""
        at = calendar - 1
        return self.transform.inverse(np.asarray(values) * self.spread[at] + self.centre[at])


@dataclass(frozen=True)
class Prediction:
    """Predicted distributions, one for each month.

    Parameters
    ----------
    centre, spread : ndarray, shape (n,)
        Mean and standard deviation of the standardised, transformed value.
    calendar : ndarray of int, shape (n,)
        Calendar months 1..12.
    scale : Scale
        Of the head.
    units : str
        Of the results of the methods.
    """

    centre: Float
    spread: Float
    calendar: NDArray[np.int64]
    scale: Scale
    units: str

    def quantile(self, level: ArrayLike) -> Float:
        """Return quantiles.

        Parameters
        ----------
        level : array_like, shape () or (k,)
            Between 0 and 1.

        Returns
        -------
        ndarray, shape (n,) or (n, k)
            In the series' units.
        """
        at = ndtri(np.asarray(level, np.float64))
        if at.ndim == 0:
            return self.scale.inverse(self.centre + self.spread * at, self.calendar)
        values = self.centre[:, None] + self.spread[:, None] * at
        return self.scale.inverse(values, self.calendar[:, None])

    @property
    def median(self) -> Float:
        """The median, shape (n,)."""
        return self.quantile(0.5)

    @property
    def mean(self) -> Float:
        """The mean, shape (n,), over the quantiles at `LEVELS`."""
        return np.asarray(self.quantile(LEVELS).mean(axis=1))

    def probability_below(self, value: float) -> Float:
        """Return the probability of values below a threshold, shape (n,)."""
        given = self.scale.forward(np.full(len(self.calendar), value), self.calendar)
        return np.asarray(ndtr((given - self.centre) / self.spread))


@dataclass(frozen=True)
class Weights:
    """An ensemble of E perceptrons with one hidden layer and a linear skip connection.

    Parameters
    ----------
    into : ndarray, shape (E, H, I)
        From the inputs (:func:`inputs_of`) to the hidden units.
    into_bias : ndarray, shape (E, H)
    out : ndarray, shape (E, 2, H)
        To the mean, and to the logarithm of the spread.
    out_bias : ndarray, shape (E, 2)
    past : ndarray, shape (E, I)
        From the inputs to the mean.
    """

    into: Float
    into_bias: Float
    out: Float
    out_bias: Float
    past: Float

    def __call__(self, inputs: Float) -> tuple[Float, Float]:
        """Return mean and spread of the ensemble's mixture, shape (n,) each, for (n, I)."""
        hidden = np.tanh(np.einsum("ehi,ni->neh", self.into, inputs) + self.into_bias)
        out = np.einsum("ekh,neh->nek", self.out, hidden) + self.out_bias
        centre = out[..., 0] + inputs @ self.past.T
        variance = np.exp(2 * np.clip(out[..., 1], *LOG_SPREAD))
        mean = centre.mean(axis=1)
        # Disagreement between members contributes to the uncertainty.
        return mean, np.sqrt(variance.mean(axis=1) + centre.var(axis=1))


# Bounds of the log spread, relative to the calendar month's: e^-3 is 5 %, e^1.5 four times.
LOG_SPREAD = (-3.0, 1.5)


def inputs_of(blocks: Float, calendar: NDArray[np.int64], n_latent: int) -> Float:
    """Return the inputs of a head's network, shape (n, B n_latent + 2).

    The leading latents of each block, then cosine and sine of the calendar month.

    Parameters
    ----------
    blocks : ndarray, shape (n, B, L)
        The latent vector of the month and, if B is 2, the mean of those of the months before.
    calendar : ndarray of int, shape (n,)
        Calendar months 1..12.
    n_latent : int
        Number of leading latent components.
    """
    angle = 2 * np.pi * (calendar - 0.5) / 12
    leading = blocks[:, :, :n_latent].reshape(len(blocks), -1)
    return np.column_stack([leading, np.cos(angle), np.sin(angle)])


@dataclass(frozen=True)
class Record:
    """The series by month: measured, and predicted from the month's code.

    Parameters
    ----------
    months, splits : tuple of str
        ``YYYY-MM`` of the bundle's months and the split of each.
    observed : ndarray, shape (n,)
        NaN if not measured.
    seen : ndarray of bool, shape (n,)
        Whether the bundle has enough of each variable in the month, and in the months of the
        memory: others are predicted, but not used in training or scores.
    low, median, high, mean : ndarray, shape (n,)
        Of the prediction; low and high are the bounds of `INTERVAL`.
    before : ndarray of float32, shape (n, n_used)
        Mean of the leading latents over the months of the memory; no columns without one.
    """

    months: tuple[str, ...]
    splits: tuple[str, ...]
    observed: Float
    seen: NDArray[np.bool_]
    low: Float
    median: Float
    high: Float
    mean: Float
    before: NDArray[np.float32]

    @cached_property
    def row(self) -> dict[str, int]:
        """Index of each month."""
        return {month: i for i, month in enumerate(self.months)}


@dataclass(frozen=True)
class ImpactHead:
    """An impact head of one bundle.

    Parameters
    ----------
    name : str
        Short name: letters, digits, - and _.
    title : str
        Display name, such as "Thames at Kingston".
    units : str
        Of the series; "" if it has none.
    n_latent, n_used : int
        Length of the bundle's latent vector, and number of leading components used.
    memory : int
        Number of preceding months used; 0 for none.
    scale : Scale
    weights : Weights
    usual : ndarray, shape (12, 3)
        Climatology of the training years by calendar month: the bounds of `INTERVAL` with the
        median between them.
    extremes : tuple of float
        Least and greatest value of the training months.
    scores : dict
        By split and method: see :func:`mlda_core.impact.scores.scores_of`.
    about : dict
        Provenance of the training.
    record : Record
        The series.
    """

    name: str
    title: str
    units: str
    n_latent: int
    n_used: int
    memory: int
    scale: Scale
    weights: Weights
    usual: Float
    extremes: tuple[float, float]
    scores: dict[str, Any]
    record: Record
    about: dict[str, Any] = field(default_factory=dict)

    def predict(self, z: ArrayLike, month: int | str | Sequence[int] | Sequence[str]) -> Prediction:
        """Predict the series from latent vectors.

        Parameters
        ----------
        z : array_like, shape (L,) or (n, L)
        month : int or str, or a sequence of n of them
            Calendar month 1..12, or ``YYYY-MM``. With a memory, the actual preceding months are
            used for a ``YYYY-MM`` of the bundle, and the prior's mean for any other month.

        Returns
        -------
        Prediction
            Of n months; one for a single vector.

        Raises
        ------
        ImpactError
            If z has the wrong length or is not finite, or a month is invalid.
        """
        latent = np.atleast_2d(np.asarray(z, np.float64))
        if latent.ndim != 2 or latent.shape[1] != self.n_latent:
            raise ImpactError(
                f"A latent vector of this bundle has {self.n_latent} numbers, not "
                f"{latent.shape[-1]}."
            )
        if not np.isfinite(latent).all():
            raise ImpactError("A latent vector holds a number that is not finite; correct it.")
        one = isinstance(month, str) or not isinstance(month, Iterable)
        months: list[Any] = [month] if one else list(month)  # type: ignore[arg-type]
        if len(months) not in (1, len(latent)):
            raise ImpactError(
                f"There are {len(latent)} vectors but {len(months)} months; give one month for "
                "all, or one for each."
            )
        months = months * len(latent) if len(months) == 1 else months
        calendar = np.array([_calendar(m) for m in months], np.int64)
        blocks = np.zeros((len(latent), 1 + bool(self.memory), self.n_used))
        blocks[:, 0] = latent[:, : self.n_used]
        if self.memory:
            for i, name in enumerate(months):
                if name in self.record.row:
                    blocks[i, 1] = self.record.before[self.record.row[name]]
        centre, spread = self.weights(inputs_of(blocks, calendar, self.n_used))
        return Prediction(centre, spread, calendar, self.scale, self.units)

    def with_predictions(self, z: Float) -> ImpactHead:
        """Return a copy with predictions for its record's months from codes z, (n, L)."""
        made = self.predict(z, self.record.months)
        low, high = made.quantile(np.array(INTERVAL)).T
        values = {"low": low, "median": made.median, "high": high, "mean": made.mean}
        return replace(self, record=replace(self.record, **values))

    @property
    def skill(self) -> tuple[str, dict[str, Any]] | None:
        """The split that shows the skill, test or else validation, and its scores."""
        for split in ("test", "validation"):
            if split in self.scores:
                return split, self.scores[split]
        return None


def _calendar(month: object) -> int:
    if isinstance(month, str):
        found = re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month)
        if found:
            return int(found[1])
    elif isinstance(month, int | np.integer) and month is not True and 1 <= month <= 12:
        return int(month)
    raise ImpactError(f"'{month}' is not a month; give 1 to 12, or YYYY-MM.")


def seen_months(bundle: Bundle, memory: int = 0, min_cover: float = MIN_COVER) -> NDArray[np.bool_]:
    """Return whether each month of a bundle, and those before it, have enough of every variable.

    The code of a month without a variable contains no information on it; training or scoring
    with such codes would be misleading.

    Parameters
    ----------
    bundle : Bundle
    memory : int
        Number of preceding months required; they must be in the bundle.
    min_cover : float
        Least area fraction with values, for each variable.

    Returns
    -------
    ndarray of bool, shape (months,)
    """
    weights = np.where(bundle.mask, bundle.grid.weights, 0.0)
    weights = weights / weights.sum(axis=(1, 2), keepdims=True)
    found = []
    for month in bundle.months:
        there = np.isfinite(bundle.target_standardised(month))
        found.append(bool(((weights * there).sum(axis=(1, 2)) >= min_cover).all()))
    alone = dict(zip(bundle.months, found, strict=True))
    return np.array([all(alone.get(m, False) for m in (n, *before(n, memory))) for n in alone])


def before(month: str, count: int) -> tuple[str, ...]:
    """Return the months before a month ``YYYY-MM``, the latest first.

    >>> before("1998-02", 3)
    ('1998-01', '1997-12', '1997-11')
    """
    index = np.datetime64(month, "M")
    return tuple(str(index - k) for k in range(1, count + 1))


def usual_of(values: Float, calendar: NDArray[np.int64], scale: Scale) -> Float:
    """Return quantiles of each calendar month, shape (12, 3): low, median, high.

    Of the head's initial normal distribution if a calendar month has fewer than ten values,
    otherwise empirical.
    """
    levels = np.array([INTERVAL[0], 0.5, INTERVAL[1]])
    out = np.empty((12, 3))
    for m in range(12):
        own = values[calendar == m + 1]
        at = np.full(3, m + 1)
        out[m] = np.quantile(own, levels) if own.size >= 10 else scale.inverse(ndtri(levels), at)
    return out

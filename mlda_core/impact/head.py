"""Impact models: a measured series of one place, such as a river's flow, from the latent vector.

A head is a small ensemble of perceptrons from (z, calendar month) to a normal distribution of the
month's standardised, transformed value; the ensemble's mixture is taken for a normal of its mean
and variance. A head with a memory is also given the mean code of the months before: a river runs on
their rain. The value is transformed by Box and Cox (1964, J. R. Stat. Soc. B 26, 211) where it
cannot be negative, and the mean and spread of its calendar month are taken away, so that a head
that says nothing is the climatology. Training is in
:mod:`mlda_core.impact.training`, files in :mod:`mlda_core.impact.files`;
here is what a page needs at every frame: NumPy alone.

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
# The interval that is told: eight months of ten fall into it, if it is right.
INTERVAL = (0.1, 0.9)
# Levels at which distributions are scored and averaged: the middles of a hundred equal parts.
LEVELS: Float = (np.arange(100) + 0.5) / 100
# A month counts as seen where this part of each variable's area has a value.
MIN_COVER = 0.5


class ImpactError(UserError):
    """An impact model cannot be made or used; the message is one sentence with the remedy."""


@dataclass(frozen=True)
class Transform:
    """Box and Cox's transform, or none.

    Parameters
    ----------
    power : float
        Of the values, 0 to 1; 0 is the logarithm, 1 leaves them as they are.
    shift : float
        Added first: half of the least positive value where some are zero.
    bounded : bool
        Whether values below zero do not exist.
    """

    power: float
    shift: float
    bounded: bool

    @classmethod
    def fitted(cls, values: Float) -> Transform:
        """Choose the transform under which some values are most nearly normal.

        Parameters
        ----------
        values : ndarray, shape (n,)

        Returns
        -------
        Transform
            None (power 1) where a value is negative; else the power of the greatest likelihood,
            among tenths.
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
        """Invert :meth:`forward`; what would be below zero is zero."""
        given = np.asarray(values, np.float64)
        if not self.bounded:
            return given - self.shift
        if self.power == 0:
            # Beyond this is no flow of any river, and soon no number.
            moved = np.exp(np.minimum(given, 100.0))
        else:
            moved = np.maximum(self.power * given + 1, 0.0) ** (1 / self.power)
        return np.maximum(moved - self.shift, 0.0)


@dataclass(frozen=True)
class Scale:
    """From values to what the network sees.

    Transformed, less the mean of the calendar month, over its spread.

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
    """What is predicted for some months: a distribution each.

    Parameters
    ----------
    centre, spread : ndarray, shape (n,)
        Mean and standard deviation of the standardised, transformed value.
    calendar : ndarray of int, shape (n,)
        Calendar months 1..12.
    scale : Scale
        Of the head.
    units : str
        Of what the methods return.
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
        """The mean, shape (n,): of the quantiles at `LEVELS`."""
        return np.asarray(self.quantile(LEVELS).mean(axis=1))

    def probability_below(self, value: float) -> Float:
        """Return the probability of less than a value, shape (n,)."""
        given = self.scale.forward(np.full(len(self.calendar), value), self.calendar)
        return np.asarray(ndtr((given - self.centre) / self.spread))


@dataclass(frozen=True)
class Weights:
    """An ensemble of E perceptrons of one hidden layer with a straight path beside it.

    Parameters
    ----------
    into : ndarray, shape (E, H, I)
        From the inputs, :func:`inputs_of`, to the hidden units.
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
        # The members' disagreement is a part of what is not known.
        return mean, np.sqrt(variance.mean(axis=1) + centre.var(axis=1))


# Bounds of the logarithm of a spread, of one a calendar month's own: e^-3 is 5 %, e^1.5 four times.
LOG_SPREAD = (-3.0, 1.5)


def inputs_of(blocks: Float, calendar: NDArray[np.int64], n_latent: int) -> Float:
    """Return what a head's network sees, shape (n, B n_latent + 2).

    The leading latents of each block, then cosine and sine of the calendar month.

    Parameters
    ----------
    blocks : ndarray, shape (n, B, L)
        The latent vector of the month and, where B is 2, the mean of those of the months before.
    calendar : ndarray of int, shape (n,)
        Calendar months 1..12.
    n_latent : int
        How many of the leading latents.
    """
    angle = 2 * np.pi * (calendar - 0.5) / 12
    leading = blocks[:, :, :n_latent].reshape(len(blocks), -1)
    return np.column_stack([leading, np.cos(angle), np.sin(angle)])


@dataclass(frozen=True)
class Record:
    """The series month by month: what was measured and what is predicted from the month's code.

    Parameters
    ----------
    months, splits : tuple of str
        ``YYYY-MM`` of the bundle's months and the split of each.
    observed : ndarray, shape (n,)
        NaN where nothing was measured.
    seen : ndarray of bool, shape (n,)
        Whether the bundle has enough of each variable in the month, and in those before that
        count: others are predicted, but neither trained on nor scored.
    low, median, high, mean : ndarray, shape (n,)
        Of the prediction; low and high bound `INTERVAL`.
    before : ndarray of float32, shape (n, n_used)
        Mean of the leading latents over the months before; no column without a memory.
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
        """Where each month stands."""
        return {month: i for i, month in enumerate(self.months)}


@dataclass(frozen=True)
class ImpactHead:
    """A head for one bundle.

    Parameters
    ----------
    name : str
        Short name: letters, digits, - and _.
    title : str
        What people read, such as "Thames at Kingston".
    units : str
        Of the series; "" where it has none.
    n_latent, n_used : int
        Length of the bundle's latent vector, and how many of the leading latents the head sees.
    memory : int
        How many months before count too; 0 for none.
    scale : Scale
    weights : Weights
    usual : ndarray, shape (12, 3)
        What calendar months had in the training years: the bounds of `INTERVAL` and, between them,
        the median.
    extremes : tuple of float
        Least and greatest value of the training months.
    scores : dict
        By split and method: see :func:`mlda_core.impact.training.scores_of`.
    about : dict
        How it was trained, from what.
    record : Record
        The series itself.
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
            Calendar month 1..12, or ``YYYY-MM``. With a memory, the months before a ``YYYY-MM`` of
            the bundle were as they were; before any other month they were the prior's mean.

        Returns
        -------
        Prediction
            Of n months; one for a single vector.

        Raises
        ------
        ImpactError
            If z has another length, is not finite, or a month is none.
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
        """Return the head with what it predicts for its record's months from codes z, (n, L)."""
        made = self.predict(z, self.record.months)
        low, high = made.quantile(np.array(INTERVAL)).T
        values = {"low": low, "median": made.median, "high": high, "mean": made.mean}
        return replace(self, record=replace(self.record, **values))

    @property
    def skill(self) -> tuple[str, dict[str, Any]] | None:
        """The split that tells the head's skill, test before validation, and the scores in it."""
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

    A month without a variable has a code that says nothing of it, and a head trained on such codes,
    or scored by them, would be of something else.

    Parameters
    ----------
    bundle : Bundle
    memory : int
        How many months before count too; they must be in the bundle.
    min_cover : float
        Part of the area where a variable exists that must have a value, for each variable.

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

    Of the normal distribution that a head starts from where a calendar month has fewer than ten
    values, else of the values themselves.
    """
    levels = np.array([INTERVAL[0], 0.5, INTERVAL[1]])
    out = np.empty((12, 3))
    for m in range(12):
        own = values[calendar == m + 1]
        at = np.full(3, m + 1)
        out[m] = np.quantile(own, levels) if own.size >= 10 else scale.inverse(ndtri(levels), at)
    return out

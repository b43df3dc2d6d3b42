"""Gaussians of the state, and covariances that a method knows by their columns alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.climate.seasons import Seasons
from mlda_core.cycling.localisation import Localisation
from mlda_core.cycling.operators import StateOperator
from mlda_core.forecast.model_error import DiagonalCovariance, FactoredCovariance
from mlda_core.vae.seasonal import season_weights

Array = NDArray[np.float64]
# Members that weigh less than this part of the heaviest are left out.
_LEAST_WEIGHT = 1e-3


@dataclass(frozen=True, eq=False)
class TimesOfYear:
    """The times of year of a sample's members, by which they weigh at a time.

    Parameters
    ----------
    months : ndarray of int, shape (n,)
        Calendar months 1..12.
    seasons : Seasons
        From times to calendar months.
    width : float
        Standard deviation of the weights in months, and their floor; see
        :func:`mlda_core.vae.seasonal.season_weights`.
    floor : float
    """

    months: NDArray[np.int64]
    seasons: Seasons
    width: float
    floor: float

    def weights(self, month: int) -> Array:
        """Return the weights of members in a calendar month, shape (n,), of mean one."""
        found = season_weights(month, self.months, width=self.width, floor=self.floor)
        return found / found.mean()

    def and_of(self, others: TimesOfYear) -> TimesOfYear:
        """Return those of both samples together."""
        return replace(self, months=np.concatenate((self.months, others.months)))


@dataclass(frozen=True, eq=False)
class LocalisedSample:
    """Sample covariance tapered by distance, ``rho o A A^T``.

    Its columns are exact; its root is of the leading modes of the taper, one set of weights for
    each member of the sample (the alpha control variable of Lorenc 2003,
    https://doi.org/10.1256/qj.02.132; Buehner 2005, https://doi.org/10.1256/qj.04.15).

    Parameters
    ----------
    anomalies : ndarray, shape (n, d)
        A^T, divided by ``sqrt(n - 1)``.
    localisation : Localisation
    times : TimesOfYear, optional
        Of the members; :meth:`at` weighs them by it. The errors of a forecast hang together in
        winter as they do not in summer: with the days of the season alone 3D-Var explains .03 to
        .06 more of VALIDATION days.
    """

    anomalies: Array
    localisation: Localisation
    times: TimesOfYear | None = None
    _kept: dict[int, LocalisedSample] = field(default_factory=dict, init=False, repr=False)

    def at(self, time: object) -> LocalisedSample:
        """Return the covariance at a time, the same object throughout a calendar month."""
        if self.times is None:
            return self
        month = self.times.seasons.calendar_month_of_time(time)
        found = self._kept.get(month)
        if found is None:
            weights = self.times.weights(month)
            kept = weights > _LEAST_WEIGHT * weights.max()
            anomalies = self.anomalies[kept] * np.sqrt(weights[kept])[:, None]
            found = LocalisedSample(anomalies, self.localisation)
            # One month only: it is as large as the sample.
            self._kept.clear()
            self._kept[month] = found
        return found

    @property
    def size(self) -> int:
        """Number of components d."""
        return self.anomalies.shape[1]

    @property
    def rank(self) -> int:
        """Number of columns of the root: members times modes."""
        return len(self.anomalies) * self.localisation.modes.shape[1]

    @cached_property
    def variance(self) -> Array:
        """Diagonal of the covariance, shape (d,)."""
        return np.asarray(np.einsum("nd,nd->d", self.anomalies, self.anomalies))

    @cached_property
    def _parts(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Members by group (g, most, n), modes, and where a component is among the groups'."""
        local = self.localisation
        at = local.members
        padded = np.concatenate((self.anomalies, np.zeros((len(self.anomalies), 1))), axis=1)
        # By group, so that both products are one pass over the members: of a thousand members of
        # 27,648 components .03 and .08 s, where an amplitude a member and component took .3 and .2.
        members = torch.from_numpy(padded.astype(np.float32).T[at])
        of_component = np.empty(self.size, np.int64)
        real = at >= 0
        of_component[at[real]] = np.flatnonzero(real)
        modes = torch.from_numpy(local.modes).float()
        return members, modes, torch.from_numpy(at), torch.from_numpy(of_component)

    def root(self, weights: torch.Tensor) -> torch.Tensor:
        """Return ``L w``, shape (n, d), of weights of shape (n, rank); differentiable."""
        members, modes, _, of_component = self._parts
        amplitudes = weights.float().view(len(weights), -1, modes.shape[1]) @ modes.T
        # One state at a time: the amplitudes of a thousand members are 19 MB.
        rows = [torch.bmm(members, a.T[:, :, None]).flatten()[of_component] for a in amplitudes]
        return torch.stack(rows).to(weights.dtype)

    def root_transposed(self, states: torch.Tensor) -> torch.Tensor:
        """Return ``L^T x``, shape (n, rank), of states of shape (n, d); differentiable."""
        members, modes, at, _ = self._parts
        rows = []
        for x in states:
            by_group = torch.cat((x.float(), torch.zeros(1)))[at]
            amplitudes = torch.bmm(by_group[:, None, :], members)[:, 0]
            rows.append((amplitudes.T @ modes).flatten())
        return torch.stack(rows).to(states.dtype)

    def product(self, states: torch.Tensor) -> torch.Tensor:
        """Return ``B x``, shape (n, d), of a few states of shape (n, d), all at once."""
        members, modes, at, of_component = self._parts
        padded = torch.cat((states.float(), torch.zeros(len(states), 1)), dim=1)
        by_group = padded[:, at].transpose(0, 1)
        amplitudes = torch.bmm(by_group, members)
        groups, count, n = amplitudes.shape
        tapered = modes @ (modes.T @ amplitudes.reshape(groups, count * n))
        out = torch.bmm(members, tapered.view(groups, count, n).transpose(1, 2))
        flat = out.permute(2, 0, 1).reshape(count, -1)
        return flat[:, of_component].to(states.dtype)

    def sample(self, n: int, generator: np.random.Generator) -> Array:
        """Draw states, shape (n, d)."""
        with torch.no_grad():
            weights = torch.from_numpy(generator.standard_normal((n, self.rank)))
            return np.asarray(self.root(weights).numpy())

    def scaled(self, factor: float) -> LocalisedSample:
        """Return the covariance times a factor."""
        return self.stretched(np.sqrt(factor))

    def stretched(self, factor: Array | float) -> LocalisedSample:
        """Return the covariance of the components times a factor each, shape (d,)."""
        return LocalisedSample(self.anomalies * factor, self.localisation, self.times)


Covariance = DiagonalCovariance | FactoredCovariance | LocalisedSample


def columns(covariance: Covariance, operator: StateOperator, state: Array) -> tuple[Array, Array]:
    """Return ``B H^T`` and ``H B H^T``, with H at a state.

    Parameters
    ----------
    covariance : Covariance
    operator : StateOperator
    state : ndarray, shape (d,)

    Returns
    -------
    cross : ndarray, shape (d, p)
    between : ndarray, shape (p, p)
    """
    h = operator.matrix_at(state)
    if isinstance(covariance, LocalisedSample):
        of = covariance.anomalies @ h.T
        local = covariance.localisation
        return (
            local.of_components(operator) * (covariance.anomalies.T @ of),
            local.between(operator) * (of.T @ of),
        )
    with torch.no_grad():
        rows = covariance.root_transposed(torch.from_numpy(h))
        return (
            np.asarray(covariance.root(rows).numpy()).T,
            np.asarray((rows @ rows.T).numpy()),
        )


def observed_covariance(covariance: Covariance, operator: StateOperator, state: Array) -> Array:
    """Return ``H B H^T``, shape (p, p), with H at a state, without the columns of B."""
    h = operator.matrix_at(state)
    if isinstance(covariance, LocalisedSample):
        of = covariance.anomalies @ h.T
        return np.asarray(covariance.localisation.between(operator) * (of.T @ of))
    with torch.no_grad():
        rows = covariance.root_transposed(torch.from_numpy(h))
        return np.asarray((rows @ rows.T).numpy())


class Climatology(Protocol):
    """What is believed of the state at a time without any observation."""

    def at(self, time: object) -> Gaussian:
        """Return the mean and covariance at a time."""


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Mean and covariance; as a climatology, the covariance is of the time of year if it can be.

    Parameters
    ----------
    mean : ndarray, shape (d,)
    covariance : Covariance
    """

    mean: Array
    covariance: Covariance

    @classmethod
    def of_sample(cls, states: Array) -> Gaussian:
        """Return the mean and covariance of states, shape (n, d)."""
        return cls(np.asarray(states.mean(axis=0)), FactoredCovariance.of_sample(states))

    def at(self, time: object) -> Gaussian:
        """Return the mean and covariance at a time."""
        if isinstance(self.covariance, LocalisedSample) and self.covariance.times is not None:
            return Gaussian(self.mean, self.covariance.at(time))
        return self

    def sample(self, n: int, generator: np.random.Generator) -> Array:
        """Draw states, shape (n, d)."""
        return self.mean + self.covariance.sample(n, generator)

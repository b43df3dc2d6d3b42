"""Base class of cycled methods: their metadata, settings and computations.

Each method is one file of :mod:`mlda_core.cycling.methods`. A method holds no state of its
own: what it carries from cycle to cycle is a dict of arrays, so a run can be saved and resumed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.climate.spelling import hyphenated
from mlda_core.cycling.problem import Observations, Problem

Array = NDArray[np.float64]
State = dict[str, NDArray[Any]]
T = TypeVar("T")


@dataclass
class Workspace:
    """The problem of a run, and what a method computed of it once.

    Parameters
    ----------
    problem : Problem
    """

    problem: Problem
    _kept: dict[str, tuple[tuple[object, ...], object]] = field(default_factory=dict, repr=False)

    def kept(self, name: str, owners: tuple[object, ...] | None, make: Callable[[], T]) -> T:
        """Return what belongs to some owners, made when they change.

        Parameters
        ----------
        name : str
        owners : tuple, optional
            Objects, compared by identity, and arrays, compared by value; None never keeps.
        make : callable

        Returns
        -------
        object
            Of ``make``.
        """
        if owners is None:
            return make()
        found = self._kept.get(name)
        if found is None or not all(map(_same, found[0], owners)):
            found = self._kept[name] = (owners, make())
        return found[1]  # type: ignore[return-value]


def _same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    return a is b


@dataclass(frozen=True)
class Estimate:
    """Mean and standard deviation of the state.

    Parameters
    ----------
    mean : ndarray, shape (d,)
    sd : ndarray, shape (d,), optional
        None where the method has none.
    """

    mean: Array
    sd: Array | None = None


@dataclass(frozen=True)
class Analysed:
    """Result of one analysis.

    Parameters
    ----------
    state : dict
        What is carried to the next cycle.
    estimate : Estimate
        Of a particle filter before it resamples, which only adds noise.
    diagnostics : dict
        Numbers and arrays by name.
    """

    state: State
    estimate: Estimate
    diagnostics: Mapping[str, float | NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class CycledMethod(ABC):
    """A method that is cycled through time.

    Its fields are its settings; the class has its metadata.
    """

    # Its name in Python and files; people write hyphens for underscores.
    key: ClassVar[str]
    # Name in tables, description in one line without a full stop, and the literature.
    label: ClassVar[str]
    sentence: ClassVar[str]
    source: ClassVar[str]
    # Sort order in lists.
    rank: ClassVar[int]
    # Settings with which the page offers it, about a second a day or less; None: it does not.
    offered: ClassVar[Mapping[str, Any] | None] = None

    def configured(self, **settings: Any) -> Self:
        """Return the method with other settings.

        Raises
        ------
        UserError
            If it has no such setting.
        """
        names = [f.name for f in fields(self)]
        for name in settings:
            if name not in names:
                raise UserError(
                    f"The method '{hyphenated(self.key)}' has no setting '{name[:24]}'; "
                    f"it has {', '.join(names) or 'none'}."
                )
        return replace(self, **settings)

    @abstractmethod
    def start(self, work: Workspace, generator: np.random.Generator) -> State:
        """Return what is carried at the start, from the problem's initial Gaussian."""

    @abstractmethod
    def forecast(
        self, work: Workspace, state: State, cycle: int, generator: np.random.Generator
    ) -> State:
        """Carry the state from the cycle before to a cycle.

        Parameters
        ----------
        work : Workspace
        state : dict
            Of cycle ``cycle - 1``; not changed.
        cycle : int
        generator : numpy.random.Generator
            The cycle's own, also given to :meth:`analyse`.
        """

    @abstractmethod
    def estimate(self, work: Workspace, state: State, cycle: int) -> Estimate:
        """Return the mean and spread of a state before the cycle's observations."""

    @abstractmethod
    def analyse(
        self,
        work: Workspace,
        state: State,
        cycle: int,
        observations: Observations,
        generator: np.random.Generator,
    ) -> Analysed:
        """Assimilate the observations of a cycle; see :meth:`forecast`."""

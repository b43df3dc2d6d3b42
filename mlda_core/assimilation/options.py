"""How to assimilate, beside the observations."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.method import Method
from mlda_core.assimilation.methods import method_of
from mlda_core.climate.errors import StateError

if TYPE_CHECKING:
    from mlda_core.assimilation.analysis import Analysis

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Background:
    """A state before the observations.

    Parameters
    ----------
    z : ndarray, shape (L,)
        Its latent vector.
    anomalies : ndarray, shape (V, lat, lon)
        Display units.
    """

    z: Array
    anomalies: NDArray[np.floating]


@dataclass(frozen=True)
class Setting:
    """How to assimilate, beside the observations.

    Parameters
    ----------
    method : str
        One of :data:`mlda_core.assimilation.methods.METHODS`.
    background : Background, Analysis, str or None
        None is the prior's mean, or what the observed sea makes likely; a month ``YYYY-MM`` of the
        bundle; ``"climatology"``; or an earlier analysis.
    background_weight : float
        lambda, the weight of ``|z - z_b|^2``; after VAE-Var (Xiao et al. 2025). This decoder
        models climate, not forecast error, so lambda is for experiments.
    residual : bool
        False is the decoder alone, as in the method ``vae_latent_only``: its own residuals are the
        whole of the error, and nothing of it is added. Of no effect where there is no decoder or
        EOFs in its place.
    localisation : float
        Factor on the half-width of the localisation.
    error_scale : float
        Factor on the observations' errors.
    max_steps : int
        Of the minimisation.
    sea_prior : bool
        Whether an observed sea may set the background.
    polish : bool
        Whether to find the minimum as well as single precision allows: for differences of two
        analyses.
    """

    method: str = "vae"
    background: Background | Analysis | str | None = None
    background_weight: float = 1.0
    residual: bool = True
    localisation: float = 1.0
    error_scale: float = 1.0
    max_steps: int = 50
    sea_prior: bool = True
    polish: bool = False

    @property
    def record(self) -> Method:
        """The method."""
        return method_of(self.method)

    @property
    def latent_only(self) -> bool:
        """Whether the analysis is the decoded state alone."""
        method = self.record
        decoded = method.posterior and method.latent != "none"
        return method.latent_only or (decoded and not self.residual)

    @classmethod
    def of(cls, settings: dict[str, Any]) -> Setting:
        """Make a checked setting from keywords.

        Raises
        ------
        StateError
            If one is unknown or cannot be used.
        """
        unknown = sorted(set(settings) - {f.name for f in fields(cls)})
        if unknown:
            raise StateError(
                f"There is no setting '{unknown[0]}'; use some of "
                f"{', '.join(f.name for f in fields(cls))}."
            )
        setting = cls(**settings)
        setting.check()
        return setting

    def check(self) -> None:
        """Raise StateError for a setting that cannot be used."""
        method_of(self.method)
        for name in ("background_weight", "localisation", "error_scale", "max_steps"):
            value = getattr(self, name)
            number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
            if not (number and np.isfinite(value) and value > 0):
                raise StateError(f"{name} is {value!r}; it must be a number above 0.")
        if int(self.max_steps) != self.max_steps:
            raise StateError(f"max_steps is {self.max_steps}; it must be a whole number.")
        given = self.background
        if not (given is None or isinstance(given, str) or hasattr(given, "anomalies")):
            raise StateError(
                "The background is none that can be used; give an analysis, a Background, a month "
                "of the bundle or 'climatology'."
            )


def calendar_month(month: str | int) -> int:
    """Return the calendar month of ``YYYY-MM`` or 1..12.

    Parameters
    ----------
    month : str or int

    Returns
    -------
    int

    Raises
    ------
    StateError
        If it is none.
    """
    text = str(month)
    dated = re.fullmatch(r"[0-9]{4}-([0-9]{2})", text)
    number = dated[1] if dated else text
    if number.isdecimal() and 1 <= int(number) <= 12:
        return int(number)
    raise StateError(f"'{text[:24]}' is not a month; write it as YYYY-MM or 1 to 12.")

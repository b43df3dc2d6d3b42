"""Settings of an assimilation."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.errors import StateError
from mlda_core.climate.months import MonthError
from mlda_core.climate.seasons import MONTHLY, Seasons
from mlda_core.climate.spelling import key_of
from mlda_core.vae.latent_prior import DEFAULT_PRIOR
from mlda_core.vae.priors import PRIORS

if TYPE_CHECKING:
    from mlda_core.assimilation.analysis import Analysis

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Background:
    """A background state.

    Parameters
    ----------
    z : ndarray, shape (L,)
        Its latent vector.
    anomalies : ndarray, shape (V, lat, lon)
        Display units.
    """

    z: Array
    anomalies: NDArray[np.floating]


class Option(NamedTuple):
    """A number, a switch or a choice of :class:`Setting`.

    Parameters
    ----------
    default : object
        Its value, where nothing is said.
    help : str
        What people read of it, on the command line and on the page.
    """

    default: Any
    help: str


def _option(default: Any, words: str) -> Any:
    return field(default=default, metadata={"help": words})


@dataclass(frozen=True)
class Setting:
    """Settings of an assimilation.

    Parameters
    ----------
    method : str
        One of :data:`mlda_core.assimilation.methods.METHODS`, spelled with hyphens or underscores.
    background : Background, Analysis, str or None
        None for the prior mean (given the sea, if it is observed); a month ``YYYY-MM`` of the
        bundle; ``"climatology"``; or an earlier analysis.
    background_weight : float
        lambda, the weight of ``|z - z_b|^2``; after VAE-Var (Xiao et al. 2025). This decoder
        models climate, not forecast error, so lambda is for experiments.
    residual : bool
        False omits the residual analysis, as in the method ``vae_latent_only``: the
        representation error then consists of the decoder's residuals only. No effect on methods
        without a decoder or EOFs.
    localisation : float
        Factor on the half-width of the localisation.
    error_scale : float
        Factor on the observation errors.
    max_steps : int
        Of the minimisation.
    start : {"linear", "background"}
        Where the minimisation starts: at the linear solution, a few steps from the minimum, or at
        the background, which is then the first step. For methods with a prior.
    sea_prior : bool
        Whether the background may be conditional on the observed sea.
    polish : bool
        Whether to minimise to the limit of single precision: for differences of two analyses.
    robust : bool
        Whether observations with gross errors are down-weighted, see
        :mod:`mlda_core.assimilation.robust`; for methods with a prior.
    prior : str
        One of :data:`mlda_core.vae.priors.PRIORS` that an analysis can be made with: what the
        latent vector is before anything is observed. Where the sea is observed, the sea network
        says that, whatever is set here.
    """

    method: str = _option("vae", "Method of analysis.")
    background: Background | Analysis | str | None = None
    background_weight: float = _option(1.0, "Weight of the background.")
    residual: bool = _option(
        True, "Add the residual analysis: what the observations say beyond the latent vector."
    )
    localisation: float = _option(
        1.0, "Factor on the distance over which the residual analysis spreads an observation."
    )
    error_scale: float = _option(1.0, "Factor on the observations' errors.")
    max_steps: int = _option(50, "Steps of the minimisation.")
    start: Literal["linear", "background"] = "linear"
    sea_prior: bool = True
    polish: bool = False
    robust: bool = False
    prior: str = _option(
        DEFAULT_PRIOR,
        "Prior of the latent vector: "
        f"{', '.join(key for key, kind in PRIORS.items() if kind.analysis)}.",
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", key_of(self.method))
        object.__setattr__(self, "prior", key_of(self.prior))


# Those of `Setting` that people set, by name: the command line and the page ask for them.
OPTIONS: dict[str, Option] = {
    f.name: Option(f.default, f.metadata["help"]) for f in fields(Setting) if "help" in f.metadata
}


def time_asked(time: Any, seasons: Seasons = MONTHLY) -> str | int:
    """Parse a requested month, or day of a daily bundle.

    Parameters
    ----------
    time : str, date, datetime64, Timestamp, Period or int
        A season alone, such as a calendar month 1..12, or as for
        :meth:`mlda_core.climate.time_step.TimeStep.parse`.
    seasons : Seasons
        Of the bundle.

    Returns
    -------
    str or int
        ``YYYY-MM`` or ``YYYY-MM-DD``, or the season.

    Raises
    ------
    StateError
        If it is neither.
    """
    number = isinstance(time, int | np.integer) and not isinstance(time, bool)
    text = isinstance(time, str) and re.fullmatch(r"0?[1-9]|1[0-2]", time.strip())
    if (number and 1 <= time <= seasons.count) or (text and seasons is MONTHLY):
        return int(time)
    try:
        return seasons.step.parse(time)
    except MonthError as error:
        raise StateError(str(error)) from error


def season_asked(time: Any, seasons: Seasons = MONTHLY) -> int:
    """Return the season of a requested month or day; see :func:`time_asked`."""
    requested = time_asked(time, seasons)
    return requested if isinstance(requested, int) else seasons.of(requested)

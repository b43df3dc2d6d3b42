"""Checks of an assimilation's settings, and of what observations a method can take."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from mlda_core.assimilation.methods import METHODS, method_of, spelled
from mlda_core.assimilation.options import Setting
from mlda_core.climate.errors import StateError
from mlda_core.observations.row_kinds import is_plain
from mlda_core.vae.latent_prior import DEFAULT_PRIOR
from mlda_core.vae.priors import PRIORS, prior_of

if TYPE_CHECKING:
    import pandas as pd


def setting_of(settings: dict[str, Any]) -> Setting:
    """Build validated settings from keyword arguments.

    Parameters
    ----------
    settings : dict
        Attributes of :class:`mlda_core.assimilation.options.Setting`.

    Returns
    -------
    Setting

    Raises
    ------
    StateError
        If one is unknown or invalid.
    """
    unknown = sorted(set(settings) - {f.name for f in fields(Setting)})
    if unknown:
        raise StateError(
            f"There is no setting '{unknown[0]}'; use some of "
            f"{', '.join(f.name for f in fields(Setting))}."
        )
    setting = Setting(**settings)
    method = method_of(setting.method)
    for name in ("background_weight", "localisation", "error_scale", "max_steps"):
        value = getattr(setting, name)
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not (number and np.isfinite(value) and value > 0):
            raise StateError(f"{name} is {value!r}; it must be a number above 0.")
    if int(setting.max_steps) != setting.max_steps:
        raise StateError(f"max_steps is {setting.max_steps}; it must be a whole number.")
    if setting.start not in ("linear", "background"):
        raise StateError(
            f"A minimisation cannot start at '{str(setting.start)[:24]}'; use linear or background."
        )
    if setting.robust and not method.posterior:
        raise StateError(
            f"The method {spelled(setting.method)} has no prior to tell gross errors by; leave "
            "robust out, or choose another method."
        )
    _check_prior(setting)
    given = setting.background
    if not (given is None or isinstance(given, str) or hasattr(given, "anomalies")):
        raise StateError(
            "The background is none that can be used; give an analysis, a Background, a month "
            "of the bundle or 'climatology'."
        )
    return setting


def _check_prior(setting: Setting) -> None:
    """Refuse a prior of the latent vector that no analysis can be made with."""
    kind = prior_of(setting.prior)
    if not kind.analysis:
        fitting = ", ".join(key for key, other in PRIORS.items() if other.analysis)
        raise StateError(
            f"The {kind.key} prior has a score and no density to be minimised; use it by the "
            f"sampler guided, or one of {fitting} for an analysis."
        )
    if kind.key != DEFAULT_PRIOR and method_of(setting.method).latent != "decoder":
        raise StateError(
            f"The method {spelled(setting.method)} searches no decoder's latent space, so it has "
            "no prior to choose; leave prior out, or use vae."
        )


def check_kinds(setting: Setting, table: pd.DataFrame) -> None:
    """Refuse kinds of observations that a method cannot take.

    Raises
    ------
    StateError
        Naming the rows.
    """
    if method_of(setting.method).takes_kinds:
        return
    bad = np.flatnonzero(~is_plain(table) & ~table["withheld"].to_numpy(bool))
    if bad.size:
        rows = ", ".join(str(int(row) + 1) for row in bad[:5])
        more = f" and {bad.size - 5} more" if bad.size > 5 else ""
        fitting = spelled(*(k for k, m in METHODS.items() if m.takes_kinds and m.posterior))
        raise StateError(
            f"The method {spelled(setting.method)} takes values at places only, and observation"
            f"{'s' if bad.size > 1 else ''} {rows}{more} {'are' if bad.size > 1 else 'is'} of "
            f"another kind; withhold {'them' if bad.size > 1 else 'it'}, or use one of {fitting}."
        )

"""Codes of months: the posteriors of their latent vectors, on which priors are trained."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlda_core.bundle.bundle import Bundle
from mlda_core.vae.config import ConfigError
from mlda_core.vae.dataset import Months, TrainingData
from mlda_core.vae.prior_training import Codes

Tick = Callable[[str, int, int], None]
BATCH = 96


def codes_of(
    bundle: Bundle, months: Months, *, mixed: bool = False, tick: Tick | None = None
) -> Codes:
    """Encode months.

    Parameters
    ----------
    bundle : Bundle
    months : Months
    mixed : bool
        Whether their sea is a mixed one.
    tick : callable, optional
        Called with (stage, done, in all).

    Returns
    -------
    Codes
    """
    mean = np.empty((len(months), bundle.n_latent))
    sd = np.empty_like(mean)
    for start in range(0, len(months), BATCH):
        part = slice(start, start + BATCH)
        mean[part], sd[part] = bundle.encode_standardised(months.x[part], months.season[part])
        if tick:
            tick("encoding months", min(start + BATCH, len(months)), len(months))
    return Codes(mean, sd, months.calendar, np.full(len(months), mixed))


def codes_for_priors(
    bundle: Bundle, data: TrainingData, *, tick: Tick | None = None
) -> tuple[Codes, Codes]:
    """Return the codes that a prior is trained on, and those that say when to stop.

    Parameters
    ----------
    bundle : Bundle
    data : TrainingData
        That the bundle was trained with.
    tick : callable, optional
        Called with (stage, done, in all).

    Returns
    -------
    train, held_out : Codes
        Of training months, under observed and mixed seas; of CALIBRATION months.

    Raises
    ------
    ConfigError
        If there are no CALIBRATION months: VALIDATION is for the comparison of priors.
    """
    held_out = data.observed.in_split("calibration")
    if not len(held_out):
        raise ConfigError(
            "A prior is trained until months of CALIBRATION say stop, and there are none; give "
            "splits.calibration a year, and train the bundle with it."
        )
    train = codes_of(bundle, data.train, tick=tick)
    if data.mixed is not None and len(data.mixed):
        train = train.joined(codes_of(bundle, data.mixed, mixed=True, tick=tick))
    return train, codes_of(bundle, held_out, tick=tick)

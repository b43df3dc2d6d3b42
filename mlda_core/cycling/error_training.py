"""Training of the learnt model of background errors.

The autoencoder is that of the states (:mod:`mlda_core.vae`), trained on errors of forecasts in
cycles over training times with networks of several sizes, each in units of its spread; priors of
its codes other than N(0, I) are those of the states too (:mod:`mlda_core.vae.priors`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlda_core.bundle.bundle import Bundle
from mlda_core.cycling.bundle_case import zones_of
from mlda_core.cycling.error_model_file import ErrorModels
from mlda_core.cycling.groups import mean_in_groups, ratio
from mlda_core.cycling.training_errors import EVERY
from mlda_core.vae.config import ModelConfig
from mlda_core.vae.dataset import Months, TrainingData, joined
from mlda_core.vae.latent import LatentBasis, encode_months, find_basis, ship
from mlda_core.vae.latent_prior import TrainedPrior
from mlda_core.vae.packing import tensors_under
from mlda_core.vae.prior_training import Codes, PriorHistory, PriorTraining, train_prior
from mlda_core.vae.priors import prior_of
from mlda_core.vae.training import VAE, Progress, reconstruct, train

Array = NDArray[np.float64]
Float = NDArray[np.float32]
# Length of the autoencoder's training.
EPOCHS = 5


@dataclass(frozen=True, eq=False)
class NetworkErrors:
    """Errors of forecasts in cycles with one size of network.

    Parameters
    ----------
    stations : int
    factor : ndarray, shape (d,)
        By which the forecasts were drawn towards climatology.
    past, held : ndarray of float32, shape (n, d)
        Of training and of held-out times: truth minus forecast, standardised.
    past_times, held_times : Months
        The times, n each.
    """

    stations: int
    factor: Array
    past: Float
    past_times: Months
    held: Float
    held_times: Months

    def spread(self, bundle: Bundle) -> Float:
        """Return the spread of the held-out errors, one a variable and latitude, shape (d,)."""
        return np.sqrt(_by_zone(bundle, self.held)).astype(np.float32)


def _by_zone(bundle: Bundle, errors: Float) -> Array:
    """Return the mean square of errors in a component's zone, shape (d,)."""
    square = np.square(errors, dtype=np.float64).mean(axis=0)
    return mean_in_groups(square, zones_of(bundle))


def scaled_to(bundle: Bundle, past: Float, held: Float) -> Float:
    """Return errors scaled to others' size, by one factor a variable and latitude.

    Parameters
    ----------
    bundle : Bundle
    past, held : ndarray of float32, shape (n, d)
    """
    factor = np.sqrt(ratio(_by_zone(bundle, held), _by_zone(bundle, past)))
    return np.asarray(past * factor, np.float32)


def error_data(
    bundle: Bundle, data: TrainingData, found: Mapping[int, NetworkErrors]
) -> TrainingData:
    """Return errors in units of their spread as the data of an autoencoder.

    Parameters
    ----------
    bundle : Bundle
    data : TrainingData
        Of the states.
    found : mapping
        Errors by size of network.
    """
    parts = []
    for one in found.values():
        unit = one.spread(bundle)
        for errors, times in ((one.past, one.past_times), (one.held, one.held_times)):
            scaled = np.divide(errors, unit, out=np.zeros_like(errors), where=unit > 0)
            x = scaled.reshape(-1, *bundle.mask.shape)
            # What is scored is in units of the states, where a linear transform has them.
            fields = data.normaliser.restore(x, times.season)
            anomalies = data.normaliser.anomalies(fields, times.season).astype(np.float32)
            parts.append(replace(times, x=x, anomalies=anomalies, present=None))
    return TrainingData(data.normaliser, joined(parts), None)


def error_config(config: ModelConfig) -> ModelConfig:
    """Return the configuration of the autoencoder of errors, from that of the states.

    Errors have more patterns than states, and less for the networks to add: three fifths of the
    width explain as much, and an epoch more than EPOCHS a thousandth.
    """
    shape = config.network
    network = replace(
        shape,
        n_patterns=shape.n_patterns * 5 // 4,
        width=min(shape.width, 32),
        encoder_width=min(shape.encoder_width, 24),
    )
    given = replace(config.data, mixed=None, patches=None, mixed_share=0.0)
    errors = replace(config, name=f"{config.name}-errors", network=network, data=given)
    return errors.with_training(epochs=EPOCHS, member_mixing=False)


def train_error_model(  # noqa: PLR0913 - one training, its knobs by name
    bundle: Bundle,
    config: ModelConfig,
    data: TrainingData,
    found: Mapping[int, NetworkErrors],
    run: Path,
    *,
    priors: Sequence[str] = (),
    report: Callable[[Progress], None] | None = None,
    report_prior: Callable[[str, PriorHistory], None] | None = None,
    tick: Callable[[int, int], None] | None = None,
) -> ErrorModels:
    """Train the autoencoder of errors, take what it leaves out of them, and train priors of codes.

    Parameters
    ----------
    bundle : Bundle
    config : ModelConfig
        Of the states.
    data : TrainingData
        Of the states.
    found : mapping
        Errors by size of network.
    run : Path
        Folder of checkpoints.
    priors : sequence of str
        Keys of :data:`mlda_core.vae.priors.TRAINED`.
    report, tick
        See :func:`mlda_core.vae.training.train`.
    report_prior : callable, optional
        Called with the key of each prior and its history.

    Returns
    -------
    ErrorModels
    """
    own, errors = error_config(config), error_data(bundle, data, found)
    vae = train(own, errors, run, report=report, tick=tick).eval()
    held = errors.observed.in_split("validation")
    basis = find_basis(vae, errors.train, held, data.normaliser.weights)
    tensors, _ = ship(vae, basis)
    sizes = sorted(found)
    members, months, rest_spread = [], [], []
    every = EVERY * len(sizes)
    for size in sizes:
        one = found[size]
        only = {size: one}
        alone = error_data(bundle, data, only)
        left = _left_out(vae, alone.observed.in_split("validation"))
        rest_spread.append(one.spread(bundle) * np.sqrt(_by_zone(bundle, left)))
        chosen = alone.train.where(np.arange(len(alone.train)) % every == 0)
        members.append(_left_out(vae, chosen))
        months.append(chosen.calendar)
    return ErrorModels(
        network=own.network,
        decoder=tensors_under("decoder.", tensors),
        stations=np.array(sizes),
        factor=np.stack([found[size].factor for size in sizes]),
        spread=np.stack([found[size].spread(bundle) for size in sizes]),
        rest_spread=np.stack(rest_spread),
        rest=np.concatenate(members),
        months=np.concatenate(months),
        priors=_train_priors(priors, vae, basis, errors.train, held, report_prior),
    )


def _train_priors(
    keys: Sequence[str],
    vae: VAE,
    basis: LatentBasis,
    training: Months,
    held: Months,
    report: Callable[[str, PriorHistory], None] | None,
) -> dict[str, TrainedPrior]:
    """Return priors of codes by key, trained until the errors held out say stop."""
    if not keys:
        return {}
    codes, held_out = (_codes(vae, basis, months) for months in (training, held))
    made: dict[str, TrainedPrior] = {}
    for key in keys:
        prior: TrainedPrior = prior_of(key).build(codes.mean.shape[1], {})
        history = train_prior(prior, codes, held_out, PriorTraining())
        if report:
            report(key, history)
        made[key] = prior
    return made


def _codes(vae: VAE, basis: LatentBasis, months: Months) -> Codes:
    """Return the posteriors of the shipped decoder's codes."""
    own, back = encode_months(vae, months), basis.from_training
    sd = np.sqrt(own.sd**2 @ (back**2).T)
    return Codes(own.mean @ back.T, sd, months.calendar, np.zeros(len(months), bool))


def _left_out(vae: VAE, months: Months) -> Float:
    return np.asarray((months.x - reconstruct(vae, months)).reshape(len(months), -1))

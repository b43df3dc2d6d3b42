"""Training of the learnt model of background errors, and its file.

The autoencoder is that of the states (:mod:`mlda_core.vae`), trained on errors of forecasts in
cycles over training times with networks of several sizes, each in units of its spread.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file

from mlda_core.bundle.bundle import Bundle
from mlda_core.bundle.files import DAMAGE, reason_of
from mlda_core.climate.atomic_files import replacing
from mlda_core.climate.errors import UserError
from mlda_core.cycling.bundle_case import localisation_of, zones_of
from mlda_core.cycling.error_model import ErrorModel
from mlda_core.cycling.groups import mean_in_groups
from mlda_core.cycling.shipped_case import of_size
from mlda_core.cycling.training_errors import EVERY, of_the_season
from mlda_core.vae.config import ModelConfig
from mlda_core.vae.dataset import Months, TrainingData, joined
from mlda_core.vae.latent import find_basis, ship
from mlda_core.vae.networks import Decoder, NetworkConfig
from mlda_core.vae.packing import pack_bytes, tensors_under, unpack_bytes
from mlda_core.vae.training import VAE, Progress, reconstruct, train

Array = NDArray[np.float64]
Float = NDArray[np.float32]
# Half-width of the localisation of what codes leave out, km: smaller scales than the errors'.
REST_HALF_WIDTH_KM = 2500.0
# Length of the autoencoder's training.
EPOCHS = 5
# Of the rest's members, in a byte each.
_STEPS = 127
_SHAPE, _DECODER = "shape", "decoder/"


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


def train_error_model(
    bundle: Bundle,
    config: ModelConfig,
    data: TrainingData,
    found: Mapping[int, NetworkErrors],
    run: Path,
    *,
    report: Callable[[Progress], None] | None = None,
    tick: Callable[[int, int], None] | None = None,
) -> ErrorModels:
    """Train the autoencoder of errors, and take what it leaves out of them.

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
    report, tick
        See :func:`mlda_core.vae.training.train`.

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
    )


def _left_out(vae: VAE, months: Months) -> Float:
    return np.asarray((months.x - reconstruct(vae, months)).reshape(len(months), -1))


@dataclass(frozen=True, eq=False)
class ErrorModels:
    """Learnt models of background errors for networks of some sizes, as they are kept in a file.

    Parameters
    ----------
    network : NetworkConfig
        Shape of the decoder.
    decoder : mapping
        Its tensors by name.
    stations : ndarray of int, shape (n,)
        Sizes of the networks, increasing.
    factor : ndarray, shape (n, d)
        By which forecasts are drawn towards climatology.
    spread, rest_spread : ndarray, shape (n, d)
        Of errors, and of what codes leave out of them, standardised.
    rest : ndarray, shape (m, d)
        Members of what codes leave out, of networks of all sizes, in units of the errors' spread.
    months : ndarray of int, shape (m,)
        Their calendar months.
    """

    network: NetworkConfig
    decoder: Mapping[str, torch.Tensor]
    stations: NDArray[np.int64]
    factor: Array
    spread: Array
    rest_spread: Array
    rest: Float
    months: NDArray[np.int64]

    def of(self, bundle: Bundle, stations: int) -> ErrorModel:
        """Return the model for a network.

        Parameters
        ----------
        bundle : Bundle
        stations : int

        Raises
        ------
        UserError
            If the decoder does not fit the bundle's states.
        """
        factor, spread, rest_spread = of_size(
            stations, self.stations, self.factor, self.spread, self.rest_spread
        )
        mask = torch.from_numpy(bundle.mask)
        decoder = Decoder(mask, self.network, periodic=bundle.grid.is_global)
        decoder.load_state_dict(dict(self.decoder))
        local = localisation_of(bundle, REST_HALF_WIDTH_KM)
        rest = of_the_season(bundle, self.rest, self.months, rest_spread**2, local)
        return ErrorModel(
            decoder.eval().requires_grad_(requires_grad=False),
            bundle.seasons,
            factor.astype(np.float64),
            spread.astype(np.float64),
            rest,
        )


def save_error_models(path: Path, models: ErrorModels) -> None:
    """Write models as safetensors: weights and members of the rest in a byte each."""
    scale = np.maximum(np.abs(models.rest).max(axis=0), 1e-12) / _STEPS
    tensors = {
        **{_DECODER + name: one for name, one in pack_bytes(dict(models.decoder)).items()},
        "stations": torch.from_numpy(models.stations),
        "months": torch.from_numpy(models.months),
        "rest": torch.from_numpy(np.round(models.rest / scale).astype(np.int8)),
        "rest_scale": torch.from_numpy(scale.astype(np.float32)),
        **{
            name: torch.from_numpy(getattr(models, name).astype(np.float32))
            for name in ("factor", "spread", "rest_spread")
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        save_file(tensors, part, metadata={_SHAPE: json.dumps(models.network.to_dict())})


def load_error_models(path: Path, bundle: Bundle) -> ErrorModels:
    """Read what :func:`save_error_models` wrote.

    Parameters
    ----------
    path : Path
    bundle : Bundle
        Whose states they are of.

    Raises
    ------
    UserError
        If it is no such file, or of other states.
    """
    try:
        with safe_open(path, "pt") as file:
            shape = json.loads((file.metadata() or {})[_SHAPE])
            found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
        models = ErrorModels(
            network=NetworkConfig(**shape),
            decoder=unpack_bytes(tensors_under(_DECODER, found)),
            rest=(found["rest"].float() * found["rest_scale"]).numpy(),
            **{
                name: found[name].numpy()
                for name in ("stations", "months", "factor", "spread", "rest_spread")
            },
        )
    except DAMAGE as problem:
        raise UserError(
            f"{path} holds no learnt models of forecast errors ({reason_of(problem)}); make them "
            "with 'mlda cycle train'."
        ) from problem
    size, count = bundle.mask.size, len(models.stations)
    by_size = (models.factor, models.spread, models.rest_spread)
    fits = (
        count > 0
        and all(part.shape == (count, size) and np.isfinite(part).all() for part in by_size)
        and models.rest.ndim == 2
        and models.rest.shape[1] == size
        and models.months.shape == models.rest.shape[:1]
        and set(models.months.tolist()) <= set(range(1, 13))
    )
    if not fits:
        raise UserError(
            f"{path} is not of the states of {bundle.path}, or damaged; make it anew with "
            "'mlda cycle train'."
        )
    return models

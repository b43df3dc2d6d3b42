"""Learnt models of background errors as a file: for networks of some sizes, with their priors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
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
from mlda_core.cycling.bundle_case import localisation_of
from mlda_core.cycling.error_model import ErrorModel
from mlda_core.cycling.shipped_case import of_size
from mlda_core.cycling.training_errors import of_the_season
from mlda_core.vae.latent_prior import TrainedPrior
from mlda_core.vae.networks import Decoder, NetworkConfig
from mlda_core.vae.packing import pack_bytes, tensors_under, unpack_bytes
from mlda_core.vae.prior_training import packed, unpack
from mlda_core.vae.priors import prior_of

Array = NDArray[np.float64]
Float = NDArray[np.float32]
# Half-width of the localisation of what codes leave out, km: smaller scales than the errors'.
REST_HALF_WIDTH_KM = 2500.0
# Of the rest's members, in a byte each.
_STEPS = 127
_SHAPE, _DECODER, _PRIORS = "shape", "decoder/", "priors"


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
    priors : mapping, optional
        Trained priors of the codes, by key of :data:`mlda_core.vae.priors.PRIORS`.
    """

    network: NetworkConfig
    decoder: Mapping[str, torch.Tensor]
    stations: NDArray[np.int64]
    factor: Array
    spread: Array
    rest_spread: Array
    rest: Float
    months: NDArray[np.int64]
    priors: Mapping[str, TrainedPrior] = field(default_factory=dict)

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
            self.priors,
        )


def save_error_models(path: Path, models: ErrorModels) -> None:
    """Write models as safetensors: weights and members of the rest in a byte each, priors halves.

    Parameters
    ----------
    path : Path
    models : ErrorModels
    """
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
        **{
            f"{key}/{name}": one
            for key, prior in models.priors.items()
            for name, one in packed(prior.network).items()
        },
    }
    shapes = {key: prior.shape for key, prior in models.priors.items()}
    about = {_SHAPE: json.dumps(models.network.to_dict()), _PRIORS: json.dumps(shapes)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        save_file(tensors, part, metadata=about)


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
        If it is no such file, or of other states; if a library of its priors is not installed.
    """
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            shape, priors = json.loads(about[_SHAPE]), json.loads(about.get(_PRIORS, "{}"))
            found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
        models = ErrorModels(
            network=NetworkConfig(**shape),
            decoder=unpack_bytes(tensors_under(_DECODER, found)),
            rest=(found["rest"].float() * found["rest_scale"]).numpy(),
            **{
                name: found[name].numpy()
                for name in ("stations", "months", "factor", "spread", "rest_spread")
            },
            priors={
                key: _prior(key, shape["n_latent"], own, tensors_under(f"{key}/", found))
                for key, own in priors.items()
            },
        )
    except UserError:
        # A library that is not installed: the file is whole.
        raise
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


def _prior(
    key: str, n_latent: int, shape: Mapping[str, object], tensors: dict[str, torch.Tensor]
) -> TrainedPrior:
    prior: TrainedPrior = prior_of(key).build(n_latent, shape)
    unpack(prior.network, tensors)
    return prior

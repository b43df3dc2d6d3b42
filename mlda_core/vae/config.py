"""One configuration file a model: what it is made of and how it is trained."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from mlda_core.splits import Splits
from mlda_core.vae.networks import NetworkConfig
from mlda_core.variables import DEFAULTS, Variable


class ConfigError(ValueError):
    """A configuration cannot be used; the message is one sentence with the remedy."""


@dataclass(frozen=True)
class DataConfig:
    """Where the months come from.

    Parameters
    ----------
    observed : Path
        Canonical dataset of months under the observed sea: climatology, spread and scores.
    mixed : Path, optional
        Canonical dataset of months under seas that never were: training only.
    mixed_share : float
        Share of the mixed months seen in an epoch, 0..1.
    power : float
        Exponent of the ``power`` transform.
    shipped_member : int
        The member whose months travel with the bundle.
    """

    observed: Path
    mixed: Path | None = None
    mixed_share: float = 0.0
    power: float = 0.5
    shipped_member: int = 0


@dataclass(frozen=True)
class TrainingConfig:
    """How the networks are trained.

    Parameters
    ----------
    epochs, batch : int
        Length of training and of a batch.
    rate : float
        Peak learning rate of the networks.
    weight_decay : float
        Of AdamW, on the networks.
    information : float
        Effective number of independent observations in a variable of unit residual variance:
        neighbouring cells err together, so the likelihood of a month counts less than the sum
        over its cells (a tempered likelihood; Rybkin et al. 2021 for the residual variance).
    variable_weights : tuple of (str, float)
        Relative weights of the variables' likelihoods.
    season_width, season_floor : float
        How far the months share the linear start; see
        :func:`mlda_core.vae.seasonal.season_weights`.
    kl_warmup : float
        Share of the epochs over which the KL term grows to its full weight.
    input_noise : float
        Standard deviation of noise on the encoder's input, standardised.
    member_mixing : bool
        Draw each month's departure from the mean of members under one sea as a random
        combination of two members' departures.
    ema : float
        Decay of the running mean of the weights that is validated and shipped.
    patience : int
        Epochs without a better VALIDATION score before training stops.
    half : bool
        Whether the convolutions train in bfloat16.
    seed : int
        Of everything random.
    """

    epochs: int = 24
    batch: int = 64
    rate: float = 4e-3
    weight_decay: float = 0.05
    information: float = 1000.0
    variable_weights: tuple[tuple[str, float], ...] = ()
    season_width: float = 1.8
    season_floor: float = 0.1
    kl_warmup: float = 0.1
    input_noise: float = 0.1
    member_mixing: bool = False
    ema: float = 0.98
    patience: int = 8
    half: bool = True
    seed: int = 0


@dataclass(frozen=True)
class ModelConfig:
    """Everything that decides a model."""

    name: str
    title: str
    base_period: str
    source: str
    licence: str
    variables: tuple[Variable, ...]
    splits: Splits
    data: DataConfig
    network: NetworkConfig = field(default_factory=NetworkConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "name": self.name,
            "title": self.title,
            "base_period": self.base_period,
            "source": self.source,
            "licence": self.licence,
            "variables": [v.to_dict() for v in self.variables],
            "splits": self.splits.to_dict(),
            "data": {k: str(v) if isinstance(v, Path) else v for k, v in vars(self.data).items()},
            "network": self.network.to_dict(),
            "training": asdict(self.training),
        }

    def with_training(self, **changes: Any) -> ModelConfig:
        """Return a copy with other training settings."""
        return replace(self, training=replace(self.training, **changes))


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> ModelConfig:
    """Read a model's TOML file; paths in it are relative to the working directory.

    Parameters
    ----------
    path : path
        The file.
    overrides : sequence of str
        Settings instead of the file's, such as ``network.harmonics=0``.

    Raises
    ------
    ConfigError
        Names the file, the setting and the remedy.
    """
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"There is no configuration {path}; give one such as configs/speedy.toml."
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} is not a TOML file ({error}); correct it.") from error
    for setting in overrides:
        _override(raw, setting)
    try:
        model = raw["model"]
        data = dict(raw["data"])
        for key in ("observed", "mixed"):
            if data.get(key):
                data[key] = Path(data[key])
        training = dict(raw.get("training", {}))
        if "variable_weights" in training:
            training["variable_weights"] = tuple(sorted(training["variable_weights"].items()))
        config = ModelConfig(
            name=model["name"],
            title=model["title"],
            base_period=model["base_period"],
            source=model["source"],
            licence=model["licence"],
            variables=tuple(_variable(v, raw.get("variables", {})) for v in model["variables"]),
            splits=Splits.from_dict(raw["splits"]),
            data=_build(DataConfig, data),
            network=_build(NetworkConfig, raw.get("network", {})),
            training=_build(TrainingConfig, training),
        )
        _check_sizes(config)
        return config
    except KeyError as error:
        raise ConfigError(f"{path} lacks the setting {error}; add it.") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error


def _override(raw: dict[str, Any], setting: str) -> None:
    """Put ``section.key=value``, the value as in TOML, in place of what a file says."""
    key, found, value = setting.partition("=")
    *sections, last = key.strip().split(".")
    try:
        if not (found and sections and last):
            raise ValueError
        parsed = tomllib.loads(f"value = {value.strip()}")["value"]
    except ValueError as error:
        raise ConfigError(
            f"'{setting}' is not a setting; write it as section.key=value, such as "
            "network.harmonics=0."
        ) from error
    table = raw
    for section in sections:
        table = table.setdefault(section, {})
    table[last] = parsed


def _build(cls: type, values: dict[str, Any]) -> Any:
    known = {f.name for f in fields(cls)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(f"unknown setting '{unknown[0]}'; known are {', '.join(sorted(known))}.")
    return cls(**values)


def _check_sizes(config: ModelConfig) -> None:
    network = config.network
    if not 1 <= network.n_latent <= network.n_patterns:
        raise ValueError(
            f"n_latent {network.n_latent} is not within 1 to n_patterns ({network.n_patterns}); "
            "latent numbers are combinations of patterns."
        )
    if not config.splits.validation:
        raise ValueError("no year is held out for validation; training stops by its skill there.")


def _variable(name: str, tables: dict[str, Any]) -> Variable:
    """Return a variable: the table's default, with what the file says in its place."""
    own = dict(tables.get(name, {}))
    if name in DEFAULTS:
        return Variable.from_dict({**DEFAULTS[name].to_dict(), **own})
    return Variable.from_dict({"name": name, **own})

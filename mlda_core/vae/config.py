"""Configuration of a model, one TOML file: data, networks and training."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from mlda_core.climate.errors import UserError
from mlda_core.climate.splits import Split, Splits
from mlda_core.climate.variables import DEFAULTS, Variable
from mlda_core.climate.vectors import Pair, check_vectors
from mlda_core.vae.networks import NetworkConfig


class ConfigError(UserError):
    """A configuration is invalid; the message is one sentence with the remedy."""


@dataclass(frozen=True)
class DataConfig:
    """Data sets of the training.

    Parameters
    ----------
    observed : Path
        Canonical dataset of months under the observed sea: climatology, spread and scores.
    mixed : Path, optional
        Canonical dataset of months under synthetic (mixed) seas: for training only.
    patches : Path, optional
        Canonical dataset of months under mixed seas with warm and cold patches: likewise.
    mixed_share : float
        Fraction of the months under synthetic seas seen in an epoch, 0..1; with 0 none are read.
    power : float
        Exponent of the ``power`` transform, above 0 and at most 1.
    shipped_member : int
        The member whose months are stored in the bundle; of months that it lacks, the first other
        one's, if ``shipped_splits`` are given.
    shipped_splits : tuple of str
        The splits whose months are stored; all of them by default.
    month_step : float
        Quantisation step of these months, in units of the spread; the error is half of it.
    """

    observed: Path
    mixed: Path | None = None
    patches: Path | None = None
    mixed_share: float = 0.0
    power: float = 0.5
    shipped_member: int = 0
    month_step: float = 0.04
    shipped_splits: tuple[str, ...] = ()

    @property
    def synthetic(self) -> tuple[Path, ...]:
        """The datasets of months under synthetic seas that are to train."""
        given = (self.mixed, self.patches) if self.mixed_share > 0 else ()
        return tuple(path for path in given if path is not None)


_NEWER = ("month_step", "patches", "shipped_splits")


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of the training.

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
        neighbouring errors are correlated, so the likelihood of a month weighs less than the sum
        over its cells (a tempered likelihood; Rybkin et al. 2021 for the residual variance).
    variable_weights : tuple of (str, float)
        Relative weights of the variables' likelihoods.
    season_width, season_floor : float
        Weights of other calendar months in the linear fit; see
        :func:`mlda_core.vae.seasonal.season_weights`.
    kl_warmup : float
        Fraction of the epochs over which the KL term grows to its full weight.
    input_noise : float
        Standard deviation of noise on the encoder's input, standardised.
    member_mixing : bool
        Draw each month's departure from the mean of members under one sea as a random
        combination of two members' departures.
    ema : float
        Decay of the exponential moving average of the weights, which is validated and exported.
    patience : int
        Epochs without a better validation score before training stops.
    half : bool
        Whether the convolutions train in bfloat16 where the processor has fast ones.
    seed : int
        Seed of all random numbers.
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
    """Complete configuration of a model.

    Parameters
    ----------
    name : str
        Short name, also of the run's folder.
    title : str
        Display name.
    base_period : str
        Period of the climatology, for display.
    source, licence : str
        Provenance and licence of the data.
    variables : tuple of Variable
        In array order.
    splits : Splits
        Years held out.
    data : DataConfig
        Data sets.
    network : NetworkConfig
        Shape of the networks.
    training : TrainingConfig
        Settings of the training.
    vectors : tuple of (str, str)
        Pairs of variables that are the eastward and northward components of a vector, which the
        page draws as arrows.
    first_month : str
        The month or day that the page opens with, ``YYYY-MM`` or ``YYYY-MM-DD``; '' for its own
        choice.

    Raises
    ------
    ConfigError
        If a setting is of the wrong type or out of range.
    """

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
    vectors: tuple[Pair, ...] = ()
    first_month: str = ""

    def __post_init__(self) -> None:
        _check_settings(self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values.

        Returns
        -------
        dict
            Contents of the bundle's ``config.json`` about the model.
        """
        return {
            "name": self.name,
            "title": self.title,
            "base_period": self.base_period,
            "source": self.source,
            "licence": self.licence,
            "variables": [v.to_dict() for v in self.variables],
            # Omitted when empty, so that older runs can resume.
            **({"vectors": [list(pair) for pair in self.vectors]} if self.vectors else {}),
            **({"first_month": self.first_month} if self.first_month else {}),
            "splits": self.splits.to_dict(),
            "data": {
                k: str(v) if isinstance(v, Path) else v
                for k, v in vars(self.data).items()
                # Defaults of newer settings are omitted, so that older runs can resume.
                if k not in _NEWER or v != getattr(DataConfig, k)
            },
            "network": self.network.to_dict(),
            "training": asdict(self.training),
        }

    def with_training(self, **changes: Any) -> ModelConfig:
        """Return a copy with other training settings.

        Parameters
        ----------
        **changes
            Attributes of :class:`TrainingConfig`.

        Returns
        -------
        ModelConfig

        Raises
        ------
        ConfigError
            If one is out of range.
        """
        return replace(self, training=replace(self.training, **changes))


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> ModelConfig:
    """Read a model's TOML file; paths in it are relative to the working directory.

    Parameters
    ----------
    path : path
        The file.
    overrides : sequence of str
        Settings that override the file, such as ``network.harmonics=0``.

    Returns
    -------
    ModelConfig

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
        return _from_tables(raw)
    except KeyError as error:
        raise ConfigError(f"{path} lacks the setting {error}; add it.") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error


def _override(raw: dict[str, Any], setting: str) -> None:
    """Override a setting by ``section.key=value``, with a TOML value."""
    key, found, value = setting.partition("=")
    *sections, last = key.strip().split(".")
    try:
        if not (found and all(sections) and sections and last):
            raise ValueError
        parsed = tomllib.loads(f"value = {value.strip()}")["value"]
    except ValueError as error:
        raise ConfigError(
            f"'{setting}' is not a setting; write it as section.key=value, such as "
            "network.harmonics=0."
        ) from error
    table = raw
    for depth, section in enumerate(sections, start=1):
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise ConfigError(
                f"'{setting}' cannot be set, for {'.'.join(sections[:depth])} holds one value and "
                "no further settings; correct the name."
            )
    table[last] = parsed


_SECTIONS = ("model", "splits", "data", "network", "training", "variables")
_MODEL_TEXTS = ("name", "title", "base_period", "source", "licence")


def _from_tables(raw: dict[str, Any]) -> ModelConfig:
    _refuse_unknown("", raw, _SECTIONS)
    model, data = _table(raw["model"], "model"), dict(_table(raw["data"], "data"))
    _refuse_unknown("model", model, (*_MODEL_TEXTS, "variables", "vectors", "first_month"))
    if "observed" not in data:
        raise KeyError("data.observed")
    for key in ("observed", "mixed", "patches"):
        if isinstance(data.get(key), str):
            # TOML has no null: --set data.mixed='' removes the mixed seas.
            data[key] = Path(data[key]) if data[key] else None
    if "shipped_splits" in data:
        data["shipped_splits"] = _shipped(data["shipped_splits"])
    training = dict(_table(raw.get("training", {}), "training"))
    if "variable_weights" in training:
        weights = _table(training["variable_weights"], "training.variable_weights")
        training["variable_weights"] = tuple(sorted(weights.items()))
    names = model["variables"]
    if not (isinstance(names, list) and names and all(isinstance(n, str) for n in names)):
        raise ValueError(f"model.variables is {names!r}; write a list such as ['psl', 'tos'].")
    if len(set(names)) < len(names):
        raise ValueError(
            f"model.variables names a variable twice ({', '.join(names)}); correct it."
        )
    tables = _table(raw.get("variables", {}), "variables")
    variables = tuple(_variable(name, tables) for name in names)
    return ModelConfig(
        **{key: model[key] for key in _MODEL_TEXTS},
        variables=variables,
        vectors=check_vectors(model.get("vectors", []), variables),
        first_month=_first_month(model.get("first_month", "")),
        splits=_splits(_table(raw["splits"], "splits")),
        data=_build(DataConfig, "data", data),
        network=_build(NetworkConfig, "network", _table(raw.get("network", {}), "network")),
        training=_build(TrainingConfig, "training", training),
    )


def _refuse_unknown(section: str, values: dict[str, Any], known: Sequence[str]) -> None:
    unknown = sorted(set(values) - set(known))
    if unknown:
        what, where = ("setting", f" in [{section}]") if section else ("section", "")
        raise ValueError(
            f"unknown {what} '{unknown[0]}'{where}; known are {', '.join(sorted(known))}."
        )


def _table(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {value!r} and not a table; write its settings under [{name}].")
    return value


def _build(cls: type, section: str, values: dict[str, Any]) -> Any:
    _refuse_unknown(section, values, [f.name for f in fields(cls)])
    return cls(**values)


def _shipped(value: Any) -> tuple[str, ...]:
    known = get_args(Split)
    if isinstance(value, list) and all(name in known for name in value):
        return tuple(value)
    raise ConfigError(
        f"data.shipped_splits is {value!r}; write a list of {', '.join(known)}, such as ['test']."
    )


def _first_month(value: Any) -> str:
    if isinstance(value, str) and (
        not value or re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])(-[0-3][0-9])?", value)
    ):
        return value
    raise ConfigError(
        f"model.first_month is {value!r}; write YYYY-MM, such as 1963-01, or YYYY-MM-DD."
    )


def _splits(values: dict[str, Any]) -> Splits:
    _refuse_unknown("splits", values, [f.name for f in fields(Splits)])
    for name, years in values.items():
        if not (isinstance(years, list) and all(type(year) is int for year in years)):
            raise ValueError(f"splits.{name} is {years!r}; write a list of years such as [1989].")
    return Splits.from_dict(values)


def _variable(name: str, tables: dict[str, Any]) -> Variable:
    """Return a variable: its default, updated with the file's attributes."""
    own = dict(_table(tables.get(name, {}), f"variables.{name}"))
    if name in DEFAULTS:
        return Variable.from_dict({**DEFAULTS[name].to_dict(), **own})
    return Variable.from_dict({"name": name, **own})


_KINDS: dict[Any, tuple[str, tuple[type, ...]]] = {
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
    bool: ("true or false", (bool,)),
    str: ("text", (str,)),
    Path: ("a path", (Path,)),
    Path | None: ("a path", (Path, type(None))),
}
_Rule = tuple[str, Callable[[Any], bool]]
_AT_LEAST_ONE: _Rule = ("1 or more", lambda n: n >= 1)
_NOT_NEGATIVE: _Rule = ("0 or more", lambda n: n >= 0)
_POSITIVE: _Rule = ("above 0", lambda n: n > 0)
_SHARE: _Rule = ("within 0 to 1", lambda n: 0 <= n <= 1)
# layers.MonthBlock normalises the channels in four groups.
_FOURS: _Rule = ("a multiple of 4, such as 32 or 48", lambda n: n >= 4 and n % 4 == 0)
_RANGES: dict[str, _Rule] = {
    "data.mixed_share": _SHARE,
    "data.month_step": ("above 0 and at most 0.5", lambda n: 0 < n <= 0.5),
    "data.power": ("above 0 and at most 1", lambda n: 0 < n <= 1),
    "network.n_latent": _AT_LEAST_ONE,
    "network.n_patterns": _AT_LEAST_ONE,
    "network.harmonics": _NOT_NEGATIVE,
    "network.width": _FOURS,
    "network.encoder_width": _FOURS,
    "network.position_channels": _AT_LEAST_ONE,
    "training.epochs": _AT_LEAST_ONE,
    "training.batch": _AT_LEAST_ONE,
    "training.rate": _POSITIVE,
    "training.weight_decay": _NOT_NEGATIVE,
    "training.information": _POSITIVE,
    "training.season_width": _POSITIVE,
    "training.season_floor": _SHARE,
    "training.kl_warmup": _SHARE,
    "training.input_noise": _NOT_NEGATIVE,
    "training.ema": ("0 or more and below 1", lambda n: 0 <= n < 1),
    "training.patience": _AT_LEAST_ONE,
    "training.seed": _NOT_NEGATIVE,
}


def _check_settings(config: ModelConfig) -> None:
    """Refuse values that would fail, or train to nothing, hours later."""
    for name in _MODEL_TEXTS:
        _check(f"model.{name}", getattr(config, name), str)
    if not config.name or config.name in {".", ".."} or set(config.name) & set("/\\"):
        raise ConfigError(f"model.name '{config.name}' cannot name a folder; choose another.")
    for section in ("data", "network", "training"):
        part = getattr(config, section)
        for name, kind in get_type_hints(type(part)).items():
            if name not in {"variable_weights", "shipped_splits"}:
                _check(f"{section}.{name}", getattr(part, name), kind)
    names = [v.name for v in config.variables]
    for name, weight in config.training.variable_weights:
        if name not in names:
            raise ConfigError(
                f"training.variable_weights has '{name}', which the model has not; it has "
                f"{', '.join(names)}."
            )
        _check(f"training.variable_weights.{name}", weight, float, _POSITIVE)
    network = config.network
    if not network.n_latent <= network.n_patterns:
        raise ConfigError(
            f"n_latent {network.n_latent} is not within 1 to n_patterns ({network.n_patterns}); "
            "latent numbers are combinations of patterns."
        )
    if not config.splits.validation:
        raise ConfigError("no year is held out for validation; training stops by its skill there.")


def _check(name: str, value: Any, kind: Any, rule: _Rule | None = None) -> None:
    words, types = _KINDS[kind]
    # A bool is an int in Python, but not a valid number here.
    right = isinstance(value, types) and (kind is bool or not isinstance(value, bool))
    if not right or (isinstance(value, float) and not math.isfinite(value)):
        shown = "empty" if value is None else repr(value)
        raise ConfigError(f"{name} is {shown}; it must be {words}.")
    words, within = rule or _RANGES.get(name, ("", lambda _: True))
    if not within(value):
        raise ConfigError(f"{name} is {value!r}; it must be {words}.")

"""Fixtures of tests/core/vae."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from climate import make_config
from priors import LENGTH, made_up_codes

from mlda_core.vae.config import ModelConfig
from mlda_core.vae.dataset import TrainingData, load_training_data
from mlda_core.vae.prior_training import PriorHistory, PriorTraining, train_prior
from mlda_core.vae.priors import PRIORS


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> ModelConfig:
    return make_config(tmp_path_factory.mktemp("climate"))


@pytest.fixture(scope="session")
def data(config: ModelConfig) -> TrainingData:
    return load_training_data(config)


@pytest.fixture(scope="session")
def trained() -> Callable[[str], tuple[Any, PriorHistory]]:
    """A prior by its key, fitted to made-up codes beside months of three times their size."""

    @cache
    def make(key: str) -> tuple[Any, PriorHistory]:
        prior = PRIORS[key].build(LENGTH, {})
        codes = made_up_codes(2500).joined(made_up_codes(600, seed=5, mixed=True))
        long = PriorTraining(epochs=60, rate=4e-3, weight_decay=0.01, patience=60)
        return prior, train_prior(prior, codes, made_up_codes(600, seed=1), long)

    return make

"""Fixtures of tests/core/vae."""

from __future__ import annotations

import pytest
from climate import make_config

from mlda_core.vae.config import ModelConfig
from mlda_core.vae.dataset import TrainingData, load_training_data


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> ModelConfig:
    return make_config(tmp_path_factory.mktemp("climate"))


@pytest.fixture(scope="session")
def data(config: ModelConfig) -> TrainingData:
    return load_training_data(config)

"""The configuration of a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlda_core.vae.config import ConfigError, load_config


def test_configuration_mistakes_are_named(tmp_path: Path):
    path = tmp_path / "model.toml"
    with pytest.raises(ConfigError, match=r"no configuration .*model\.toml"):
        load_config(path)
    path.write_text("[model\n")
    with pytest.raises(ConfigError, match="not a TOML file"):
        load_config(path)
    good = (Path(__file__).parents[3] / "configs/speedy.toml").read_text()
    path.write_text(good.replace("batch = 64", "bach = 64"))
    with pytest.raises(ConfigError, match="unknown setting 'bach'"):
        load_config(path)
    path.write_text(good.replace('name = "speedy"', ""))
    with pytest.raises(ConfigError, match="lacks the setting 'name'"):
        load_config(path)
    path.write_text(good.replace("1984, 2004", "1984, 1989"))
    with pytest.raises(ConfigError, match="1989 is held out twice"):
        load_config(path)
    path.write_text(good)
    with pytest.raises(ConfigError, match="not a setting"):
        load_config(path, ["harmonics"])
    with pytest.raises(ConfigError, match="unknown setting 'harmony'"):
        load_config(path, ["network.harmony=0"])
    assert load_config(path, ["network.harmonics=0"]).network.harmonics == 0
    assert load_config(path).splits.test == (1989, 1997, 1998, 2010, 2011)

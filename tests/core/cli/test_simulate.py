"""``mlda simulate`` and ``mlda bench gcm`` without their extra; tests/simulate has the rest."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlda_core.cli import main as cli


@pytest.mark.parametrize(
    "words", [("simulate", "--years", "1997", "--out", "x"), ("bench", "gcm", "nowhere")]
)
def test_without_the_extra_they_say_what_to_install(monkeypatch, tmp_path, words):
    monkeypatch.chdir(tmp_path)
    for name in [n for n in sys.modules if n.partition(".")[0] == "jcm"] or ["jcm"]:
        monkeypatch.setitem(sys.modules, name, None)
    done = CliRunner().invoke(cli.app, list(words))
    assert done.exit_code == 2
    assert "pip install 'mlda-climate[simulate]'" in " ".join(done.stderr.split())
    assert not list(Path().iterdir())

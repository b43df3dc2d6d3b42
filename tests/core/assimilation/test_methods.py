"""The registry of methods of analysis."""

import ast
import subprocess
import sys
from dataclasses import replace

import pytest
import typer

from mlda_core.assimilation import methods
from mlda_core.assimilation.methods import (
    METHODS,
    RESPONDING,
    WITH_POSTERIOR,
    method_of,
    scored_in,
    spelled,
)
from mlda_core.assimilation.options import Setting
from mlda_core.cli import main as cli
from mlda_core.climate.errors import StateError

# What else has the names of methods: ways of reconstruction, and the experiment of one observation,
# which has nothing to show beside itself or climatology.
CHOSEN = {"report.py", "reconstruction.py", "learning_curve.py", "comparison.py"}


def test_the_order_is_that_of_the_ranks():
    ranks = [method.rank for method in METHODS.values()]
    assert ranks == sorted(set(ranks))
    assert next(iter(METHODS)) == "vae"


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda m: m.key)
def test_a_record_says_what_its_method_is(method):
    assert method.label
    assert method.sentence
    assert not method.sentence.endswith(".")
    assert "http" in method.source or method.source.endswith(".md")
    assert len({m.label for m in METHODS.values()}) == len(METHODS)


def test_hyphens_stand_for_underscores():
    assert method_of("vae-latent-only") is METHODS["vae_latent_only"]


@pytest.mark.parametrize("key", METHODS)
def test_a_method_is_shown_one_way_and_read_either_way(key):
    assert "_" not in spelled(key)
    for typed in (key, spelled(key), key.upper(), f" {key}"):
        assert method_of(typed) is METHODS[key]
        assert Setting(method=typed).method == key
    assert spelled(key) in spelled().split(", ")


@pytest.mark.parametrize(
    ("command", "keys"),
    [("assimilate", METHODS), ("reanalyse", WITH_POSTERIOR), ("perturb", RESPONDING)],
)
def test_the_command_line_names_every_method_in_one_spelling(command, keys):
    click = typer.main.get_command(cli.app).commands[command]
    (option,) = [p for p in click.params if p.name == "method"]
    assert option.help.startswith(spelled(*keys))
    assert "_only" not in option.help.replace("sst_only", "")


def test_an_unknown_method_is_refused_with_those_there_are():
    with pytest.raises(StateError, match=r"no method 'kriging'; use one of vae, .*climatology"):
        method_of("kriging")


def test_a_new_file_is_a_new_method(monkeypatch, tmp_path):
    (tmp_path / "persistence.py").write_text(
        "from mlda_core.assimilation.methods.climatology import Climatology\n"
        "METHODS = (Climatology('persistence', 'Persistence', 'x', 'y.md', rank=95),)\n"
    )
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path)])
    try:
        assert list(methods._find()) == [*METHODS, "persistence"]
    finally:
        sys.modules.pop("mlda_core.assimilation.methods.persistence", None)


@pytest.mark.slow
def test_nothing_else_lists_the_methods(repo_root):
    """A new method is its file and its test: a list typed elsewhere would have to grow with it."""
    guilty = [
        f"{path.name}:{node.lineno}"
        for folder in ("mlda_core", "app")
        for path in (repo_root / folder).rglob("*.py")
        if path.name not in CHOSEN
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if len(METHODS.keys() & _strings(node)) > 1
    ]
    assert not guilty


def _strings(node):
    """Return the strings of a tuple, a list, a set, or of a dictionary's keys."""
    parts = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", ())
    return {part.value for part in parts if isinstance(part, ast.Constant)}


def test_an_evaluation_takes_the_methods_that_name_it(monkeypatch):
    assert scored_in("response") == ("vae", "enoi", "regression")
    assert "climatology" not in scored_in("assimilation")
    one = replace(METHODS["adam"], key="persistence", scored_in=("response",))
    monkeypatch.setitem(METHODS, "persistence", one)
    assert scored_in("response")[-1] == "persistence"
    assert "persistence" not in scored_in("assimilation")


def test_the_registry_needs_no_torch(repo_root):
    """The page's state and the command line's help read it."""
    program = "import sys, mlda_core.assimilation.methods; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=repo_root, check=False)
    assert done.returncode == 0


def test_the_docs_say_when_to_choose_each(repo_root):
    text = (repo_root / "docs" / "choose-a-method.md").read_text()
    for method in METHODS.values():
        assert f"`{method.key.replace('_', '-')}`" in text

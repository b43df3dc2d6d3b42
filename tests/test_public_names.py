"""The names that `mlda_core` offers to notebooks and scripts."""

import ast
import json
import subprocess
import sys
import typing

import pytest

import mlda_core


def run(program, repo_root):
    return subprocess.run(
        [sys.executable, "-c", program], cwd=repo_root, capture_output=True, text=True, check=False
    )


def test_importing_the_library_loads_nothing_heavy(repo_root):
    program = (
        "import sys, mlda_core; dir(mlda_core); mlda_core.__version__;"
        "print(sorted({'torch', 'xarray', 'numpy', 'pandas'} & set(sys.modules)))"
    )
    done = run(program, repo_root)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_name_imports_its_own_module_alone(repo_root):
    done = run("import sys, mlda_core; mlda_core.REGIONS; print('torch' in sys.modules)", repo_root)
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize("name", mlda_core.__all__)
def test_every_public_name_resolves_and_is_documented(name):
    value = getattr(mlda_core, name)
    assert value is mlda_core.__dict__[name]
    assert not callable(value) or len(value.__doc__.splitlines()[0]) > 10


def test_all_names_are_listed_once_and_offered_for_completion():
    assert len(set(mlda_core.__all__)) == len(mlda_core.__all__)
    assert set(mlda_core.__all__) == set(mlda_core._DEFINED_IN)
    assert set(mlda_core.__all__) | {"__version__"} <= set(dir(mlda_core))


def test_type_checkers_are_told_the_same_places(repo_root):
    """What mypy reads under TYPE_CHECKING is what __getattr__ imports."""
    tree = ast.parse((repo_root / "mlda_core" / "__init__.py").read_text())
    told = {
        alias.asname or alias.name: f"{node.module}:{alias.name}"
        for branch in tree.body
        if isinstance(branch, ast.If)
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    places = {}
    for name, place in mlda_core._DEFINED_IN.items():
        module, _, defined_as = place.partition(":")
        places[name] = f"mlda_core.{module}:{defined_as or name}"
    assert told == places


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'load_bundles'"):
        mlda_core.load_bundles  # noqa: B018


def test_the_documented_types_of_the_main_calls_resolve():
    hints = typing.get_type_hints(mlda_core.load_bundle)
    assert hints["return"] is mlda_core.Bundle


def test_notebooks_import_public_names_only(repo_root):
    """What a notebook needs is offered by the package itself."""
    for path in sorted((repo_root / "examples").glob("*.ipynb")):
        cells = json.loads(path.read_text())["cells"]
        source = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        modules = {n.module for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ImportFrom)}
        ours = {m for m in modules if m.partition(".")[0] == "mlda_core"}
        # Pictures are a package of their own, with an extra of its own.
        assert ours - {"mlda_core.plotting"} == {"mlda_core"}, path.name

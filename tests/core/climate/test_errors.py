"""Errors that a user can correct."""

import tomllib

from mlda_core.climate.errors import BundleError, ExtraError, StateError, UserError


def test_a_missing_extra_says_how_to_install_it_from_our_distribution(repo_root):
    project = tomllib.loads((repo_root / "pyproject.toml").read_text())["project"]
    for extra in project["optional-dependencies"]:
        said = str(ExtraError("Drawing", extra))
        assert said.startswith(f"Drawing needs the extra '{extra}'; ")
        assert said.endswith(f"pip install '{project['name']}[{extra}]'.")


def test_one_clause_catches_every_mistake_of_a_user():
    for kind in (BundleError, StateError, ExtraError):
        assert issubclass(kind, UserError)
    assert issubclass(UserError, ValueError)

"""pyproject.toml, constraints.txt and environment.yml speak of the same versions."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

PYPI_NAMES = {"pytorch": "torch", "playwright-python": "playwright"}


@pytest.fixture(scope="module")
def project(repo_root):
    return tomllib.loads((repo_root / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def requirements(project):
    lines = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        lines += extra
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


@pytest.fixture(scope="module")
def pins(repo_root):
    found = {}
    for line in (repo_root / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, version = re.fullmatch(r"([\w.-]+)==([\w.+!-]+)", line).groups()
            assert canonicalize_name(name) not in found, f"{name} is pinned twice"
            found[canonicalize_name(name)] = version
    return found


@pytest.fixture(scope="module")
def conda_pins(repo_root):
    lines = (repo_root / "environment.yml").read_text().splitlines()
    # What conda-forge does not have is pip's, further in.
    pinned = r"^(?:  - ([\w.-]+)=| {6}- ([\w.-]+)==)([\w.]+)$"
    found = {
        conda or pip: version
        for conda, pip, version in re.findall(pinned, "\n".join(lines), re.MULTILINE)
    }
    return {canonicalize_name(PYPI_NAMES.get(name, name)): v for name, v in found.items()}


def test_extras_are_the_promised_ones(project):
    assert set(project["optional-dependencies"]) == {
        "page",
        "plot",
        "train",
        "scale",
        "simulate",
        "archives",
        "priors",
        "test",
        "docs",
    }


def test_every_direct_dependency_is_pinned_within_its_range(requirements, pins):
    for name, requirement in requirements.items():
        assert name in pins, f"constraints.txt does not pin {name}"
        assert pins[name] in requirement.specifier, f"{name} {pins[name]} not in {requirement}"


def test_constraints_hold_no_local_builds(pins):
    assert not [f"{name}=={version}" for name, version in pins.items() if "+" in version]


def test_conda_has_the_same_direct_dependencies_at_the_same_versions(
    project, requirements, pins, conda_pins
):
    # The extras that are left out of it, and no more.
    extra = {
        Requirement(r).name
        for name in ("simulate", "archives", "priors")
        for r in project["optional-dependencies"][name]
    }
    assert extra == {"jcm", "pydartdiags", "azula", "zuko"}
    direct = {name: pins[name] for name in requirements.keys() - extra}
    assert conda_pins.pop("python") == "3.11"
    assert conda_pins.pop("setuptools") == pins["setuptools"]
    assert conda_pins == direct


def test_torch_is_the_pinned_one(requirements, pins):
    assert pins["torch"] == "2.13.0"
    assert "2.13.0" in requirements["torch"].specifier


def test_cartopy_stays_below_the_release_that_breaks_geoviews(requirements):
    assert requirements["cartopy"].specifier == SpecifierSet(">=0.24,<0.26")


def test_python_floor_agrees_everywhere(repo_root, project):
    config = tomllib.loads((repo_root / "pyproject.toml").read_text())["tool"]
    assert Version("3.11") in SpecifierSet(project["requires-python"])
    assert Version("3.10") not in SpecifierSet(project["requires-python"])
    assert config["ruff"]["target-version"] == "py311"
    assert config["mypy"]["python_version"] == "3.11"


def imported_distributions(folder):
    """Return the third-party distributions that a package imports, with a file that does."""
    distributions = packages_distributions()
    found = {}
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module]
            else:
                continue
            for module in {m.partition(".")[0] for m in modules}:
                if module in sys.stdlib_module_names or module in {"mlda_core", "app"}:
                    continue
                names = frozenset(canonicalize_name(d) for d in distributions.get(module, [module]))
                found.setdefault(names, path.name)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("package", ["mlda_core", "app"])
def test_every_third_party_import_is_declared(repo_root, requirements, package):
    found = imported_distributions(repo_root / package)
    assert not {names: file for names, file in found.items() if not names & requirements.keys()}


@pytest.mark.slow
def test_the_library_needs_nothing_of_the_page(repo_root, project):
    """`pip install mlda-climate` brings no panel; the page's packages are the extra `page`."""
    extras = project["optional-dependencies"]
    names = ("plot", "train", "scale", "simulate", "archives", "priors")
    optional = (extras[name] for name in names)
    lines = [*project["dependencies"], *(line for extra in optional for line in extra)]
    needed = {canonicalize_name(Requirement(line).name) for line in lines}
    found = imported_distributions(repo_root / "mlda_core")
    assert not {names: file for names, file in found.items() if not names & needed}


def test_the_version_has_one_place(project):
    assert "version" in project["dynamic"]
    assert "version" not in project

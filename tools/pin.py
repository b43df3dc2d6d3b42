"""Write constraints.txt and environment.yml: the exact versions that mlda is tested with.

Everything that pyproject.toml asks for, all extras included, is installed into a fresh virtual
environment; what pip chose there is written down. ``constraints.txt`` pins every package,
``environment.yml`` the direct dependencies, by their names on conda-forge.

Examples
--------
Choose the newest versions that the ranges of pyproject.toml allow (minutes)::

    python tools/pin.py

Keep the present pins and add only what is new in pyproject.toml::

    python tools/pin.py --keep

Write environment.yml anew from the present constraints.txt (at once)::

    python tools/pin.py --environment-only
"""

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
ENVIRONMENT = ROOT / "environment.yml"

# The default of `pip install torch` on Linux; every other release is a decision, not an update.
TORCH = "2.13.0"

# Where conda-forge's name is not PyPI's.
CONDA_NAMES = {"torch": "pytorch", "playwright": "playwright-python"}

# The extras that the conda environment leaves out, by pip for who wants them: one is near a
# gigabyte, and not all packages of the others are on conda-forge.
NOT_BY_CONDA = ("simulate", "archives", "priors")

CONSTRAINTS_HEAD = """\
# Exact versions of everything, all extras included; written by tools/pin.py.
# Use: pip install --constraint constraints.txt --editable .
"""
ENVIRONMENT_HEAD = """\
# The direct dependencies at the versions of constraints.txt, for conda; written by tools/pin.py.
# Use: conda env create --file environment.yml && conda activate mlda && panel serve app
name: mlda
channels:
  - conda-forge
dependencies:
"""


def normalise(name: str) -> str:
    """Return a distribution's name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def direct_requirements(without: tuple[str, ...] = ()) -> list[str]:
    """Return every requirement of pyproject.toml, those of extras included but for some."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = list(project["dependencies"])
    for name, extra in project["optional-dependencies"].items():
        requirements += [] if name in without else extra
    return requirements


def read_constraints() -> dict[str, str]:
    """Return the pinned version of each distribution by its normalised name."""
    pins = {}
    for line in CONSTRAINTS.read_text().splitlines():
        if line and not line.startswith("#"):
            name, version = line.split("==")
            pins[normalise(name)] = version
    return pins


def resolve(*, keep: bool) -> list[str]:
    """Install everything into a fresh environment and return its ``name==version`` lines."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = [f"{folder}/bin/python", "-m", "pip", "--disable-pip-version-check"]
        old = ["--constraint", str(CONSTRAINTS)] if keep else []
        # Torch first and by its exact version: a CPU-only build that pip finds is then kept.
        for wanted in ([f"torch=={TORCH}", "setuptools"], direct_requirements()):
            subprocess.run([*pip, "install", "--quiet", *old, *wanted], check=True)  # noqa: S603
        frozen = subprocess.run(  # noqa: S603
            [*pip, "list", "--format=freeze"], check=True, capture_output=True, text=True
        )
    # A local label such as +cpu names one index's build: any build of the version will do.
    lines = [line.partition("+")[0] for line in frozen.stdout.splitlines()]
    return sorted((line for line in lines if not line.startswith("pip==")), key=str.lower)


def environment_text() -> str:
    """Return environment.yml for the present pyproject.toml and constraints.txt."""
    pins = read_constraints()
    names = {normalise(re.split(r"[<>=!~\[; ]", r)[0]) for r in direct_requirements(NOT_BY_CONDA)}
    lines = ["  - python=3.11", "  - pip", f"  - setuptools={pins['setuptools']}"]
    lines += [f"  - {CONDA_NAMES.get(name, name)}={pins[name]}" for name in sorted(names)]
    lines += ["  - pip:", "      - --editable ."]
    return ENVIRONMENT_HEAD + "\n".join(lines) + "\n"


def main() -> int:
    """Write both files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keep", action="store_true", help="hold what constraints.txt pins")
    parser.add_argument(
        "--environment-only", action="store_true", help="environment.yml from constraints.txt"
    )
    arguments = parser.parse_args()
    if not arguments.environment_only:
        lines = resolve(keep=arguments.keep)
        CONSTRAINTS.write_text(CONSTRAINTS_HEAD + "\n".join(lines) + "\n")
    ENVIRONMENT.write_text(environment_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())

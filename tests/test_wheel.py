"""What `pip install .` puts into an empty environment: a library and a command that work."""

import json
import shutil
import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import mlda_core

pytestmark = pytest.mark.slow

PROGRAM = """
import json, sys
import numpy as np
import shapely
import mlda_core
from mlda_core import Assimilator, NetworkSpec, coastline, gcm_responses, load_bundle, places
from mlda_core import synthesise
from mlda_core.observations.land import natural_earth

bundle = load_bundle(sys.argv[1])
where = places(NetworkSpec("historical", year=1900), bundle)
table = synthesise(where, bundle, bundle.target("1997-12"), 12, seed=1)
analysis = Assimilator(bundle).run(table, "1997-12")
print(json.dumps({
    "file": mlda_core.__file__,
    "version": mlda_core.__version__,
    "observed": len(table),
    "finite": bool(np.isfinite(analysis.anomalies).any()),
    "land": bool(shapely.contains_xy(natural_earth(), 10.0, 50.0)),
    "coastline": len(coastline()[0]),
    "responses": sorted(gcm_responses(bundle)),
}))
"""


def call(*words, cwd):
    done = subprocess.run(
        [str(w) for w in words], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(repo_root, tmp_path_factory):
    """Build the wheel from a copy: a build leaves folders in the tree that it is made from."""
    tree = tmp_path_factory.mktemp("source") / "tree"
    tree.mkdir()
    for name in ("mlda_core", "app"):
        shutil.copytree(repo_root / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(repo_root / name, tree)
    target = tree.parent / "dist"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    call(
        *pip, "wheel", "--quiet", "--no-index", "--no-build-isolation", "--no-deps",
        "--wheel-dir", target, tree, cwd=tree,
    )  # fmt: skip
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Install the wheel into a new environment and return the environment's folder.

    It sees the packages that the tests run with, by their folders alone: the editable install
    among them works by a .pth file, and such files are not read there.
    """
    folder = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    own = Path(
        call(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=folder).strip()
    )
    call(
        sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python,
        "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=folder,
    )  # fmt: skip
    dependencies = [p for p in sys.path if Path(p).name in {"site-packages", "dist-packages"}]
    assert dependencies
    assert set(site.getsitepackages()) & set(dependencies)
    (own / "dependencies.pth").write_text("\n".join(dependencies) + "\n")
    return folder


def test_the_wheel_holds_the_library_and_its_data_only(wheel, repo_root):
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    assert wheel.name.startswith(f"mlda_climate-{mlda_core.__version__}-")
    assert {name.partition("/")[0] for name in names} == {
        "mlda_core",
        f"mlda_climate-{mlda_core.__version__}.dist-info",
    }
    ours = repo_root / "mlda_core"
    files = {
        path.relative_to(repo_root).as_posix()
        for path in ours.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if name.startswith("mlda_core/")} == files


def test_the_installed_command_works_elsewhere(installed, repo_root, tmp_path):
    command = installed / "bin" / "mlda"
    assert "assimilate" in call(command, "--help", cwd=tmp_path)
    said = call(command, "info", repo_root / "assets" / "bundles" / "speedy", cwd=tmp_path)
    assert "speedy" in said


def test_the_installed_library_finds_its_data(installed, repo_root, tmp_path):
    bundle = repo_root / "assets" / "bundles" / "speedy"
    found = json.loads(call(installed / "bin" / "python", "-c", PROGRAM, bundle, cwd=tmp_path))
    assert Path(found["file"]).is_relative_to(installed.resolve())
    assert found["version"] == mlda_core.__version__
    assert found["observed"] > 100
    assert found["finite"]
    assert found["land"]
    assert found["coastline"] > 1000
    assert found["responses"] == ["nino34_plus2", "plus1"]


def test_the_page_is_in_no_wheel(installed, tmp_path):
    program = "import importlib.util; print(importlib.util.find_spec('app'))"
    assert call(installed / "bin" / "python", "-c", program, cwd=tmp_path).strip() == "None"

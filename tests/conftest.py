"""Fixtures for all tests."""

from __future__ import annotations

import functools
import importlib
import json
import os
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer.testing
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from mlda_core.bundle.bundle import Bundle

# The same examples in every run: a test that fails once in a while tells nobody what changed. New
# ones are looked for by hand: make test ARGS="--hypothesis-profile=explore tests/core".
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("explore", derandomize=False, print_blob=True)
settings.load_profile("repeatable")

# One thread each: the machines that tests run on are small, and two servers share one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Typer's runner makes the whole command line anew at each call: 0.11 s, of commands that take less.
typer.testing._get_command = functools.cache(typer.testing._get_command)
# Workers of pytest-xdist are given a width of 80, and what is printed would be broken there.
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first: one process runs the last file alone, so let it be short."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    count = Counter(item.path for item in items)
    items.sort(key=lambda item: (-slow[item.path], -count[item.path]))


@pytest.fixture(scope="session", autouse=True)
def _bundles_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Name the folder of the bundles that tests share (tests/helpers/kept.py)."""
    base = tmp_path_factory.getbasetemp()
    # A process of pytest-xdist has a folder of its own inside the run's.
    run = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    made = run / "small-bundles"
    made.mkdir(exist_ok=True)
    os.environ["MLDA_TEST_BUNDLES"] = str(made)


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def speedy(repo_root: Path) -> Bundle:
    """The bundled model, loaded once in a process: nobody changes it, and its seasons are kept."""
    from mlda_core.bundle.bundle import load_bundle

    return load_bundle(repo_root / "assets/bundles/speedy")


@pytest.fixture(scope="session")
def priorless(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The bundled model without the priors that were trained for it."""
    from mlda_core.bundle.bundle import load_bundle

    folder = tmp_path_factory.mktemp("priorless") / "speedy"
    leave = shutil.ignore_patterns("prior-*")
    shutil.copytree(repo_root / "assets/bundles/speedy", folder, ignore=leave)
    config = json.loads((folder / "config.json").read_text())
    del config["priors"]
    (folder / "config.json").write_text(json.dumps(config))
    return load_bundle(folder)


@pytest.fixture(scope="session")
def world_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a calibrated bundle without a sea, its months with gaps."""
    from gappy import make_world

    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def world(world_folder: Path) -> Bundle:
    """That bundle."""
    from mlda_core.bundle.bundle import load_bundle

    return load_bundle(world_folder)


@pytest.fixture(scope="session")
def cycled(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A small bundle of days that can be cycled."""
    from cycled import make_cycled

    return make_cycled(tmp_path_factory.mktemp("cycled"))


@pytest.fixture
def shelf(world_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of bundles: one as it is, one damaged, and one whose configuration is none."""
    from mlda_core.bundle import shipped

    place = tmp_path / "bundles"
    for name in ("speedy", "other", "damaged", "grey"):
        shutil.copytree(world_folder, place / name)
        config = json.loads((place / name / "config.json").read_text())
        config |= {"name": name, "title": f"The {name} one"}
        if name == "grey":
            config["variables"][1]["field_cmap"] = "nosuch"
        (place / name / "config.json").write_text(json.dumps(config))
    (place / "damaged" / "weights.safetensors").write_bytes(b"no weights")
    (place / "none").mkdir()
    (place / "none" / "config.json").write_text("{")
    monkeypatch.setattr(shipped, "SHIPPED", place)
    monkeypatch.delenv("MLDA_BUNDLE", raising=False)
    return place


@pytest.fixture
def smoothed(monkeypatch):
    """Let a view's observations have the setting."""
    from smoothing import Smoothed

    from mlda_core.page_state.snapshot import Snapshot, View

    monkeypatch.setattr(View.param["observations"], "class_", Smoothed)
    monkeypatch.setattr(View.param["observations"], "default", Smoothed())
    return Snapshot("1997-12", observations=Smoothed(smoothing=2.0))


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium that browser tests drive; `make test` finds or installs it."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = os.environ.get("MLDA_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if not path:
        # Failing, not skipping: a green run must mean that the page was seen in a browser.
        pytest.fail("Browser tests need Chromium: run them with 'make test', which installs it.")
    return path


@pytest.fixture(autouse=True)
def _no_server_left_running():
    """Stop every server that a test started: pytest never exits while one runs."""
    yield
    panel = sys.modules.get("panel")
    if panel is not None:
        panel.state.kill_all_servers()


@pytest.fixture(scope="module")
def benchmarks(repo_root: Path) -> Iterator[Callable[[str], ModuleType]]:
    """Import scripts of the folder of benchmarks, which import each other."""
    sys.path.insert(0, str(repo_root / "benchmarks"))
    yield importlib.import_module
    sys.path.remove(str(repo_root / "benchmarks"))

"""The recipes for a server name what there is, and the container's files suffice for the page."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
import yaml
from panel.command.serve import Serve

RECIPES = ("deploy/Dockerfile", "deploy/mlda@.service", "deploy/compose.yaml", "docs/deploy.md")


def copied(repo_root):
    """Return the paths that the Dockerfile copies, and where to."""
    text = (repo_root / "deploy/Dockerfile").read_text()
    lines = re.findall(r"^COPY (.+) (\S+)$", text, re.MULTILINE)
    found = [(path, to) for paths, to in lines for path in paths.split()]
    assert len(found) > 6
    return found


@pytest.mark.parametrize("name", RECIPES)
def test_the_options_of_the_recipes_are_panels(repo_root, name):
    known = {name for names, _ in Serve.args for name in ([names], names)[type(names) is tuple]}
    text = (repo_root / name).read_text().replace("\\\n", " ")
    # What follows the command, or is put into its options.
    given = re.findall(r"(?:panel serve app|OPTIONS[:=])([^`\n]*)", text)
    flags = set(re.findall(r"(?<![\w-])--[a-z-]+", " ".join(given)))
    assert flags
    assert not flags - known


def test_the_container_is_given_what_is_copied_and_nothing_that_is_not_there(repo_root):
    ignored = (repo_root / "deploy/Dockerfile.dockerignore").read_text().splitlines()
    for path, _ in copied(repo_root):
        assert (repo_root / path).exists(), path
        assert f"!{path}" in ignored, path


def test_compose_and_unit_are_of_this_page(repo_root):
    made = yaml.safe_load((repo_root / "deploy/compose.yaml").read_text())
    build = made["services"]["page"]["build"]
    folder = (repo_root / "deploy" / build["context"]).resolve()
    assert folder == repo_root.resolve()
    assert (folder / build["dockerfile"]).exists()
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str
    unit.read_string((repo_root / "deploy/mlda@.service").read_text())
    assert "--port %i" in unit["Service"]["ExecStart"]
    # Both proxies and the unit speak of the same ports.
    for name in ("nginx.conf", "Caddyfile"):
        text = (repo_root / "deploy" / name).read_text()
        assert set(re.findall(r"127\.0\.0\.1:(\d+)", text)) == {"5006", "5007"}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_copied_files_serve_the_page(repo_root, world_folder, tmp_path):
    place = tmp_path / "srv"
    for path, to in copied(repo_root):
        target = place / (path if to == "./" else to)
        target.parent.mkdir(parents=True, exist_ok=True)
        source = repo_root / path
        if path == "assets":
            target.symlink_to(source)
        elif source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "log"
    command = [sys.executable, "-m", "panel", "serve", "app", "--port", str(port), "--liveness"]
    env = {**os.environ, "MLDA_BUNDLE": str(world_folder), "PYTHONPATH": str(place)}
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=place, env=env, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + 600
        while True:
            try:
                with urllib.request.urlopen(f"http://localhost:{port}/app", timeout=300) as answer:
                    page = answer.read().decode()
                break
            except OSError:
                assert time.monotonic() < deadline, log.read_text()
                assert process.poll() is None, log.read_text()
                time.sleep(0.5)
        assert 'id="tool-observe"' in page
        # The glossary and the citation are there.
        assert "explained variance" in page
        with urllib.request.urlopen(f"http://localhost:{port}/liveness", timeout=60) as answer:
            assert answer.status == 200
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()
        process.wait()

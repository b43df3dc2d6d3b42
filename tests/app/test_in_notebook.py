"""The page in a notebook."""

import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from app import mlda_app
from app.in_notebook import PageFrame
from mlda_core.climate.errors import UserError


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.slow
def test_it_is_served_shown_in_a_frame_and_closed(world):
    frame = mlda_app(world, f"?month={world.months[-1]}&network=none", height=700)
    try:
        assert frame.runs
        assert f"month={world.months[-1]}" in frame.address
        assert frame.address in repr(frame)
        shown = frame._repr_html_()
        assert shown.startswith("<iframe")
        assert 'height="700"' in shown
        assert "&amp;network=none" in shown
        page = urllib.request.urlopen(frame.address, timeout=120).read()  # noqa: S310
        assert world.title in page.decode()
    finally:
        frame.close()
    port = int(frame.address.split(":")[2].split("/")[0])
    assert not frame.runs
    assert not answers(port)
    assert "closed" in repr(frame)
    assert "closed" in frame._repr_html_()


@pytest.mark.slow
def test_it_ends_with_the_kernel_however_that_ends(world, repo_root):
    program = (
        f"import os; from app import mlda_app; frame = mlda_app({str(world.path)!r});"
        "print(frame.address, flush=True); os._exit(9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=repo_root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 9, done.stderr
    port = int(done.stdout.split(":")[2].split("/")[0])
    end = time.monotonic() + 120
    while answers(port):
        assert time.monotonic() < end, "the server outlived its kernel"
        time.sleep(0.2)


def test_what_cannot_be_opened_is_said_before_anything_is_served(world, tmp_path):
    with pytest.raises(UserError, match="nowhere"):
        mlda_app(tmp_path / "nowhere")
    with pytest.raises(UserError, match="no sea to warm"):
        mlda_app(world, "?tool=perturb")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"Port {port} is taken"):
            mlda_app(world, port=port)


@pytest.mark.slow
def test_a_server_that_ends_says_why(monkeypatch, world, tmp_path):
    monkeypatch.setattr("app.in_notebook.ROOT", tmp_path)
    with pytest.raises(UserError, match="could not be served"):
        mlda_app(world)
    assert os.environ.get("MLDA_PARENT") is None
    assert PageFrame.__doc__

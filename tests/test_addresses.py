"""A server for others lets them in by every address that it tells them."""

from __future__ import annotations

import importlib.util
import socket
import subprocess

import pytest
from bokeh.server.util import check_allowlist, create_hosts_allowlist


@pytest.fixture(scope="module")
def addresses(repo_root):
    path = repo_root / "tools" / "addresses.py"
    found = importlib.util.spec_from_file_location("addresses", path)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_whoever_comes_by_a_told_address_is_let_in(addresses, capsys):
    assert addresses.main(["5099", "class.example.org"]) == 0
    said = capsys.readouterr()
    words = said.out.split()
    assert set(words[::2]) == {"--allow-websocket-origin"}
    allowed = create_hosts_allowlist(words[1::2], 5099)
    told = [line.strip() for line in said.err.splitlines()[1:]]
    assert "http://class.example.org:5099/app" in told
    assert f"http://{addresses.names()[0]}:5099/app" in told
    for link in [*told, "http://localhost:5099/app"]:
        assert check_allowlist(link.split("/")[2], allowed), link
    assert not check_allowlist("elsewhere.example.org:5099", allowed)


def test_a_number_is_of_a_network_not_of_this_computer_alone(addresses, monkeypatch):
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_: [(0, 0, 0, "", ("127.0.1.1", 0)), (0, 0, 0, "", ("10.1.2.3", 0))],
    )
    found = addresses.numbers()
    assert "10.1.2.3" in found
    assert not [number for number in found if number.startswith("127.")]


def test_a_computer_without_a_network_still_has_its_name(addresses, monkeypatch, capsys):
    def fail(*_):
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr(socket.socket, "connect", fail)
    assert addresses.numbers() == []
    assert addresses.main(["5006"]) == 0
    assert "/app" in capsys.readouterr().err


@pytest.mark.parametrize(("host", "asks"), [("localhost", False), ("0.0.0.0", True)])  # noqa: S104
def test_make_serve_asks_for_addresses_where_others_are_served(repo_root, host, asks):
    done = subprocess.run(
        ["make", "--dry-run", "serve", f"HOST={host}", "PORT=5099"],
        capture_output=True,
        text=True,
        check=True,
        cwd=repo_root,
    )
    assert ("tools/addresses.py 5099" in done.stdout) is asks
    assert f"--address {host}" in done.stdout

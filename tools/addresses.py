"""Say by which addresses others reach this computer: for ``make serve HOST=0.0.0.0``.

Prints, for the command line of ``panel serve``, the options that let visitors in who come by these
addresses; and to the standard error what they open. A page that is opened by another address is
refused its connection by Bokeh's server, and stays at "Loading the model".

    python tools/addresses.py 5006 [NAME ...]
"""

from __future__ import annotations

import ipaddress
import socket
import sys

# An address that is nobody's (RFC 5737), to ask which of this computer's own leads outwards:
# nothing is sent to it.
NOBODY = ("192.0.2.1", 9)


def numbers() -> list[str]:
    """Return this computer's own IPv4 addresses, the one that leads outwards first."""
    found: dict[str, None] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(NOBODY)
            found[probe.getsockname()[0]] = None
        except OSError:
            # Without a network there is no way outwards.
            pass
    try:
        for *_, address in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET):
            found[str(address[0])] = None
    except OSError:
        # Not every computer knows its own name.
        pass
    return [number for number in found if not ipaddress.ip_address(number).is_loopback]


def names() -> list[str]:
    """Return the names by which others may know this computer."""
    name = socket.gethostname().lower()
    # Without a domain of its own it is called so on a local network (multicast DNS).
    return [name] if "." in name else [name, f"{name}.local"]


def main(arguments: list[str]) -> int:
    """Print both."""
    port, given = arguments[0], arguments[1:]
    ways = list(dict.fromkeys([*numbers(), *names(), *given]))
    # Whoever sits at this computer comes by localhost.
    allowed = [*ways, "localhost", "127.0.0.1"]
    print(" ".join(f"--allow-websocket-origin {way}:{port}" for way in allowed))
    print("Others on this network open one of:", file=sys.stderr)
    for way in ways:
        print(f"    http://{way}:{port}/app", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

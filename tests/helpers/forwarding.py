"""A proxy that passes on what it hears, and says from where and how, as nginx and Caddy do."""

from __future__ import annotations

import contextlib
import socket
import threading


class Forwarder:
    """A port that leads to another port of this computer.

    Requests get the heads of a proxy that speaks HTTPS with the visitor; all else goes through as
    it is, websockets too.
    """

    HEADS = b"X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n"

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._to = 0

    def lead_to(self, port):
        """Begin to pass on."""
        self._to = port
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._listener.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                for a, b, there in ((visitor, server, True), (server, visitor, False)):
                    threading.Thread(target=self._pass, args=(a, b, there), daemon=True).start()

    def _pass(self, a, b, there):
        with contextlib.suppress(OSError):
            while part := a.recv(65536):
                # A browser's frames are masked: none begins like a request.
                if there and part.startswith(b"GET /"):
                    line, _, rest = part.partition(b"\r\n")
                    part = line + b"\r\n" + self.HEADS + rest
                b.sendall(part)
        for end in (a, b):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

"""A visitor without a browser, who sends and hears what the page's own JavaScript does.

The page is fetched with its scripts, its document pulled over a websocket, and messages go by
`Channel`, which does what ``app/web/channel.js`` does: two batches in flight (one where the server
is slow), and of what waits the newest of each kind. Nothing is drawn: what a browser takes for that
is not in the times.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

from bokeh.protocol import Protocol
from bokeh.protocol.message import Message as Received
from bokeh.protocol.receiver import Receiver
from bokeh.util.serialization import make_id
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

# As in app/web/channel.js, in seconds.
IN_FLIGHT = 2
SLOW = 0.5
LOST_AFTER = 8.0
GIVE_UP = 30.0
# Requests that a browser has under way to one server at once.
CONNECTIONS = 6
# What is asked for by the page's HTML; preconnecting and icons are the browser's own affair.
_LOADED = re.compile(r'(?:src|href)="([^"]+\.(?:js|css)(?:\?[^"]*)?)"')
_TOKEN = re.compile(r'"token"\s*:\s*"([^"]+)"')
_SIZE = {"inner_width": 364, "inner_height": 182, "outer_width": 364, "outer_height": 182}

Message = dict[str, Any]


class FailedError(Exception):
    """What a visitor waited for did not come; the words say what and why."""


class Channel:
    """What sends the messages of one control, as ``app/web/channel.js`` does.

    Parameters
    ----------
    send : callable
        Sends one batch.
    """

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._busy = self._seq = 0
        self._since, self._slow = 0.0, False
        self._waiting: dict[str, Message] = {}
        self._events: list[float] = []
        self._sent: dict[int, list[float]] = {}
        self._sent_at: dict[int, float] = {}
        self.listens = False
        # Seconds from each event until the answer to the batch that held it or a newer one.
        self.waits: list[float] = []
        # When answers came, and how often the page would have said that the server is lost.
        self.answers: list[float] = []
        self.lost = 0

    @property
    def idle(self) -> bool:
        """Whether everything that was sent is answered."""
        return not self._busy and not self._waiting and not self._sent

    def send(self, message: Message, key: str = "") -> None:
        """Send a message; of those with one key only the last is sent."""
        now = time.monotonic()
        self._events.append(now)
        self._waiting[key or message["type"]] = message
        if now - self._since > GIVE_UP:
            self._busy = 0
        self.flush()

    def flush(self) -> None:
        """Send what waits, unless two batches are in flight, or one of a slow server."""
        most = 1 if self._slow else IN_FLIGHT
        if not self.listens or self._busy >= most or not self._waiting:
            return
        self._busy += 1
        self._since = time.monotonic()
        self._seq += 1
        self._sent[self._seq], self._events = self._events, []
        self._sent_at[self._seq] = self._since
        batch, self._waiting = list(self._waiting.values()), {}
        self._send({"seq": self._seq, "batch": batch})
        asyncio.get_running_loop().call_later(LOST_AFTER, self._look, self._since)

    def _look(self, since: float) -> None:
        if self._busy and self._since == since:
            self.lost += 1

    def answered(self, ack: int) -> None:
        """Take the number of the last batch that is answered."""
        now = time.monotonic()
        for seq in [seq for seq in self._sent if seq <= ack]:
            self.waits += [now - event for event in self._sent.pop(seq)]
            self.answers.append(now)
            self._slow = now - self._sent_at.pop(seq) > SLOW
        self._busy = max(0, self._seq - ack)
        self.flush()


class Visitor:
    """One visit of the page.

    Parameters
    ----------
    url : str
        Of the page, with the query of a state or without.
    patience : float
        Seconds after which an answer is no longer waited for.
    """

    def __init__(self, url: str, patience: float) -> None:
        self._url, self._patience = url, patience
        self._socket: WebSocketClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._ended, self._greeted = "", False
        # Class of a control by the id of its data, and what its data holds.
        self._owner: dict[str, str] = {}
        self.shown: dict[str, dict[str, Any]] = {}
        self.channels: dict[str, Channel] = {}
        self.received = 0
        self.loaded = 0

    # -- opening -----------------------------------------------------------------------------

    async def fetch(self) -> str:
        """Ask for the page, and return its HTML."""
        return (await self._get(self._url)).decode()

    async def fetch_scripts(self, html: str) -> None:
        """Ask for what the page loads, six at once, as a browser does that has nothing of it."""
        gate = asyncio.Semaphore(CONNECTIONS)

        async def one(address: str) -> None:
            async with gate:
                await self._get(address)

        found = dict.fromkeys(urljoin(self._url, path) for path in _LOADED.findall(html))
        # The server's own; a page that loads from elsewhere would be another's load.
        own = [u for u in found if urlsplit(u).netloc == urlsplit(self._url).netloc]
        await asyncio.gather(*map(one, own))

    async def connect(self, html: str) -> None:
        """Open the websocket, pull the document, and say that it is drawn."""
        token = _TOKEN.search(html)
        if token is None:
            raise FailedError("the page has no session: it is no page of Bokeh's server")
        parts = urlsplit(self._url)
        address = parts._replace(
            scheme="wss" if parts.scheme == "https" else "ws", path=f"{parts.path}/ws"
        )
        try:
            self._socket = await websocket_connect(
                HTTPRequest(address.geturl(), request_timeout=self._patience),
                subprotocols=["bokeh", token[1]],
                compression_options={},
                max_message_size=2**28,
            )
        except (OSError, HTTPError) as error:
            raise FailedError(f"the websocket was not opened: {error}") from None
        self._reader = asyncio.create_task(self._read())
        # A message that comes before the server's own first one ends the connection.
        await self.until(lambda: self._greeted, "the server's first message")
        self._write("PULL-DOC-REQ", {})
        await self.until(lambda: "Bar" in self.shown, "the document")
        self._event("document_ready", {})
        await self.until(lambda: bool(self.shown["Bar"].get("ready")), "the page to be ready")
        for channel in self.channels.values():
            channel.listens = True
            channel.flush()

    async def _get(self, address: str) -> bytes:
        request = HTTPRequest(
            address,
            request_timeout=self._patience,
            connect_timeout=self._patience,
            decompress_response=True,
        )
        try:
            body = (await AsyncHTTPClient().fetch(request)).body
        except (OSError, HTTPError) as error:
            raise FailedError(f"no answer to GET {urlsplit(address).path}: {error}") from None
        self.loaded += len(body)
        return body

    # -- sending and hearing -----------------------------------------------------------------

    def send(self, control: str, message: Message, key: str = "") -> None:
        """Send a message by a control's channel."""
        self.channels[control].send(message, key)

    async def until(self, done: Callable[[], bool], what: str) -> None:
        """Wait until something is so.

        Raises
        ------
        FailedError
            If it does not come in time, the connection ends, or the page complains.
        """
        deadline = time.monotonic() + self._patience
        while not done():
            if self._ended:
                raise FailedError(f"waiting for {what}: {self._ended}")
            bar = self.shown.get("Bar", {})
            if bar.get("failed"):
                raise FailedError(f"waiting for {what}: the page says '{bar['status']}'")
            left = deadline - time.monotonic()
            if left <= 0:
                raise FailedError(f"waiting for {what}: not in {self._patience:g} s")
            self._changed.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), left)

    async def close(self) -> None:
        """Leave."""
        if self._socket is not None:
            self._socket.close()
        if self._reader is not None:
            await self._reader

    def _write(self, kind: str, content: Any) -> None:
        if self._socket is None or self._ended:
            return
        for part in ({"msgid": make_id(), "msgtype": kind}, {}, content):
            # A connection that has ended is found by the reader.
            with contextlib.suppress(Exception):
                self._socket.write_message(json.dumps(part))

    def _patch(self, *events: Message) -> None:
        self._write("PATCH-DOC", {"events": events})

    def _event(self, name: str, values: Message) -> None:
        data = {"type": "event", "name": name, "values": _map(values)}
        self._patch({"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": data})

    async def _read(self) -> None:
        assert self._socket is not None
        receiver = Receiver(Protocol())
        try:
            while (part := await self._socket.read_message()) is not None:
                self.received += len(part)
                message = await receiver.consume(part)
                if message is not None:
                    self._take(message)
                    self._changed.set()
            self._ended = self._ended or "the server closed the connection"
        except Exception as error:  # noqa: BLE001 - whoever waits has to hear of it
            self._ended = f"what the server sent was not understood: {error!r}"
        finally:
            self._changed.set()

    def _take(self, message: Received[Any]) -> None:
        kind = message.header["msgtype"]
        if kind == "ERROR":
            self._ended = f"the server answered with an error: {message.content.get('text')}"
        elif kind == "ACK":
            self._greeted = True
        elif kind == "PULL-DOC-REPLY":
            for model in _models(message.content["doc"]):
                self._meet(model)
        elif kind == "PATCH-DOC":
            for event in message.content["events"]:
                owner = self._owner.get(event.get("model", {}).get("id", ""))
                if event["kind"] == "ModelChanged" and owner:
                    self.shown[owner][event["attr"]] = event["new"]
                    if event["attr"] == "ack":
                        self.channels[owner].answered(event["new"])

    def _meet(self, model: Message) -> None:
        attributes = model.get("attributes", {})
        if model["name"].endswith("Figure"):
            # Bokeh tells the server the size of each figure that it has drawn.
            told = {"kind": "ModelChanged", "model": {"id": model["id"]}}
            self._patch(*({**told, "attr": name, "new": size} for name, size in _SIZE.items()))
        name, data = attributes.get("class_name"), attributes.get("data")
        if not name or not isinstance(data, dict):
            return
        self._owner[data["id"]] = name
        # What has its default is not among them.
        self.shown[name] = dict(data["attributes"])
        at = _Ref(model["id"])
        self.channels[name] = Channel(
            lambda batch: self._event("data_event", {"model": at, "data": batch})
        )


class _Ref(str):
    """The id of a model that a message refers to."""

    __slots__ = ()


def _map(value: Any) -> Any:
    """Return a value as Bokeh's protocol writes it."""
    if isinstance(value, _Ref):
        return {"id": str(value)}
    if isinstance(value, dict):
        return {"type": "map", "entries": [[k, _map(v)] for k, v in value.items()]}
    return [_map(v) for v in value] if isinstance(value, list) else value


def _models(found: Any) -> Iterator[Message]:
    """Find the models in a document as it is sent."""
    pile = [found]
    while pile:
        value = pile.pop()
        if isinstance(value, dict):
            if value.get("type") == "object" and "id" in value:
                yield value
            pile.extend(value.values())
        elif isinstance(value, list):
            pile.extend(value)

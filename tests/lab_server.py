"""An app of ours on a real port of this machine, and what it answers to real requests."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from starlette.types import ASGIApp

from gatewise.serve.listening import LOOPBACK, listen, server


class Reply(NamedTuple):
    """Status, headers by their lower-case names, and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Address(NamedTuple):
    """Where an app listens."""

    port: int

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=30)
        try:
            connection.request(method, path, body, dict(headers or {}))
            reply = connection.getresponse()
            named = {name.lower(): value for name, value in reply.getheaders()}
            return Reply(reply.status, named, reply.read())
        finally:
            connection.close()

    def ask(self, path: str, question: Any) -> Reply:
        """A question as the page asks it."""
        body = question if isinstance(question, bytes) else json.dumps(question).encode()
        return self.request("POST", path, body, {"content-type": "application/json"})


@contextmanager
def listening(app: ASGIApp) -> Iterator[Address]:
    """The app on a free port, as the command line runs it, for the length of a block."""
    answering = server(app)
    with listen(0) as found:
        address = Address(found.getsockname()[1])
        thread = threading.Thread(target=answering.run, kwargs={"sockets": [found]})
        thread.start()
        try:
            yield address
        finally:
            answering.should_exit = True
            thread.join()

"""Listening on loopback, and the end of it."""

from __future__ import annotations

import contextlib
import errno
import socket

import uvicorn
from starlette.types import ASGIApp

from gatewise.errors import OptionError

LOOPBACK = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """A socket that listens on this machine's own address; 0 for any free port.

    Raises:
        OptionError: the port cannot be had.
    """
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            why = "is taken by another program"
        else:
            why = f"cannot be had ({problem.strerror})"
        raise OptionError(
            f"Port {port} {why}. Give another one with --port, or --port 0 for any that is free."
        ) from None


def server(app: ASGIApp) -> uvicorn.Server:
    """What answers requests. It logs nothing but our own bugs: requests hold people's texts."""
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        limit_concurrency=64,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=16 * 1024,
    )
    return uvicorn.Server(config)


def run(app: ASGIApp, listening: socket.socket) -> None:
    """Answer until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        server(app).run(sockets=[listening])

"""What every answer must keep to, whatever route it comes from."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatewise.serve.listening import LOOPBACK

HOSTS = (LOOPBACK, "localhost")
"""Names that a browser may call us by: others, of a page that had its name point here, are refused
(DNS rebinding)."""

HEADERS = {
    # Scripts, styles, pictures and questions from here alone; no frames, no forms sent elsewhere.
    "content-security-policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


def fenced(app: ASGIApp) -> ASGIApp:
    """An app that answers to our own host names only, every answer with the headers above.

    It allows no other origin (CORS), so that pages from elsewhere can read nothing here.
    """
    inner = TrustedHostMiddleware(app, allowed_hosts=HOSTS, www_redirect=False)

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await inner(scope, receive, with_headers)

    return outer

"""Routes that answer a JSON question with JSON, safe by construction.

A question must say that it is JSON, which pages of other origins cannot send here; it is read up to
a size, and must be of one closed kind. Whatever is wrong is told in one sentence, which repeats at
most 80 characters of what was sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gatewise.data.problems import shown
from gatewise.errors import GatewiseError

Q = TypeVar("Q", bound=msgspec.Struct)

MOST_BYTES = 64 * 1024
"""Of the body of a question."""
MOST_TOLD = 400
"""Characters of an error sentence, whose quotations have been cut to 80 already."""


def question(path: str, kind: type[Q], answer: Callable[[Q], Any]) -> Route:
    """A route for POST requests.

    Args:
        path: of the route.
        kind: what a question is made of; it forbids unknown fields.
        answer: from a question to anything that `msgspec` writes as JSON; it runs in a thread, and
            a GatewiseError becomes an answer of status 400.
    """

    async def reply(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return refusal(415, "A question must have the content type application/json.")
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                return refusal(413, f"A question may have at most {MOST_BYTES:,} bytes.")
        try:
            asked = msgspec.json.decode(body, type=kind)
            return told(await run_in_threadpool(answer, asked))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            why = shown(str(problem))
            return refusal(400, f"The question is not of the kind that is asked here: {why}.")
        except GatewiseError as problem:
            return refusal(400, str(problem))

    return Route(path, reply, methods=["POST"])


def told(answer: Any) -> Response:
    """An answer as JSON."""
    return Response(msgspec.json.encode(answer), media_type="application/json")


def refusal(status: int, sentence: str) -> Response:
    """An answer of one sentence, which says what was wrong."""
    body = msgspec.json.encode({"error": shown(sentence, MOST_TOLD)})
    # The rest of a body that was not read to its end is not worth reading.
    return Response(body, status, {"connection": "close"}, media_type="application/json")


async def refuse(request: Request, problem: Exception) -> Response:
    """What an app answers where there is no route, or where we have a bug: no traceback."""
    if isinstance(problem, HTTPException):
        return refusal(problem.status_code, f"{problem.detail}.")
    return refusal(500, "Something failed here that should not have: a bug of Gatewise.")

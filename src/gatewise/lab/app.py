"""The addresses of the lab. None of them takes a path, loads a model or writes anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from gatewise.errors import DataError
from gatewise.lab.models import AT_ONCE, Shown
from gatewise.lab.rows import Rows
from gatewise.serve.questions import question, refuse, told
from gatewise.serve.safety import fenced

MOST_CHARACTERS = 2000
"""Of a sentence, which is explained anew at every letter that is typed."""

Number = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class OfModel(msgspec.Struct, forbid_unknown_fields=True):
    """A question about one of the models, by its number."""

    model: Number


class OfText(OfModel):
    """What a model does with a text; `layer` counts layers and their directions."""

    text: Annotated[str, msgspec.Meta(max_length=MOST_CHARACTERS)]
    layer: Number


class OfLayer(OfModel):
    """Which units of a layer are worth a look."""

    layer: Number


class OfUnit(OfLayer):
    """What a unit does over the file, shown from the text number `start` on."""

    unit: Number
    start: Number


def lab_app(models: Sequence[Shown], rows: Rows | None) -> ASGIApp:
    """The lab of one or two models and the texts of a file."""
    return fenced(
        Starlette(
            routes=routes(models, rows),
            exception_handlers={HTTPException: refuse, Exception: refuse},
        )
    )


def routes(models: Sequence[Shown], rows: Rows | None) -> list[Route | Mount]:
    """All addresses there are."""

    def of(asked: OfModel) -> Shown:
        if asked.model >= len(models):
            raise DataError(f"The lab shows {len(models)} models. Got number {asked.model}.")
        return models[asked.model]

    facts = {
        "models": [model.facts() for model in models],
        "file": rows
        and {
            "name": rows.name,
            "texts": len(rows.texts),
            "labelled": rows.labels is not None,
            "at_once": AT_ONCE,
        },
        "most_characters": MOST_CHARACTERS,
    }

    async def lab(_: Request) -> Response:
        return told(facts)

    def reading(asked: OfText) -> Any:
        return of(asked).reading(asked.text, asked.layer)

    def units(asked: OfLayer) -> Any:
        return of(asked).units(asked.layer)

    def unit(asked: OfUnit) -> Any:
        return of(asked).unit(asked.layer, asked.unit, asked.start)

    def test(asked: OfModel) -> Any:
        return of(asked).diagnosis

    return [
        Route("/api/lab", lab, methods=["GET"]),
        question("/api/reading", OfText, reading),
        question("/api/units", OfLayer, units),
        question("/api/unit", OfUnit, unit),
        question("/api/test", OfModel, test),
        Mount("/", StaticFiles(directory=Path(__file__).parent / "page", html=True)),
    ]

"""Pictures as PNG; matplotlib is imported when the first one is drawn."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from gatewise.errors import need

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def need_drawing() -> None:
    """Raise a MissingExtraError where nothing could be drawn; ask before long work."""
    need("Drawing", "train", "matplotlib")


def figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    need_drawing()
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import, optional

    return Figure(figsize=(width, height), layout="constrained")


def png(figure: Figure) -> bytes:
    """A figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()

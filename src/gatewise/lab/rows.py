"""The texts of the file that the lab looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rows:
    """Texts of a file.

    Attributes:
        name: of the file, without its folder.
        texts: in their order.
        labels: the true labels as `evaluate` of a classifier takes them; None without any.
    """

    name: str
    texts: Sequence[str]
    labels: Any = None

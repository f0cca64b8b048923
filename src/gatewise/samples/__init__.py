"""Sample data, written for this project: short reviews where the order of words often decides."""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib.resources import as_file, files
from pathlib import Path


def reviews() -> AbstractContextManager[Path]:
    """The path of the sample reviews, a CSV file with the columns text and label."""
    return as_file(files("gatewise.samples").joinpath("reviews.csv"))

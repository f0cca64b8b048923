"""`gatewise sample`: the sample data as a file to try things on."""

from __future__ import annotations

from pathlib import Path

from gatewise.cli.terminal import say
from gatewise.errors import DataError
from gatewise.samples import reviews


def sample(path: str, /) -> None:
    """Write the sample data: short reviews with their sentiment.

    Args:
        path: The CSV file to write; an existing file stays as it is.
    """
    if Path(path).suffix.lower() != ".csv":
        raise DataError(
            f"The sample data is a CSV file, so its name must end in .csv. Got '{path}'."
        )
    with reviews() as source:
        text = source.read_text("utf-8")
    try:
        with Path(path).open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise DataError(f"{path} exists already. Choose another name.") from None
    except OSError as problem:
        raise DataError(f"{path} cannot be written: {problem.strerror}.") from None
    say(f"{path}: {text.count(chr(10)) - 1} reviews with the columns text and label.")

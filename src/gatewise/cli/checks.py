"""What is checked before training, which may take an hour: a mistake is told at once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from gatewise.data.tables import Table
from gatewise.errors import DataError, OptionError
from gatewise.pictures import need_drawing
from gatewise.store import check_replaceable


def check_out(out: str) -> None:
    """Raise an error where no model folder could be made; nothing is created.

    Raises:
        DataError: it cannot be written.
        ModelFileError: it holds something else than a model.
    """
    check_replaceable(Path(out))
    folder = Path(os.path.realpath(out)).parent
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise DataError(f"{out} cannot be written: {folder} is a file. Give another --out.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DataError(f"{out} cannot be written: you may not write in {folder}.")


def check_png(png: str | None) -> None:
    """Raise an error where no picture could be written; nothing is created.

    Raises:
        OptionError: it has another suffix.
        DataError: there is no such folder.
        MissingExtraError: matplotlib is not installed.
    """
    if png is None:
        return
    if not png.lower().endswith(".png"):
        raise OptionError(f"--png must be the name of a .png file. Got '{png}'.")
    if not Path(png).parent.is_dir():
        raise DataError(f"{png} cannot be written: there is no folder {Path(png).parent}.")
    need_drawing()


def check_other(out: str, source: str) -> None:
    """Raise a DataError where the answers to a file would take its place."""
    if source != "-" and Path(out).exists() and Path(out).samefile(source):
        raise DataError(f"{out} is the file to answer. Give --out another name.")


def check_rejects(tables: Iterable[Table]) -> None:
    """Raise a DataError where the skipped rows of two tables would go to one file."""
    owners: dict[Path, Table] = {}
    for table in tables:
        if table.rejects is None:
            continue
        other = owners.setdefault(table.rejects.resolve(), table)
        if other is not table:
            raise DataError(
                f"The skipped rows of {other.name} and {table.name} would both go to "
                f"{table.rejects.name}. Leave --rejects out, and give the tables different names."
            )

"""Flags: from an option dataclass to the command line."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_type_hints

from cyclopts import Group, Parameter, Token, convert

from gatewise import kernels, options
from gatewise.cli.kinds import refuse_other_commands
from gatewise.data.tables import Table, open_table
from gatewise.errors import OptionError
from gatewise.options import AnswerPrecision, option
from gatewise.tasks import load


def flags(owner: type[Any], title: str, without: Sequence[str] = ()) -> Any:
    """A subclass of an option dataclass whose help and group the command line shows.

    Args:
        owner: the dataclass.
        title: of the group.
        without: options that are no flags of the group.
    """
    kinds = get_type_hints(owner)
    group = Group(title, sort_key=100)
    fields = [
        (
            field.name,
            Annotated[
                kind,
                Parameter(
                    help=field.metadata["help"],
                    group=group,
                    converter=whole if int in (get_args(kind) or (kind,)) else None,
                    negative_iterable=(),
                    parse=field.name not in without,
                ),
            ],
            dataclasses.field(default=field.default, metadata=field.metadata),
        )
        for field in dataclasses.fields(owner)
        for kind in [kinds[field.name]]
    ]
    frozen = owner.__dataclass_params__.frozen
    # Without a module of its own the class would count as one of Python's built-in types.
    module = {"__module__": owner.__module__}
    return dataclasses.make_dataclass(
        owner.__name__, fields, bases=(owner,), frozen=frozen, namespace=module
    )


def whole(kind: Any, tokens: Sequence[Token]) -> Any:
    """The value of an option of whole numbers; cyclopts by itself would round a fraction."""
    if "." in tokens[0].value:
        raise ValueError(f"{tokens[0].value!r} is not a whole number.")
    return convert(kind, tokens)


def whole_numbers(flag: str, given: str) -> list[int]:
    """The value of an option of several whole numbers, joined by commas.

    Raises:
        OptionError: it is anything else.
    """
    try:
        return [int(number) for number in given.split(",")]
    except ValueError:
        raise OptionError(
            f"{flag} must be whole numbers joined by commas, like 1,2,4. Got '{given}'."
        ) from None


@dataclasses.dataclass(frozen=True)
class Reading:
    """How a table is read."""

    delimiter: str | None = option(
        None, "One character between fields. By default ',' for .csv and tab for .tsv."
    )
    encoding: str = option("utf-8", "Encoding of CSV and TSV.")
    header: bool = option(True, "The first row names the columns.")
    query: str | None = option(None, "SELECT over a DuckDB or SQLite file.")
    on_bad_rows: Literal["error", "skip"] = option(
        "error", "Stop at rows that do not fit, or leave out up to 1 % and write them to a file."
    )
    rejects: str | None = option(None, "Where skipped rows go. By default NAME.rejects.csv.")
    max_chars: int = option(1_000_000, "Characters that a field may have.", minimum=1)

    def __post_init__(self) -> None:
        options.check(self)

    def open(self, source: str) -> Table:
        """Open a table in this way."""
        return open_table(source, **options.values(self))


@dataclasses.dataclass(frozen=True)
class Answering:
    """How a fitted model answers."""

    threads: int | None = option(None, "Threads; by default all cores there are.", minimum=1)
    precision: AnswerPrecision = option(
        "fp32",
        "Numbers that the recurrent layers multiply: fp32, the faster and rougher bf16 and int8 "
        "where the processor has them, or auto for the faster of fp32 and bf16 here.",
    )

    def __post_init__(self) -> None:
        options.check(self)

    def load(self, folder: str, command: str | None = None) -> Any:
        """The model of a folder, to answer in this way.

        Args:
            folder: the model folder.
            command: that the model must have; None for what models of every task have.

        Raises:
            OptionError: it does not have it, or the processor does not have the precision.
        """
        model = load(folder)
        if command is not None:
            refuse_other_commands(model, folder, command)
        model.threads, model.precision = self.threads, kernels.chosen_precision(self.precision)
        return model


if TYPE_CHECKING:
    AnsweringFlags = Answering
    ReadingFlags = Reading
else:
    AnsweringFlags = flags(Answering, "Answering")
    ReadingFlags = flags(Reading, "Reading tables")

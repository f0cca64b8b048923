"""`gatewise train language`: from a text file or a table to a model folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from gatewise import options
from gatewise.cli.checks import check_out, check_rejects
from gatewise.cli.finish import finish
from gatewise.cli.flags import Reading, ReadingFlags, flags
from gatewise.cli.kinds import begun
from gatewise.cli.terminal import tell
from gatewise.cli.texts import is_lines, open_texts
from gatewise.data.lines import Column
from gatewise.errors import OptionError
from gatewise.tasks.language.options import LanguageTraining
from gatewise.tasks.language.task import LanguageModel

if TYPE_CHECKING:
    ModelFlags = LanguageModel
    TrainingFlags = LanguageTraining
else:
    ModelFlags = flags(LanguageModel, "Model")
    TrainingFlags = flags(LanguageTraining, "Training")


def language(
    source: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    out: str,
    text: str | None = None,
    dev: str | None = None,
    test: str | None = None,
    start: str | None = None,
    reading: Annotated[ReadingFlags | None, Parameter(name="*")] = None,
    model: Annotated[ModelFlags | None, Parameter(name="*")] = None,
    training: Annotated[TrainingFlags | None, Parameter(name="*")] = None,
) -> None:
    """Train a language model: which word comes next.

    Args:
        source: A .txt file (also .gz and .zst) or - for standard input, whose lines are the texts,
            or a table: .csv .tsv .jsonl (also .gz and .zst), .parquet, databases.
        out: Folder for the model; a model that is there is replaced.
        text: Column of the texts of a table. Guessed when left out.
        dev: Text file or table to choose the best epoch on. By default the last part of the texts
            is held out.
        test: Text file or table to test the finished model on; it is used for nothing else.
        start: Folder of a language model to go on with: its vocabulary grows with the new texts.
    """
    reading, training = reading or Reading(), training or LanguageTraining()
    model, learn = begun(model, start, LanguageModel)
    check_out(out)
    texts = open_texts(source, text, reading)
    column = texts.name if isinstance(texts, Column) else None
    held = {
        name: open_texts(path, None if is_lines(path) else column, reading)
        for name, path in (("dev", dev), ("test", test))
        if path is not None
    }
    for name, path in (("dev", dev), ("test", test)):
        if path is not None and Path(path).resolve() == Path(source).resolve():
            raise OptionError(
                f"--{name} must be another file than the one that is learned from. Got {path} for "
                f"both: leave --{name} out{', and the last part is held out' * (name == 'dev')}."
            )
    tables = [part.table for part in (texts, *held.values()) if isinstance(part, Column)]
    check_rejects(tables)
    # Read once before training, which may take an hour: a mistake is told at once.
    for _ in held.get("test", ()):
        pass
    learn(texts, dev=held.get("dev"), **options.values(training))
    for note in [note for table in tables for note in table.notes]:
        tell("note", note)
    tested = held.get("test")
    test_rows = None if tested is None else (tested,)
    finish(
        model,
        out,
        test_rows,
        f"On the test texts of {test}: ",
        f'gatewise generate {out} "Once upon a time"',
    )

"""`gatewise train seq2seq`: from pairs of texts to a model folder."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from gatewise import options
from gatewise.cli.checks import check_out
from gatewise.cli.finish import finish
from gatewise.cli.flags import Reading, ReadingFlags, flags
from gatewise.cli.pairs import read_pairs
from gatewise.cli.terminal import tell
from gatewise.tasks.seq2seq.options import Seq2SeqTraining
from gatewise.tasks.seq2seq.task import Seq2Seq

if TYPE_CHECKING:
    ModelFlags = Seq2Seq
    TrainingFlags = Seq2SeqTraining
else:
    ModelFlags = flags(Seq2Seq, "Model")
    TrainingFlags = flags(Seq2SeqTraining, "Training")


def seq2seq(
    source: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    out: str,
    target_file: str | None = None,
    text: str | None = None,
    target: str | None = None,
    dev: str | None = None,
    test: str | None = None,
    reading: Annotated[ReadingFlags | None, Parameter(name="*")] = None,
    model: Annotated[ModelFlags | None, Parameter(name="*")] = None,
    training: Annotated[TrainingFlags | None, Parameter(name="*")] = None,
) -> None:
    """Train a model that answers a text with a text: translations, replies, other spellings.

    Args:
        source: A .tsv file with a text, a tab and its target on every line and no header (also .gz
            and .zst), a file of lines with --target-file, or a table: .csv .jsonl .parquet.
        out: Folder for the model; a model that is there is replaced.
        target_file: File whose lines are the targets of the lines of the source.
        text: Column of the texts of a table. With two columns the first when left out.
        target: Column of their targets. With two columns the second when left out.
        dev: Pairs to choose the best epoch on: a .tsv file or a table. By default some pairs are
            held out.
        test: Pairs to test the finished model on; they are used for nothing else.
    """
    reading, training = reading or Reading(), training or Seq2SeqTraining()
    model = model or Seq2Seq()
    check_out(out)
    rows = read_pairs(source, target_file=target_file, text=text, target=target, reading=reading)
    held = {
        name: read_pairs(path, text=text, target=target, reading=reading, known=rows.columns)
        for name, path in (("dev", dev), ("test", test))
        if path is not None
    }
    for note in [note for each in (rows, *held.values()) for note in each.notes]:
        tell("note", note)
    dev_rows = (held["dev"].sources, held["dev"].targets) if "dev" in held else None
    model.fit(rows.sources, rows.targets, dev=dev_rows, **options.values(training))
    assert model.report_ is not None
    if rows.columns is not None:
        model.report_ = replace(model.report_, columns=astuple(rows.columns))
    tested = held.get("test")
    test_rows = None if tested is None else (tested.sources, tested.targets)
    finish(
        model,
        out,
        test_rows,
        f"On the test pairs of {test}, with a beam of 5: ",
        f'echo "Some text." | gatewise predict {out} -',
    )

"""`gatewise train tag`: from a file of tagged sentences to a model folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from gatewise import options
from gatewise.cli.checks import check_out
from gatewise.cli.finish import finish
from gatewise.cli.flags import flags
from gatewise.cli.tagged import TagFileFlags, TagFiles
from gatewise.cli.terminal import tell
from gatewise.data.checks import check_test
from gatewise.tasks.tag.options import TaggerTraining
from gatewise.tasks.tag.task import SequenceTagger

if TYPE_CHECKING:
    ModelFlags = SequenceTagger
    TrainingFlags = TaggerTraining
else:
    ModelFlags = flags(SequenceTagger, "Model")
    TrainingFlags = flags(TaggerTraining, "Training")


def tag(
    source: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    out: str,
    dev: str | None = None,
    test: str | None = None,
    encoding: str = "utf-8",
    files: Annotated[TagFileFlags | None, Parameter(name="*")] = None,
    model: Annotated[ModelFlags | None, Parameter(name="*")] = None,
    training: Annotated[TrainingFlags | None, Parameter(name="*")] = None,
) -> None:
    """Train a tagger: parts of speech, named entities, chunks.

    Args:
        source: The file to learn from: CoNLL, a token and its tag on every line, or CoNLL-U
            (also .gz and .zst), or - for standard input.
        out: Folder for the model; a model that is there is replaced.
        dev: File to choose the best epoch on. By default a tenth of the sentences is held out.
        test: File to test the finished model on; it is used for nothing else.
        encoding: Encoding of the files.
    """
    files, model = files or TagFiles(), model or SequenceTagger()
    training = training or TaggerTraining()
    check_out(out)
    # All files are read before training, which may take an hour: a mistake is told at once.
    found = files.read(source, encoding)
    scheme = None if model.scheme == "none" else found.scheme()
    what = f"spans as {scheme}" if scheme else "no spans"
    where = files.tag_column or "last column"
    tell("columns", f"tags in '{where}', {what}")
    rows = found.sound(scheme, files.repair_bio)
    held = {
        name: files.read(path, encoding).sound(scheme, files.repair_bio)
        for name, path in (("dev", dev), ("test", test))
        if path is not None
    }
    texts = [" ".join(tokens) for tokens in rows.tokens]
    for name, others in held.items():
        for warning in check_test(texts, [" ".join(one) for one in others.tokens], name=name):
            tell("warning", warning)
    given = held.get("dev")
    model.fit(
        rows.tokens,
        rows.tags,
        dev=(given.tokens, given.tags) if given else None,
        **options.values(training),
    )
    assert model.report_ is not None
    model.report_ = replace(model.report_, tag_column=files.tag_column)
    tested = held.get("test")
    test_rows = None if tested is None else (tested.tokens, tested.tags)
    finish(
        model,
        out,
        test_rows,
        f"On the test sentences of {test}:\n\n",
        f'echo "A plain sentence." | gatewise predict {out} -',
    )

"""Explanations: what a model did with a text, word by word, and what its answer hangs on.

Arrays first (`traces.py` and a module for every task), then three ways to look at them
(`terminal.py`, `picture.py`, `html.py`), which know no task. No PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from gatewise.errors import DataError, OptionError
from gatewise.explanation.classifier import explain_classifier, read_classifier
from gatewise.explanation.explanation import Explanation, Measure, Passage, Table
from gatewise.explanation.language import explain_language, read_language
from gatewise.explanation.seq2seq import explain_seq2seq, read_seq2seq
from gatewise.explanation.tagger import explain_tagger, read_tagger
from gatewise.explanation.traces import Reading, Trace, Word
from gatewise.tasks import task_of

__all__ = [
    "Explanation",
    "Measure",
    "Passage",
    "Reading",
    "Table",
    "Trace",
    "Word",
    "explain",
    "read",
]

_EXPLAINERS: dict[str, Any] = {
    "classify": explain_classifier,
    "language": explain_language,
    "seq2seq": explain_seq2seq,
    "tag": explain_tagger,
}
_READERS: dict[str, Any] = {
    "classify": read_classifier,
    "language": read_language,
    "seq2seq": read_seq2seq,
    "tag": read_tagger,
}
_READ_AT_ONCE = 64
"""Texts whose gates are held at once."""


def explain(model: Any, text: str, *, label: Any = None) -> Explanation:
    """What a fitted model did with a text: gates and states of every word, and what words count.

    The gates and states are those of the answer itself, from the kernel, in the model's precision.

    Example:
        >>> found = gatewise.explain(model, "I wanted to love this film and could not")
        >>> found.layers[0].gates["forget"]  # (words, units)
        >>> found.measure("contribution")  # (words,)

    Args:
        model: a fitted model of any task.
        text: at most 2,000 tokens; of text to text 300, the end among them.
        label: of a classifier, the label to explain; by default the likeliest.

    Raises:
        NotFittedError: the model has learned nothing yet.
        DataError: the text is not a str, or too long.
        OptionError: the model has no such label, or its precision is none of this processor.
    """
    if not isinstance(text, str):
        raise DataError(f"explain() takes one text. Got {text!r}.")
    task = task_of(model)
    if label is None:
        found: Explanation = _EXPLAINERS[task](model, text)
    elif task != "classify":
        raise OptionError(f"Only a classifier explains a label. Got {label!r} for another model.")
    else:
        found = explain_classifier(model, text, label)
    return found


def read(model: Any, texts: Iterable[str]) -> Iterator[Reading]:
    """The words of many texts, with the gates and states of every layer, one text after the other.

    What `explain` says of one text without what its words contribute, in bounded memory; of text
    to text, what the encoder did.

    Args:
        model: a fitted model of any task.
        texts: each of as many tokens as `explain` takes; they need not fit into memory.

    Raises:
        NotFittedError: the model has learned nothing yet.
        DataError: a text is not a str, or too long; or it is one str.
        OptionError: the model's precision is none of this processor.
    """
    if isinstance(texts, str):
        raise DataError("read() takes a list of texts. Got one text: put it in brackets, [text].")
    reader, rest = _READERS[task_of(model)], iter(texts)
    while block := list(islice(rest, _READ_AT_ONCE)):
        yield from reader(model, block)

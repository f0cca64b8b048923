"""Training rows and options made ready for a network: all that it learns from, as numbers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatewise import options
from gatewise.data.checks import check_rows, check_texts
from gatewise.errors import OptionError
from gatewise.ragged import Ragged
from gatewise.tasks.classify.defaults import WITHOUT_SUBWORDS, Defaults
from gatewise.tasks.classify.labels import Labels
from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.tasks.classify.rows import Given, Rows, read_rows, split_rows
from gatewise.tasks.settings import filled, on_this_machine
from gatewise.tasks.texts import check_lengths, list_of_texts
from gatewise.text.tokenizer import Tokenizer
from gatewise.text.vectors import read_vectors

if TYPE_CHECKING:
    from gatewise.tasks.classify.task import TextClassifier
    from gatewise.tasks.classify.transfer import Beginning

Vectors = tuple[NDArray[np.float32], NDArray[np.bool_]]
"""Pretrained vectors of the vocabulary, (V, E), and which of them there are, (V,)."""
FEW_VECTORS = 0.2
"""Share of the vocabulary with vectors under which something is likely wrong."""


@dataclass(frozen=True)
class Prepared:
    """Rows as numbers, and options that all have a value.

    `ids` are the tokens of `rows`, `dev_ids` those of `dev_rows`; ids behind the vocabulary are the
    `unknown` words in their order. `longer` is how many training texts were shortened.
    """

    chosen: TextClassifier
    training: ClassifierTraining
    labels: Labels
    tokenizer: Tokenizer
    unknown: list[str]
    rows: Rows
    ids: Ragged
    dev_rows: Rows
    dev_ids: Ragged
    vectors: Vectors | None
    longer: int
    warnings: tuple[str, ...]

    def fingerprint(self) -> str:
        """SHA-256 of the training texts and targets: equal data has an equal fingerprint."""
        digest = hashlib.sha256()
        for text in self.rows.texts:
            digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
        digest.update(np.ascontiguousarray(self.rows.targets).tobytes())
        return digest.hexdigest()[:16]


def prepare(
    classifier: TextClassifier,
    given: Given,
    training: ClassifierTraining,
    beginning: Beginning,
) -> Prepared:
    """Read rows, hold out dev rows, learn the tokenizer and fill in what follows from the rows.

    Args:
        classifier: the options.
        given: to learn from.
        training: how.
        beginning: what it starts with.

    Raises:
        DataError: the texts and labels cannot be learned from.
        OptionError: an option does not fit the rows or the vectors.
    """
    training = on_this_machine(training)
    texts = list_of_texts(given.texts)
    check_lengths(texts, given.labels, "labels")
    labels = beginning.labels(given.labels, given.label_names)
    rows = read_rows(texts, given.labels, labels, given.sample_weight, given.class_weight)
    warnings = _warnings(rows, labels, training)
    if given.dev is None:
        rows, dev_rows = split_rows(rows, labels, training)
    else:
        dev_rows = read_rows(*given.dev, labels)

    wanted = beginning.options(classifier)
    tokenizer = beginning.tokenizer(wanted, rows.texts)
    # One call for both, so that an unknown word has the same id in both.
    encoded, unknown = tokenizer.encode_open([*rows.texts, *dev_rows.texts])
    longer = int((encoded.lengths[: len(rows)] > wanted.max_length).sum())
    if longer:
        warnings.append(
            f"{longer} texts are longer than {wanted.max_length} tokens: only the first and "
            "last of them are read. Raise max_length to read more."
        )
    encoded, _ = encoded.shortened(wanted.max_length)
    ids = encoded.take(np.arange(len(rows)))
    dev_ids = encoded.take(np.arange(len(rows), len(encoded)))
    vectors = None
    if wanted.vectors is not None:
        vectors = read_vectors(wanted.vectors, tokenizer.vocabulary)
        share = vectors[1].mean()
        if share < FEW_VECTORS:
            warnings.append(
                f"{wanted.vectors} has vectors for {share:.1%} of the vocabulary only. Is it "
                "of this language, and of words?"
            )
    defaults = Defaults.derive(len(rows), len(ids.values), len(labels.names))
    chosen = _resolved(wanted, defaults, vectors)
    return Prepared(
        chosen=chosen,
        training=filled(training, defaults),
        labels=labels,
        tokenizer=tokenizer,
        unknown=unknown,
        rows=rows,
        ids=ids,
        dev_rows=dev_rows,
        dev_ids=dev_ids,
        vectors=vectors,
        longer=longer,
        warnings=tuple(warnings),
    )


def _warnings(rows: Rows, labels: Labels, training: ClassifierTraining) -> list[str]:
    """What a user should know of the rows before they are learned from."""
    if rows.targets.ndim == 2:
        return check_texts(rows.texts)
    named = [str(labels.names[target]) for target in rows.targets]
    return check_rows(rows.texts, named, max_classes=training.max_classes)


def _resolved(
    classifier: TextClassifier, defaults: Defaults, vectors: Vectors | None
) -> TextClassifier:
    """A classifier whose options all have a value."""
    given = {name: getattr(classifier, name) for name in options.names(classifier)}
    derived = {name: value for name, value in vars(defaults).items() if name in given}
    if classifier.level != "word":
        derived["subwords"] = 0
    if derived["subwords"] == 0 or classifier.subwords == 0:
        derived["embedding_dropout"] = WITHOUT_SUBWORDS
    if vectors is not None:
        derived["embedding_size"] = vectors[0].shape[1]
    filled = {n: derived[n] for n, value in given.items() if value is None and n in derived}
    if classifier.level != "word" and classifier.subwords:
        raise OptionError("'subwords' are pieces of words. With another 'level' it must be 0.")
    chosen = replace(classifier, **filled)
    if vectors is not None and chosen.embedding_size != vectors[0].shape[1]:
        raise OptionError(
            f"The vectors of {classifier.vectors} have {vectors[0].shape[1]} numbers, but "
            f"embedding_size is {chosen.embedding_size}. Leave it out."
        )
    return chosen

"""Conversations: a reply to an utterance and to the turns before it.

What a model reads of a conversation is text: its last turns, a bar between them, and the utterance.
A model reads them as it learned to, so it must be trained on pairs that `turn_pairs` makes, with as
many turns. The state of a conversation is its turns and nothing else: one can read it and keep it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from gatewise import options
from gatewise.errors import DataError, OptionError
from gatewise.tasks.seq2seq.search import Search

if TYPE_CHECKING:
    from gatewise.tasks.seq2seq.task import Seq2Seq

BETWEEN = " | "
"""What stands between turns."""


class Conversation:
    """One conversation with a model; any number of them can share it.

    Args:
        model: answers.
        context: turns before an utterance that it reads with it, as in training.
        **search: fields of `gatewise.tasks.seq2seq.search.Search`.

    Attributes:
        turns: all utterances and replies so far, in their order.

    Raises:
        OptionError: context is no whole number of at least 0, an option of the search is not
            allowed, or it asks for more than one answer.
    """

    def __init__(self, model: Seq2Seq, context: int, **search: Any) -> None:
        _check(context)
        if options.build(Search, search).n_best is not None:
            raise OptionError("A reply is one text: leave 'n_best' out. Seq2Seq.answer takes it.")
        self.turns: list[str] = []
        self._model = model
        self._context = context
        self._search = search

    def reply(self, utterance: str) -> str:
        """The answer to an utterance after all that was said before.

        Raises:
            DataError: it is not a str.
        """
        if not isinstance(utterance, str):
            raise DataError(f"reply() takes one text. Got {utterance!r}.")
        source = _joined([*self.turns, utterance], self._context)
        (answer,) = self._model.predict([source], **self._search)
        self.turns += [utterance, answer]
        return self.turns[-1]


def turn_pairs(conversations: Iterable[Sequence[str]], context: int) -> tuple[list[str], list[str]]:
    """Pairs to learn from: of every second turn and those before it, and the reply to it.

    Args:
        conversations: each its turns, an utterance and a reply by turns.
        context: turns before an utterance that are read with it.

    Returns:
        Sources and targets, as `Seq2Seq.fit` takes them.

    Raises:
        OptionError: context is no whole number of at least 0.
        DataError: a conversation has an utterance without a reply.
    """
    _check(context)
    sources, targets = [], []
    for number, turns in enumerate(conversations, start=1):
        if len(turns) % 2:
            raise DataError(
                f"A conversation must have a reply to every utterance. Number {number} has "
                f"{len(turns)} turns."
            )
        for place in range(0, len(turns), 2):
            sources.append(_joined(turns[: place + 1], context))
            targets.append(turns[place + 1])
    return sources, targets


def _joined(turns: Sequence[str], context: int) -> str:
    return BETWEEN.join(turns[-1 - context :])


def _check(context: int) -> None:
    if not isinstance(context, int) or isinstance(context, bool) or context < 0:
        raise OptionError(f"context must be a whole number of at least 0. Got {context!r}.")

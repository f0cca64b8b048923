"""What a language model is asked, without PyTorch: `generate`, `next`, `score`, `perplexity`."""

from __future__ import annotations

import sys
from itertools import chain as joined
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from gatewise import options
from gatewise.cli.flags import Answering, AnsweringFlags, Reading, ReadingFlags, flags, whole
from gatewise.cli.terminal import say, say_json, tell, write
from gatewise.cli.texts import blocks_of, lines_of, open_texts
from gatewise.data.problems import shown, without_controls
from gatewise.tasks.language.generation import Generation
from gatewise.tasks.language.task import Documents

if TYPE_CHECKING:
    GenerationFlags = Generation
else:
    GenerationFlags = flags(Generation, "Writing")


def generate(
    model: str,
    prompt: Annotated[str, Parameter(allow_leading_hyphen=True)] = "",
    /,
    *,
    generation: Annotated[GenerationFlags | None, Parameter(name="*")] = None,
    answering: Annotated[AnsweringFlags | None, Parameter(name="*")] = None,
) -> None:
    """Write on a text: it appears on standard output as it is written.

    Args:
        model: The model folder.
        prompt: What the text starts with, or - for all of standard input. By default nothing.
    """
    if prompt == "-":
        prompt = "\n".join(joined.from_iterable(lines_of("-")))
    choices = options.values(generation or Generation())
    stream = (answering or Answering()).load(model, "generate").stream()
    stream.feed(prompt)
    pieces = stream.generate(**choices)
    write(prompt)
    for piece in pieces:
        write(piece)
    write("\n")


def likeliest(
    model: str,
    text: str,
    /,
    *,
    k: Annotated[int, Parameter(name=("-k", "--k"), converter=whole)] = 5,
    json: bool = False,
    answering: Annotated[AnsweringFlags | None, Parameter(name="*")] = None,
) -> None:
    """Say which tokens likely come next: a token, a tab and its probability on every line.

    Args:
        model: The model folder.
        text: The text so far; "" for the start of a text.
        k: How many tokens.
        json: Print the tokens and their probabilities as JSON.
    """
    found = (answering or Answering()).load(model, "next").next(text, k)
    if json:
        tokens = [{"token": token, "probability": round(p, 6)} for token, p in found]
        say_json({"text": text, "next": tokens})
        return
    for token, probability in found:
        print(f"{_visible(token)}\t{probability:.4f}")


def score(
    model: str,
    source: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    text: str | None = None,
    json: bool = False,
    answering: Annotated[AnsweringFlags | None, Parameter(name="*")] = None,
    reading: Annotated[ReadingFlags | None, Parameter(name="*")] = None,
) -> None:
    """Say how likely texts are, each by itself.

    A line of the output is the natural logarithm of the probability, a tab, the perplexity per
    token, a tab, and the text.

    Args:
        model: The model folder.
        source: A .txt file (also .gz and .zst) or - for standard input, whose lines are the texts,
            or a table.
        text: Column of the texts of a table. Guessed when left out.
        json: Print a JSON object a line, with the log-probability of every token.
    """
    lm = (answering or Answering()).load(model, "score")
    easier = 0
    for texts in blocks_of(source, text, reading or Reading()):
        for found in lm.score(texts):
            easier += found.unknown > 0
            if json:
                say_json(found.as_json())
            else:
                figures = f"{found.log_probability:.4f}\t{found.perplexity:.4f}"
                print(f"{figures}\t{without_controls(found.text)}", flush=sys.stdout.isatty())
    if easier:
        tell(
            "warning",
            f"{easier} of the texts hold tokens that the model does not know and reads as <unk>, "
            "which is easy to foretell: these texts seem likelier than they are. --json tells "
            "which.",
        )


def perplexity(
    model: str,
    source: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    text: str | None = None,
    cache: Annotated[int, Parameter(converter=whole)] = 0,
    documents: Documents | None = None,
    json: bool = False,
    answering: Annotated[AnsweringFlags | None, Parameter(name="*")] = None,
    reading: Annotated[ReadingFlags | None, Parameter(name="*")] = None,
) -> None:
    """Test a language model: how well it foretells texts.

    Args:
        model: The model folder.
        source: A .txt file (also .gz and .zst) or - for standard input, whose lines are the texts,
            or a table.
        text: Column of the texts of a table. Guessed when left out.
        cache: Tokens that the continuous cache remembers; 0 for no cache. 2000 is usual.
        documents: Whether a text goes on where the one before it ended, or texts stand apart. By
            default as in training.
        json: Print the figures as JSON.
    """
    lm = (answering or Answering()).load(model, "perplexity")
    texts = open_texts(source, text, reading or Reading())
    found = lm.evaluate(texts, cache=cache, documents=documents)
    if json:
        say_json(found.as_json())
    else:
        say(found)


def _visible(token: str) -> str:
    """A token with a sign for every space, and controls escaped."""
    return shown(token, len(token)).replace(" ", "␣")

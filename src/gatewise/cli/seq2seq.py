"""What a text-to-text model is asked: to answer texts, and to be tested. Without PyTorch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from gatewise import options
from gatewise.cli.flags import Reading
from gatewise.cli.pairs import PairColumns, read_pairs
from gatewise.cli.tables import guessed_column, write_answers
from gatewise.cli.terminal import say, say_json
from gatewise.cli.texts import LINES_OUT, blocks_of, is_lines
from gatewise.data.problems import without_controls
from gatewise.data.tables import Table
from gatewise.errors import DataError, OptionError
from gatewise.tasks.seq2seq.answering import warn_of_cuts
from gatewise.tasks.seq2seq.search import Search

ADDED = ("prediction", "score")


def predict(
    model: Any,
    source: str,
    *,
    out: str | None = None,
    text: str | None = None,
    n_best: int | None = None,
    json: bool = False,
    reading: Reading | None = None,
    search: Search | None = None,
) -> None:
    """Answer texts: one text a line in, one answer a line out; or a table in and a table out.

    With --n-best a line is the number of the text, from 1, a tab, the score, a tab and an answer.
    Arguments are those of `gatewise.cli.answer.predict`.
    """
    search, reading = replace(search or Search(), n_best=n_best), reading or Reading()
    if out is not None:
        if is_lines(source):
            raise DataError(LINES_OUT)
        if n_best is not None:
            raise OptionError(
                "A table has one answer a row: leave --n-best out, or leave --out out and read the "
                "answers from standard output."
            )
        _write(model, reading.open(source), source, out, text, search)
        return
    column = text
    if not is_lines(source) and text is None:
        column = _column(model, reading.open(source))
    number = 1
    for texts in blocks_of(source, column, reading):
        answers = model.answer(texts, **options.values(search))
        warn_of_cuts(answers, first=number)
        for one, found in zip(texts, answers, strict=True):
            if json:
                told = {"text": one, "answers": [answer.as_json() for answer in found]}
                say_json(told)
            elif search.n_best is None:
                print(without_controls(found[0].text), flush=sys.stdout.isatty())
            else:
                for answer in found:
                    print(f"{number}\t{answer.score:.4f}\t{without_controls(answer.text)}")
            number += 1


def evaluate(
    model: Any,
    data: str,
    *,
    text: str | None = None,
    target: str | None = None,
    target_file: str | None = None,
    json: bool = False,
    reading: Reading | None = None,
    search: Search | None = None,
) -> None:
    """Test a model on pairs. Arguments are those of `gatewise.cli.answer.evaluate`."""
    rows = read_pairs(
        data,
        target_file=target_file,
        text=text,
        target=target,
        reading=reading or Reading(),
        known=_known(model),
    )
    found = model.evaluate(rows.sources, rows.targets, **options.values(search or Search()))
    if json:
        say_json(found.as_json())
    else:
        say(found)


def _known(model: Any) -> PairColumns | None:
    """The columns of the training table."""
    report = model.report_
    return PairColumns(*report.columns) if report and report.columns else None


def _column(model: Any, table: Table) -> str:
    """The column of the texts: the one that the model was trained on, or a guess."""
    known = _known(model)
    if known is not None and known.text in table.columns:
        return known.text
    return guessed_column(table)


def _write(
    model: Any, table: Table, source: str, out: str, text: str | None, search: Search
) -> None:
    """Write a table with the best answers behind its columns."""
    first = 1

    def answered(texts: list[str]) -> Iterator[tuple[str, str]]:
        nonlocal first
        answers = model.answer(texts, **options.values(search))
        warn_of_cuts(answers, first=first)
        first += len(texts)
        return ((found[0].text, f"{found[0].score:.4f}") for found in answers)

    write_answers(table, source, text or _column(model, table), out, ADDED, answered)

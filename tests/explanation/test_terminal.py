"""The terminal shows the numbers of the explanation, coloured where colours are wanted."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import language_cases
from explanation_cases import TEXT, made
from gatewise import explain
from gatewise.explanation import Explanation
from gatewise.explanation.terminal import AGAINST, FOR, rendered, show


def printed(found: Explanation, **options: Any) -> str:
    console = Console(file=io.StringIO(), width=200, highlight=False, **options)
    console.print(rendered(found))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def rows(text: str, heading: str) -> list[list[str]]:
    """The lines of a table under its heading."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if re.match(heading, line))
    block = lines[start + 1 :]
    return [line.split() for line in block[: block.index("")]]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_every_number_of_every_word_is_printed(cell: Any) -> None:
    found = explain(made(cell=cell), TEXT)
    text = printed(found)
    table = rows(text, "word  +contribution")
    assert [row[0] for row in table] == TEXT.split()
    wanted = np.array([measure.values for measure in found.measures]).T
    np.testing.assert_allclose(np.array([row[1:] for row in table], float), wanted, atol=0.0051)
    if cell != "rnn":
        gates = np.array([row[1:] for row in rows(text, "word  +→")], float)
        names = ("input", "forget", "output") if cell == "lstm" else ("reset", "update")
        means = [trace.gates[name].mean(axis=1) for trace in found.layers for name in names]
        np.testing.assert_allclose(gates, np.array(means).T, atol=0.0051)
    assert found.answer in text
    assert found.remarks[-1] in text


def test_the_words_are_coloured_by_what_they_contribute() -> None:
    found = explain(made(), TEXT)
    values = found.measure("contribution")
    group: Any = rendered(found)
    text = group.renderables[2]
    styles = {text.plain[span.start : span.end].strip(): span.style for span in text.spans}
    most, least = values.argmax(), values.argmin()
    words = TEXT.split()
    if values[most] > -values[least]:
        assert styles[words[most]] == FOR[2]
    else:
        assert styles[words[least]] == AGAINST[2]
    for word, value in zip(words, values, strict=True):
        if words.count(word) == 1 and styles.get(word):
            assert styles[word] in (FOR if value > 0 else AGAINST)


def test_no_colours_where_none_are_wanted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = explain(made(), TEXT)
    colours = re.compile(r"\x1b\[[0-9;]*m")
    assert colours.search(printed(found, force_terminal=True, color_system="truecolor"))
    for variable in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(variable, raising=False)
    show(found)
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    show(found)
    assert re.search(r"\x1b\[3\d;48;|\x1b\[48;|\x1b\[3\d;4", capsys.readouterr().out)
    monkeypatch.setenv("NO_COLOR", "1")
    show(found)
    out = capsys.readouterr().out
    assert not re.search(r"\x1b\[(?!0?m|[12]m|2;3m|1;3m)", out), out


def test_hostile_words_are_shown_as_what_they_are() -> None:
    hostile = "film \u202egnol \x1b[31mred [bold]not[/bold] :smile: \ud800"
    for model in (made(level="char"), made(), language_cases.made()):
        text = printed(explain(model, hostile))
        assert not re.search("[\x1b\u202e\u202c\ud800]", text)
    assert "\\u202e" in text
    assert "bold" in text


def test_surprise_comes_with_what_was_expected() -> None:
    found = explain(language_cases.made(), "the cat sat")
    text = printed(found)
    table = rows(text, "word  +surprise")
    assert [row[0] for row in table] == ["<end>", "the", "cat", "sat", "<end>"]
    surprise = [float(row[1]) for row in table[1:]]
    np.testing.assert_allclose(surprise, found.measure("surprise")[1:], atol=0.0051)
    assert all("expected:" in row for row in table[1:])


def test_a_text_without_words_has_an_answer() -> None:
    text = printed(explain(made(), ""))
    assert "positive" in text
    assert "word" not in text.splitlines()[0]

"""Attention, probabilities, gates and states are those of torch's cells, step by step."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from gatewise import DataError, OptionError, explain, kernels
from gatewise.explanation import Trace, read
from gatewise.explanation.html import page
from gatewise.tasks.seq2seq.task import Seq2Seq
from seq2seq_cases import KINDS, SOURCES, made

TEXT = SOURCES[0]
CELLS: dict[str, Any] = {
    "lstm": torch.nn.LSTMCell,
    "gru": torch.nn.GRUCell,
    "rnn": torch.nn.RNNCell,
}


class Reference:
    """The equations of docs/seq2seq.md in float64, with torch's cells, a token at a time."""

    def __init__(self, model: Seq2Seq) -> None:
        self.model = model
        self.weights = {n: torch.from_numpy(w).double() for n, w in model.weights_.items()}
        self.end = len(model.tokenizer_)

    def cell(self, part: str, ending: str) -> Any:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        found = {name: self.weights[f"{part}.recurrent.{name}_{ending}"] for name in names}
        kind = CELLS[self.model.cell]
        cell = kind(found["weight_ih"].shape[1], self.model.hidden_size, dtype=torch.float64)
        cell.load_state_dict(found)
        return cell

    def hidden(self, state: Any) -> Tensor:
        found: Tensor = state[0] if self.model.cell == "lstm" else state
        return found

    def read(self, ids: Sequence[int]) -> tuple[Tensor, list[Any], list[list[Any]]]:
        """The encoder's highest states, the decoder's first ones, and all, forward ones first."""
        values, starts, every = self.weights["embedding.weight"][[*ids]], list[Any](), []
        for layer in range(self.model.num_layers):
            sides, finals = [], list[Any]()
            for direction, ending in enumerate((f"l{layer}", f"l{layer}_reverse")):
                cell, states = self.cell("encoder", ending), dict[int, Any]()
                state: Any = None
                order = range(len(ids)) if direction == 0 else range(len(ids))[::-1]
                for t in order:
                    state = states[t] = cell(values[t], state)
                every.append([states[t] for t in range(len(ids))])
                sides.append(torch.stack([self.hidden(states[t]) for t in range(len(ids))]))
                finals.append(state)
            values = torch.cat(sides, dim=1)
            one, other = finals
            if self.model.cell == "lstm":
                starts.append(tuple((a + b) / 2 for a, b in zip(one, other, strict=True)))
            else:
                starts.append((one + other) / 2)
        return values, starts, every

    def write(
        self, ids: Sequence[int], tokens: Sequence[int]
    ) -> tuple[Tensor, Tensor, list[list[Any]]]:
        """Attention (T, S), log-probabilities (T,) and the decoder's states of every layer."""
        memory, states, _ = self.read(ids)
        w, size = self.weights, self.model.embedding_size
        keys, values = memory @ w["attention.key.weight"].T, memory @ w["attention.value.weight"].T
        cells = [self.cell("decoder", f"l{layer}") for layer in range(self.model.num_layers)]
        output, shares, found = torch.zeros(size, dtype=torch.float64), [], []
        every: list[list[Any]] = [[] for _ in cells]
        for before, token in zip([self.end, *tokens[:-1]], tokens, strict=True):
            x = w["embedding.weight"][before]
            if self.model.input_feeding:
                x = torch.cat([x, output])
            for layer, cell in enumerate(cells):
                states[layer] = cell(x, states[layer])
                every[layer].append(states[layer])
                x = self.hidden(states[layer])
            if self.model.attention == "dot":
                scores = keys @ x
            else:
                query = w["attention.query.weight"] @ x + w["attention.query.bias"]
                scores = torch.tanh(query + keys) @ w["attention.energy"]
            share = scores.softmax(dim=0)
            output = w["projection.weight"] @ x + w["projection.bias"] + share @ values
            output = torch.tanh(output)
            scored = w["embedding.weight"] @ output + w["output.bias"]
            shares.append(share)
            found.append(scored.log_softmax(dim=0)[token])
        return torch.stack(shares), torch.stack(found), every


def ids_of(model: Seq2Seq, text: str) -> list[int]:
    ids: list[int] = model.fitted().encode([text]).values.tolist()
    return ids


def written_ids(model: Seq2Seq, found: Any) -> list[int]:
    """The ids of what was written, found again by what an answer's own tokens are called."""
    assert model.level in ("bpe", "char")
    (answer,) = model.answer([found.text])[0]
    aligned = model.align(found.text)
    names = [*model.tokenizer_.vocabulary, "<end>"]
    tokens = [names.index(token) for token in aligned.target]
    assert model.tokenizer_.decode([t for t in tokens if t != len(names) - 1]) == answer.text
    assert found.answer == answer.text
    return tokens


def same(trace: Trace, states: Sequence[Any], model: Seq2Seq) -> None:
    """A trace has these states, and its gates make them of each other."""
    lstm = model.cell == "lstm"
    hidden = torch.stack([state[0] if lstm else state for state in states]).detach().numpy()
    np.testing.assert_allclose(trace.hidden, hidden, atol=2e-5)
    if lstm:
        assert trace.cell is not None
        cells = torch.stack([state[1] for state in states]).detach().numpy()
        np.testing.assert_allclose(trace.cell, cells, atol=5e-5)
        shown = trace.gates["output"] * np.tanh(trace.cell)
        np.testing.assert_allclose(trace.hidden, shown, atol=1e-6)
        before, now = slice(0, -1), slice(1, None)
        if trace.direction == "backward":
            before, now = now, before
        new = trace.gates["forget"] * np.roll(trace.cell, 1 if now.start else -1, axis=0)
        new += trace.gates["input"] * trace.gates["candidate"]
        np.testing.assert_allclose(new[now], trace.cell[now], atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*came to max_tokens:UserWarning")
@pytest.mark.parametrize("source", [TEXT, "", "zzz dog"])
@pytest.mark.parametrize("given", KINDS)
def test_all_numbers_are_those_of_the_reference(given: dict[str, Any], source: str) -> None:
    model = made(seed=3, **given)
    found = explain(model, source)
    assert found.written is not None
    reference, ids, tokens = Reference(model), ids_of(model, source), written_ids(model, found)
    attention, chances, states = reference.write(ids, tokens)
    np.testing.assert_allclose(found.arrays["attention"], attention.detach(), atol=2e-5)
    np.testing.assert_allclose(found.arrays["log_probability"], chances.detach(), atol=2e-4)
    surprise = found.written.measures[0].values
    np.testing.assert_allclose(surprise, -chances.detach() / math.log(2), atol=3e-4)
    for trace, wanted in zip(found.layers, reference.read(ids)[2], strict=True):
        same(trace, wanted, model)
    for trace, wanted in zip(found.written.layers, states, strict=True):
        same(trace, wanted, model)
    assert [trace.direction for trace in found.written.layers] == ["forward"] * model.num_layers
    # Without each token but the end, the same answer.
    falls = [
        chances - reference.write(ids[:at] + ids[at + 1 :], tokens)[1] for at in range(len(ids) - 1)
    ]
    contributions = found.tables[1].values
    assert np.isnan(contributions[:, -1]).all()
    for at, fall in enumerate(falls):
        np.testing.assert_allclose(contributions[:, at], fall.detach(), atol=4e-4)
        total = found.measure("contribution")[at]
        assert total == pytest.approx(fall.sum().item(), abs=2e-3)
    np.testing.assert_allclose(found.measure("attention"), attention.detach().sum(dim=0), atol=1e-3)


@pytest.mark.filterwarnings("ignore:.*came to max_tokens:UserWarning")
@pytest.mark.parametrize("precision", kernels.precisions())
@pytest.mark.parametrize("given", KINDS)
def test_states_and_log_probability_are_those_of_the_answer(
    given: dict[str, Any], precision: Any
) -> None:
    model = made(seed=1, **given)
    model.precision = precision
    ((answer,),) = model.answer([TEXT])
    found = explain(model, TEXT)
    assert found.answer == answer.text
    total = found.arrays["log_probability"].sum()
    assert total == pytest.approx(answer.log_probability, rel=1e-5)
    assert any("was cut" in remark for remark in found.remarks) == answer.cut
    # The way from the states to the log-probabilities, with the highest states that are told.
    assert found.written is not None
    w, hidden = model.weights_, found.written.layers[-1].hidden
    memory = np.concatenate([t.hidden for t in found.layers if t.layer == model.num_layers], axis=1)
    values = memory @ w["attention.value.weight"].T
    outputs = hidden @ w["projection.weight"].T + w["projection.bias"]
    outputs = np.tanh(outputs + found.arrays["attention"] @ values)
    scores = outputs @ w["embedding.weight"].T + w["output.bias"]
    logs: NDArray[Any] = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    told = logs[np.arange(len(hidden)), written_ids(model, found)]
    np.testing.assert_allclose(told, found.arrays["log_probability"], atol=1e-4)


@pytest.mark.parametrize("level", ["word", "whitespace", "bpe", "char"])
def test_words_stand_in_the_text_and_in_the_answer(level: Any) -> None:
    model = made(level=level, seed=2)
    text = "the cat , zyxel(a dog)!"
    found = explain(model, text)
    assert found.written is not None
    for words, where in ((found.words, text), (found.written.words, found.answer)):
        ends = [(word.start, word.stop) for word in words if word.text == "<end>"]
        assert ends in ([(len(where), len(where))], [])
        texts = words[: len(words) - len(ends)]
        assert all(word.text == where[word.start : word.stop] for word in texts)
    rest = "".join(word.text for word in found.written.words if word.text != "<end>")
    assert rest.replace(" ", "") == found.answer.replace(" ", "")
    if level in ("word", "whitespace"):
        assert "read as '<unk>'" in found.remarks[0]
    looked = found.arrays["attention"].argmax(axis=1)
    for word, at in zip(found.written.words, looked, strict=True):
        assert word.note.startswith(f"looked at {found.words[at].visible} ")


def test_many_texts_are_read_as_one_is() -> None:
    model = made(num_layers=2)
    for text, reading in zip(SOURCES, read(model, SOURCES), strict=True):
        found = explain(model, text)
        assert reading.words == found.words
        for one, other in zip(reading.layers, found.layers, strict=True):
            np.testing.assert_array_equal(one.hidden, other.hidden)


@pytest.mark.parametrize("text", [TEXT, "", "</script> \u202e cat"])
def test_json_and_page_hold_both_texts(text: str) -> None:
    found = explain(made(), text)
    data = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert found.written is not None
    assert [word["text"] for word in data["written"]["words"]] == [
        word.text for word in found.written.words
    ]
    for trace, told in zip(found.written.layers, data["written"]["layers"], strict=True):
        np.testing.assert_allclose(told["parts"]["forget"], trace.gates["forget"], atol=1e-6)
    np.testing.assert_allclose(data["tables"][0]["values"], found.arrays["attention"], atol=1e-6)
    shown = page(found)
    assert "\u202e" not in shown
    assert shown.count("</script>") == 2


def test_what_is_not_explained() -> None:
    with pytest.raises(OptionError, match="Only a classifier explains a label"):
        explain(made(), TEXT, label="good")
    with pytest.raises(DataError, match=r"at most 300 tokens\. Got 301"):
        explain(made(level="char"), "cat" * 100)

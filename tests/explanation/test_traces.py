"""Gates and states are those of the answer, and those of NumPy's and torch's equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import language_cases
from explanation_cases import TEXT, made
from gatewise import explain, kernels
from gatewise.cells import CELLS, Weights, layer
from gatewise.errors import DataError
from gatewise.explanation import Trace
from gatewise.explanation import read as read_all
from gatewise.ragged import Ragged
from gatewise.tasks.classify.task import TextClassifier

every_kind = pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
every_shape = pytest.mark.parametrize(
    ("num_layers", "bidirectional", "hidden_size"), [(1, False, 17), (3, True, 5), (2, True, 33)]
)


def read(classifier: TextClassifier, text: str) -> tuple[Ragged, NDArray[np.float32]]:
    """Ids and vectors of a text, as the classifier answers them."""
    fitted = classifier.fitted()
    ids, words = fitted.encode([text])
    unknown = fitted.encoder.vectors(words)
    return ids, fitted.encoder.embedded(ids.values, unknown)


def weights_of(classifier: TextClassifier, trace: Trace) -> Weights:
    end = f"l{trace.layer - 1}" + ("_reverse" if trace.direction == "backward" else "")
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    arrays = (classifier.weights_[f"recurrent.{name}_{end}"] for name in names)
    return Weights(*(array.astype(np.float64) for array in arrays))


def below(layers: tuple[Trace, ...], trace: Trace, vectors: NDArray[Any]) -> NDArray[Any]:
    """What a layer reads: the states of the layer below, or the vectors."""
    under = [other.hidden for other in layers if other.layer == trace.layer - 1]
    return np.concatenate(under, axis=1) if under else vectors


@every_kind
@every_shape
def test_traces_are_those_of_the_reference(
    cell: Any, num_layers: int, bidirectional: bool, hidden_size: int
) -> None:
    classifier = made(
        cell=cell, num_layers=num_layers, bidirectional=bidirectional, hidden_size=hidden_size
    )
    ids, x = read(classifier, TEXT)
    found = explain(classifier, TEXT).layers
    assert len(found) == num_layers * (2 if bidirectional else 1)
    values: NDArray[Any] = x.astype(np.float64)
    for number in range(1, num_layers + 1):
        traces = [trace for trace in found if trace.layer == number]
        weights = [weights_of(classifier, trace) for trace in traces]
        wanted = layer(CELLS[cell], values, ids.offsets, weights)
        values = wanted.hidden
        for d, trace in enumerate(traces):
            blocks = np.split(wanted.saved[d], len(CELLS[cell].saved), axis=1)
            saved = dict(zip(CELLS[cell].saved, blocks, strict=True))
            assert list(trace.gates) == ([] if cell == "rnn" else list(CELLS[cell].gates))
            for name, gate in trace.gates.items():
                np.testing.assert_allclose(gate, saved[name], atol=1e-5)
            half = slice(d * hidden_size, (d + 1) * hidden_size)
            np.testing.assert_allclose(trace.hidden, wanted.hidden[:, half], atol=1e-5)
            if cell == "lstm":
                states = wanted.traces[d][0]
                cells = [state.cell for state in states.states[1:]] + [states.final.cell]
                cells = cells[::-1] if trace.direction == "backward" else cells
                assert trace.cell is not None
                np.testing.assert_allclose(trace.cell, np.array(cells), atol=1e-5)
            else:
                assert trace.cell is None


@every_kind
def test_traces_are_torch_s_step_by_step(cell: Any) -> None:
    classifier = made(cell=cell, num_layers=2, hidden_size=19)
    _, x = read(classifier, TEXT)
    found = explain(classifier, TEXT).layers
    kind: Any = {"lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell, "rnn": torch.nn.RNNCell}[cell]
    for trace in found:
        values = torch.from_numpy(below(found, trace, x).astype(np.float64))
        step = kind(values.shape[1], 19, dtype=torch.float64)
        with torch.no_grad():
            for name, array in weights_of(classifier, trace)._asdict().items():
                getattr(step, name).copy_(torch.from_numpy(array))
        state = None
        order = range(len(values)) if trace.direction == "forward" else range(len(values))[::-1]
        for t in order:
            before = torch.zeros(19, dtype=torch.float64) if state is None else state
            with torch.no_grad():
                state = step(values[t], state)
            hidden = state[0] if cell == "lstm" else state
            np.testing.assert_allclose(trace.hidden[t], hidden.numpy(), atol=1e-5)
            if cell == "lstm":
                assert trace.cell is not None
                kept = before[1].numpy() if isinstance(before, tuple) else before.numpy()
                np.testing.assert_allclose(trace.cell[t], state[1].numpy(), atol=1e-5)
                gates = {name: gate[t] for name, gate in trace.gates.items()}
                new = gates["forget"] * kept + gates["input"] * gates["candidate"]
                np.testing.assert_allclose(new, state[1].numpy(), atol=1e-5)
                shown = gates["output"] * np.tanh(trace.cell[t])
                np.testing.assert_allclose(trace.hidden[t], shown, atol=1e-6)
            if cell == "gru":
                update, candidate = trace.gates["update"][t], trace.gates["candidate"][t]
                new = (1 - update) * candidate + update * before.numpy()
                np.testing.assert_allclose(trace.hidden[t], new, atol=1e-5)


@pytest.mark.parametrize("precision", kernels.precisions())
@every_kind
@every_shape
def test_hidden_states_are_those_of_the_answer_to_the_bit(
    precision: Any, cell: Any, num_layers: int, bidirectional: bool, hidden_size: int
) -> None:
    classifier = made(
        cell=cell, num_layers=num_layers, bidirectional=bidirectional, hidden_size=hidden_size
    )
    classifier.precision = precision
    fitted = classifier.fitted()
    ids, words = fitted.encode([TEXT])
    answered, final = fitted.encoder.states(ids, fitted.encoder.vectors(words), precision=precision)
    found = explain(classifier, TEXT)
    last = [trace for trace in found.layers if trace.layer == num_layers]
    np.testing.assert_array_equal(np.concatenate([t.hidden for t in last], axis=1), answered)
    ends = [t.hidden[-1] if t.direction == "forward" else t.hidden[0] for t in last]
    np.testing.assert_array_equal(np.concatenate(ends), final[0])
    np.testing.assert_array_equal(found.arrays["scores"], classifier.scores([TEXT])[0])


@pytest.mark.parametrize("documents", ["joined", "apart"])
def test_a_language_model_s_states_are_those_of_its_answer(documents: Any) -> None:
    model = language_cases.made(num_layers=2, hidden_size=9, documents=documents)
    text = "the cat sat\non the zyxel mat"
    fitted = model.fitted()
    encoded = fitted.encode([text]).values
    row = Ragged(np.insert(encoded, 0, np.int32(fitted.end)), np.array([0, len(encoded) + 1]))
    found = explain(model, text)
    np.testing.assert_array_equal(found.layers[-1].hidden, fitted.walk(row)[0])
    assert len(found.words) == len(encoded) + 1


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (made, {"max_length": 7, "num_layers": 2}),
        (made, {"cell": "gru", "subwords": 0}),
        (language_cases.made, {}),
    ],
)
def test_many_texts_are_read_as_each_by_itself(make: Any, options: dict[str, Any]) -> None:
    model = make(**options)
    texts = [TEXT, "", "film", "the cat\nsat", *(f"love {number}" for number in range(80))]
    found = list(read_all(model, texts))
    assert [reading.text for reading in found] == texts
    for reading in found:
        alone = explain(model, reading.text)
        strip = [(word.text, word.start, word.stop, word.known) for word in alone.words]
        assert [(w.text, w.start, w.stop, w.known) for w in reading.words] == strip
        for trace, wanted in zip(reading.layers, alone.layers, strict=True):
            assert trace.name == wanted.name
            assert trace.parts.keys() == wanted.parts.keys()
            for name, part in trace.parts.items():
                np.testing.assert_array_equal(part, wanted.parts[name])
    with pytest.raises(DataError, match="takes a list of texts"):
        next(read_all(model, "film"))

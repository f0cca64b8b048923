"""A fitted classifier's network in plain torch and in ONNX Runtime: string in, label out.

Both have the classifier's own weights and tokenizer. What a classifier says from word pieces and
token pairs is left to its own code on every side: only the network differs.
"""

from __future__ import annotations

import copy
import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx_graphs
import torch
from numpy.typing import NDArray
from report import counted
from timing import Call
from torch import nn

import gatewise
from gatewise import TextClassifier, kernels
from gatewise.data.tables import open_table
from gatewise.ragged import Ragged
from gatewise.samples import reviews
from gatewise.text.pairs import pair_scores

Scores = NDArray[np.float32]
Answer = Callable[[str], Any]
TOKENS = [20, 50, 200]
MODELS = {
    "network alone": {"subwords": 0, "token_pairs": 0},
    "all defaults": {"subwords": 2**15, "token_pairs": 2**19},
}


def cases(threads: int) -> Iterator[tuple[str, dict[str, Call]]]:
    """Every model, number of threads and length, with the calls of all contenders."""
    for model, options in MODELS.items():
        classifier = trained(**options)
        for used in range(1, threads + 1):
            torch.set_num_threads(used)
            classifier.threads = used
            asked: dict[str, Answer] = {"Gatewise": by_gatewise(classifier)}
            if "bf16" in kernels.precisions():
                rounded = copy.copy(classifier)
                rounded.precision = "bf16"
                asked["our bf16"] = by_gatewise(rounded)
            asked["torch"] = answering(classifier, torch_network(classifier))
            if onnx_graphs.installed():
                asked["ONNX Runtime"] = answering(classifier, onnx_network(classifier, used))
            for tokens in TOKENS:
                given = texts(classifier, tokens)
                exact = [ask for name, ask in asked.items() if name != "our bf16"]
                for text in given:
                    assert len({ask(text) for ask in exact}) == 1, "answers differ"
                yield (
                    f"{model}, {tokens} tokens, {counted(used)}",
                    {name: one_by_one(ask, given) for name, ask in asked.items()},
                )


def one_by_one(ask: Answer, given: list[str]) -> Call:
    """A call asks for the next text, over and over."""
    turn = itertools.cycle(given)
    return lambda: ask(next(turn))


def trained(**options: Any) -> TextClassifier:
    """A classifier of the default size for larger data, learned from the samples and loaded."""
    with reviews() as path:
        columns = open_table(path).read(["text", "label"])
    classifier = TextClassifier(embedding_size=128, hidden_size=128, **options)
    classifier.fit(columns["text"], columns["label"], epochs=1, baseline=False, quiet=True)
    with tempfile.TemporaryDirectory() as folder:
        classifier.save(Path(folder) / "model")
        loaded: TextClassifier = gatewise.load(Path(folder) / "model")
    return loaded


def texts(classifier: TextClassifier, tokens: int, count: int = 50) -> list[str]:
    """Different texts of so many known words."""
    random = np.random.default_rng(0)
    words = [word for word in classifier.tokenizer_.vocabulary[1:] if word.isalpha()]
    made = [" ".join(random.choice(words, tokens)) for _ in range(count)]
    assert (classifier.tokenizer_.encode(made).lengths == tokens).all()
    return made


def torch_network(classifier: TextClassifier) -> Callable[[Ragged], Scores]:
    """The scores of one text by `torch.nn` modules."""
    arrays = {name: torch.from_numpy(array) for name, array in classifier.weights_.items()}
    table = arrays["embedding.weight"]
    embedding = nn.Embedding(len(table), table.shape[1], _weight=table)
    chosen = classifier.chosen_
    sizes = chosen.embedding_size, chosen.hidden_size
    lstm: Any = nn.LSTM(*sizes, batch_first=True, bidirectional=True)
    lstm.load_state_dict(
        {n.removeprefix("recurrent."): a for n, a in arrays.items() if n.startswith("recurrent.")}
    )
    head = nn.Linear(6 * lstm.hidden_size, len(classifier.labels_))
    head.load_state_dict({"weight": arrays["head.weight"], "bias": arrays["head.bias"]})

    def scores(ids: Ragged) -> Scores:
        with torch.inference_mode():
            hidden, (final, _) = lstm(embedding(torch.from_numpy(ids.values)[None]))
            pooled = torch.cat([hidden.amax(1), hidden.mean(1), final.view(1, -1)], dim=1)
            found: Scores = head(pooled).numpy()
        return found

    return scores


def onnx_network(classifier: TextClassifier, threads: int) -> Callable[[Ragged], Scores]:
    """The scores of one text by ONNX Runtime."""
    session = onnx_graphs.classifier(classifier.weights_, threads)
    return lambda ids: session(ids.values.astype(np.int64))


def by_gatewise(classifier: TextClassifier) -> Answer:
    """What a user writes."""
    return lambda text: classifier.predict([text])[0]


def answering(classifier: TextClassifier, network: Callable[[Ragged], Scores]) -> Answer:
    """From a string to its label, with the scores of a network."""
    fitted, weights = classifier.fitted(), classifier.weights_

    def answer(text: str) -> Any:
        ids, _ = fitted.encode([text])
        scores = network(ids)
        if classifier.token_pairs:
            pairs = (weights[f"pairs.{name}"] for name in ("weight", "bias", "rarity"))
            scores = scores + pair_scores(ids, len(fitted.tokenizer), *pairs)
        return fitted.labels.names[int(scores.argmax())]

    return answer

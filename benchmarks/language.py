"""Language models beside the same models in plain torch: a training step, and writing.

    python benchmarks/language.py ../shared/data/wikitext2

The folder holds train.txt.gz. Contenders take turns in one process, all with the same number of
threads; cells are medians. torch reads windows of equal length with nn.LSTM, its best case, draws
the same share of classes, drops the same share of features and uses its fused AdamW.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from report import Table, arguments, publish
from timing import Call, Seconds, interleaved, ratio, use_threads

CHARACTERS = [chr(33 + number) for number in range(90)]


@dataclass(frozen=True)
class Shape:
    """A language model by its sizes."""

    classes: int
    embedding_size: int
    hidden_size: int
    num_layers: int

    def __str__(self) -> str:
        layers = f", {self.num_layers} layers" if self.num_layers > 1 else ""
        return f"E {self.embedding_size}, H {self.hidden_size}{layers}, {self.classes:,} classes"


def network(shape: Shape, counts: Any, samples: int, precision: str) -> Any:
    """A new network, as `LanguageModel.fit` makes one."""
    from gatewise.nn.encoder import Encoder
    from gatewise.shapes import EncoderShape
    from gatewise.tasks.language.network import LanguageNetwork

    sizes = shape.embedding_size, 0, shape.hidden_size, shape.num_layers
    encoder = Encoder(
        EncoderShape("lstm", shape.classes, *sizes, bidirectional=False, pooling="last"),
        dropout=0.2,
        precision=precision,
    )
    return LanguageNetwork(encoder, tied=True, counts=counts, samples=samples, dropout=0.2)


def steps(shape: Shape, ids: Any, samples: int) -> dict[str, Call]:
    """A training step of every contender over windows of 64 columns and 70 tokens."""
    import torch
    from plain_language import PlainLanguageModel
    from torch import nn

    from gatewise import kernels
    from gatewise.nn.softmax import chances
    from gatewise.tasks.language.fit import Reader
    from gatewise.tasks.language.options import LanguageTraining
    from gatewise.tasks.language.windows import Windows
    from gatewise.training.optimizer import Optimizer

    windows = Windows(ids, 64, 70)
    counts = np.bincount(ids, minlength=shape.classes)
    training = LanguageTraining()
    calls: dict[str, Call] = {}

    def endless() -> Iterator[Any]:
        while True:
            yield from windows.in_order()

    for precision in kernels.precisions()[:2]:
        ours = network(shape, counts, samples, precision)
        optimizer, reader, given = Optimizer(ours, training, 10_000), Reader(ours), endless()

        def step(optimizer: Any = optimizer, reader: Any = reader, given: Any = given) -> None:
            optimizer.zero_grad()
            reader.loss(next(given)).backward()
            optimizer.step(optimizer.gradient_norm())

        calls["Gatewise" if precision == "fp32" else f"Gatewise, {precision}"] = step
    chance = torch.from_numpy(chances(counts, samples)).float() if samples else None
    plain = PlainLanguageModel(network(shape, counts, samples, "fp32"), chance)
    adamw = torch.optim.AdamW(plain.parameters(), training.learning_rate, fused=True)
    given, states = endless(), None

    def plain_step() -> None:
        nonlocal states
        window = next(given)
        adamw.zero_grad()
        columns = len(window.offsets) - 1
        loss, states = plain.loss(window, columns, None if window.fresh else states)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(plain.parameters(), training.clip)
        adamw.step()

    return {**calls, "torch": plain_step}


def writers(shape: Shape, threads: int, tokens: int) -> dict[str, Call]:
    """Writing so many tokens with every contender, temperature 1."""
    from plain_language import PlainLanguageModel

    from gatewise import kernels
    from gatewise.tasks.language.fit import UNTUNED
    from gatewise.tasks.language.fitted import Fitted
    from gatewise.tasks.language.task import LanguageModel
    from gatewise.text.tokenizer import Tokenizer

    words = [f"{CHARACTERS[n % 90]}{n // 90 or ''}" for n in range(shape.classes - 2)]
    level: Any = "char" if shape.classes < 100 else "whitespace"
    texts = ["".join(words)] if level == "char" else words
    tokenizer = Tokenizer.train(
        texts, level=level, lowercase=False, min_count=1, max_vocabulary=10**6
    )
    made = network(shape, np.ones(shape.classes), 0, "fp32")
    model = LanguageModel(
        level=level,
        documents="joined",
        embedding_size=shape.embedding_size,
        hidden_size=shape.hidden_size,
        num_layers=shape.num_layers,
        dropout=0.0,
    )
    assert len(tokenizer) == shape.classes - 1
    calls: dict[str, Call] = {}
    for precision in kernels.precisions():
        model.take(Fitted(model, tokenizer, made.arrays(), UNTUNED, None))
        model.threads, model.precision = threads, precision

        def write(stream: Any = model.stream()) -> None:  # noqa: B008 - one stream for each
            for _ in stream.generate(max_tokens=tokens):
                pass

        calls["Gatewise" if precision == "fp32" else f"Gatewise, {precision}"] = write
    plain = PlainLanguageModel(made, None)
    plain.eval()
    calls["torch"] = lambda: plain.write(tokens, shape.classes - 1)
    return calls


def row(title: str, found: dict[str, Seconds], tokens: float) -> list[str]:
    """Tokens a second of every contender, and torch's time over each of ours."""
    cells = [title]
    for name, seconds in found.items():
        cells.append(f"{tokens / np.median(seconds):,.0f}")
        if name != "torch":
            cells.append(f"{ratio(found['torch'], seconds):.1f}×")
    return cells


def table(title: str, cases: dict[str, tuple[dict[str, Call], float]], chosen: Any) -> Table:
    """Race the contenders of every case."""
    rows, columns = [], [""]
    for name, (calls, tokens) in cases.items():
        found = interleaved(calls, chosen.seconds, calls=2)
        rows.append(row(name, found, tokens))
        print(*rows[-1], flush=True)
        heads = [[key] if key == "torch" else [key, "torch over it"] for key in found]
        columns = ["tokens a second", *(head for pair in heads for head in pair)]
    return Table(title, columns, rows)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("data", type=Path, help="folder of WikiText-2")
    parser.add_argument("--seconds", type=float, default=15.0, help="time for every row")
    chosen = parser.parse_args()
    use_threads(chosen.threads)
    from gatewise.data.lines import Lines
    from gatewise.tasks.language.corpus import Corpus
    from gatewise.text.tokenizer import Tokenizer

    lines = Lines(chosen.data / "train.txt.gz")
    text: dict[str, Any] = {"lowercase": False, "min_count": 1, "max_vocabulary": 50_000}
    words = Tokenizer.train(lines, level="whitespace", **text)
    ids = Corpus.encode(lines, words).ids
    large, small = len(words) + 1, 92
    shapes = [
        (Shape(large, 400, 400, 1), 4096),
        (Shape(large, 400, 1024, 1), 4096),
        (Shape(large, 400, 400, 2), 4096),
        (Shape(small, 256, 512, 1), 0),
    ]
    cases = {}
    for shape, samples in shapes:
        some = ids % small if shape.classes == small else ids
        title = f"{shape}, {samples:,} drawn" if samples else str(shape)
        cases[title] = (steps(shape, some, samples), 64 * 70.0)
    training = table("A training step, 64 columns of 70 tokens", cases, chosen)
    tokens = 100
    writing = {
        str(shape): (writers(shape, chosen.threads, tokens), float(tokens))
        for shape in (Shape(92, 256, 256, 1), Shape(92, 256, 512, 1), Shape(10_000, 256, 512, 1))
    }
    written = table("Writing one text", writing, chosen)
    publish("language", [training, written], {}, chosen)


if __name__ == "__main__":
    main()

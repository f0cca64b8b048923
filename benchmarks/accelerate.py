"""What `gatewise.accelerate()` gives models of others: Stanza's tagger and character model.

    pip install stanza
    python benchmarks/accelerate.py --threads 2

The models have the sizes that Stanza trains them with by default and random weights; the sentences
are random characters with the lengths of English ones. Prints medians of interleaved rounds.
"""

from __future__ import annotations

import argparse
import random
from typing import Any

import numpy as np
from timing import interleaved, use_threads

SIZES: dict[str, Any] = {
    "hidden_dim": 200,
    "char_hidden_dim": 400,
    "deep_biaff_hidden_dim": 400,
    "composite_deep_biaff_hidden_dim": 100,
    "word_emb_dim": 75,
    "char_emb_dim": 100,
    "tag_emb_dim": 50,
    "transformed_dim": 125,
    "num_layers": 2,
    "char_num_layers": 1,
    "word_dropout": 0.33,
    "dropout": 0.5,
    "rec_dropout": 0,
    "char_rec_dropout": 0,
    "char": True,
    "pretrain": True,
    "bert_model": None,
    "charlm": None,
}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
TAGS = {"upos": 20, "xpos": 50, "feats": 60}


def sentences(count: int, rng: random.Random) -> list[list[str]]:
    def length(mean: float, most: int) -> int:
        return min(most, max(1, int(rng.lognormvariate(mean, 0.5))))

    def word() -> str:
        return "".join(rng.choice(LETTERS) for _ in range(length(1.4, 20)))

    return [[word() for _ in range(length(2.9, 80))] for _ in range(count)]


def tagger(texts: list[list[str]], share_hid: bool) -> Any:
    """A call that runs a training step or an answer of the tagger."""
    import torch
    from stanza.models.pos.model import Tagger  # type: ignore[import-not-found]

    vocab = {"word": range(10000), "char": range(100)} | {n: range(k) for n, k in TAGS.items()}
    model = Tagger(SIZES, vocab, emb_matrix=torch.randn(20000, 100), share_hid=share_hid)
    lengths = sorted((len(text) for text in texts), reverse=True)
    letters = torch.tensor([len(word) + 2 for text in texts for word in text])
    letters, order = letters.sort(descending=True)
    shape = len(texts), lengths[0]
    words, known = torch.randint(1, 10000, shape), torch.randint(1, 20000, shape)
    chars = torch.randint(1, 100, (len(letters), int(letters[0])))
    gold = [torch.randint(1, count, shape) for count in TAGS.values()]

    def call(train: bool) -> None:
        model.train(train)
        model.zero_grad()
        with torch.set_grad_enabled(train):
            tags = gold if train else None
            places, sizes = order.tolist(), letters.tolist()
            loss, _ = model(words, None, chars, None, tags, known, places, lengths, sizes, None)
        if train:
            loss.backward()

    return call


def character_model() -> Any:
    from stanza.models.common.char_model import (  # type: ignore[import-not-found]
        CharacterLanguageModel,
        CharVocab,
    )

    sizes = SIZES | {"char_hidden_dim": 1024, "char_dropout": 0.05}
    model = CharacterLanguageModel(sizes, {"char": CharVocab([LETTERS * 3])})
    model.eval()
    return model.build_char_representation


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=30, help="for every row")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    import torch

    import gatewise

    torch.manual_seed(0)
    rng = random.Random(0)  # noqa: S311 - of sentences, not of secrets
    texts, letters = sentences(32, rng), character_model()
    shared, apart = tagger(texts, True), tagger(texts, False)
    rows = {
        "tagger, shared hidden layer: training step": lambda: shared(True),
        "tagger, shared hidden layer: answer": lambda: shared(False),
        "tagger, a scorer per tag: training step": lambda: apart(True),
        "tagger, a scorer per tag: answer": lambda: apart(False),
        "character language model: 32 sentences": lambda: letters(texts),
        "character language model: 1 sentence": lambda: letters(texts[:1]),
    }
    for name, call in rows.items():

        def accelerated(call: Any = call) -> None:
            with gatewise.accelerate():
                call()

        found = interleaved({"torch": call, "kernel": accelerated}, arguments.seconds)
        torchs, ours = (np.median(found[who], axis=1) for who in ("torch", "kernel"))
        print(
            f"{name}: torch {np.median(torchs) * 1e3:.0f} ms, "
            f"accelerated {np.median(ours) * 1e3:.0f} ms, "
            f"{np.median(torchs / ours):.1f}x",
            flush=True,
        )


if __name__ == "__main__":
    main()

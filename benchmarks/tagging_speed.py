"""Tagging plain sentences beside a Flair tagger of the same sizes: words a second.

    python benchmarks/tagging_speed.py MODEL ../shared/data/ud_ewt/dev.conllu.gz

MODEL is a folder that `gatewise train tag` or benchmarks/tagging.py made, of LSTM layers, for its
characters too. The Flair tagger (which must be installed: pip install flair) has as many words,
characters, units, layers and tags, a CRF where MODEL has one, and untrained weights: its answers
are as long as ours and cost as much. Contenders take turns in one process with the same number of
threads; cells are medians.

What Gatewise computes of a word alone (its characters, its pieces) it remembers, so there are two
figures of it: one of a model that was just loaded and meets every word of the text for the first
time, and one of a model that has met them.
"""

from __future__ import annotations

import logging
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from report import Table, arguments, publish
from timing import Call, interleaved, ratio, use_threads


def flair_tagger(model: Any) -> Any:
    """A Flair tagger of random weights that is as large as a fitted SequenceTagger."""
    import torch
    from flair.data import Dictionary
    from flair.embeddings import CharacterEmbeddings, OneHotEmbeddings, StackedEmbeddings
    from flair.models import SequenceTagger

    chosen, lexicon = model.chosen_, model.fitted().lexicon
    words, letters, tags = Dictionary(), Dictionary(), Dictionary(add_unk=False)
    for word in lexicon.tokenizer.vocabulary[1:]:
        words.add_item(word)
    for letter in lexicon.characters:
        letters.add_item(letter)
    for tag in model.labels_:
        tags.add_item(tag)
    torch.manual_seed(0)
    width = chosen.embedding_size + lexicon.vector_size
    parts: list[Any] = [OneHotEmbeddings(words, embedding_length=width)]
    if chosen.characters:
        parts.append(CharacterEmbeddings(letters, chosen.character_size, chosen.character_units))
    return SequenceTagger(
        StackedEmbeddings(parts),
        tags,
        "tag",
        hidden_size=chosen.hidden_size,
        rnn_layers=chosen.num_layers,
        bidirectional=chosen.bidirectional,
        use_crf=chosen.crf,
        reproject_embeddings=False,
        tag_format="BIO",
    ).eval()


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("model", help="model folder")
    parser.add_argument("sentences", type=Path, help="CoNLL or CoNLL-U whose tokens are tagged")
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 128], help="of Flair")
    parser.add_argument("--precision", default="fp32", help="of the answers of Gatewise")
    parser.add_argument("--texts", type=int, default=500, help="sentences, at most")
    parser.add_argument("--seconds", type=float, default=60.0, help="time for all, in seconds")
    chosen = parser.parse_args()
    use_threads(chosen.threads)
    from gatewise import load
    from gatewise.data.conll import TaggedFile
    from gatewise.text.words import WordSplitter

    # Flair's parts look for the package accelerate, which is not the script of that name here.
    sys.path = [folder for folder in sys.path if Path(folder) != Path(__file__).parent]
    try:
        from flair.data import Sentence
    except ModuleNotFoundError:
        raise SystemExit("This benchmark needs Flair: pip install flair") from None
    logging.getLogger("flair").setLevel(logging.ERROR)
    tokens = [one.tokens for one in TaggedFile(chosen.sentences, tag_column=None)][: chosen.texts]
    plain = [" ".join(sentence) for sentence in tokens]
    words = sum(map(len, tokens))
    forgetful, warm = load(chosen.model), load(chosen.model)
    forgetful.threads = warm.threads = chosen.threads
    forgetful.precision = warm.precision = chosen.precision
    rival, splitter = flair_tagger(warm), WordSplitter()

    def fresh(ask: Any) -> Any:
        """Ask as if the model had just been loaded: it remembers no word."""
        for kept in ("_inputs", "_products"):
            forgetful.fitted().__dict__.pop(kept, None)
        return ask(forgetful)

    def of_text(model: Any) -> Any:
        split = (WordSplitter() if model is forgetful else splitter).split
        return model.predict([split(text) for text in plain])

    def by_flair(batch: int, texts: list[Any]) -> Any:
        sentences = [Sentence(text) for text in texts]
        rival.predict(sentences, mini_batch_size=batch, force_token_predictions=True)
        return [[token.get_label("tag").value for token in sentence] for sentence in sentences]

    found = by_flair(32, tokens)
    assert [len(tags) for tags in found] == [len(tags) for tags in warm.predict(tokens)]
    times: dict[str, Any] = {}
    rows = []
    for title, texts, ask in (
        ("plain sentences", plain, of_text),
        ("tokens", tokens, lambda model: model.predict(tokens)),
    ):
        calls: dict[str, Call] = {
            "Gatewise, words new": partial(fresh, ask),
            "Gatewise, words met": partial(ask, warm),
        }
        calls |= {f"Flair, batch {size}": partial(by_flair, size, texts) for size in chosen.batches}
        seconds = interleaved(calls, chosen.seconds / 2, warm=0)
        times[title] = {name: each.tolist() for name, each in seconds.items()}
        rivals = [seconds[f"Flair, batch {size}"] for size in chosen.batches]
        fastest = min(rivals, key=lambda each: float(np.median(each)))
        for name, each in seconds.items():
            speed = f"{words / np.median(each):,.0f}"
            over = "" if name.startswith("Flair") else f"{ratio(fastest, each):.1f}×"
            rows.append([f"{title}: {name}", speed, over])
            print(*rows[-1], flush=True)
    note = (
        f"{len(tokens)} sentences of {words:,} tokens of {chosen.sentences.parent.name}. Flair "
        "splits plain sentences by its own rules; the faster of its batch sizes is compared."
    )
    columns = ["", "words a second", "Flair's time over ours"]
    publish("tagging-speed", [Table("Tagging", columns, rows, [note])], times, chosen)


if __name__ == "__main__":
    main()

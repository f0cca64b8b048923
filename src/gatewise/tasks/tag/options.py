"""What shapes one training run of a tagger."""

from __future__ import annotations

from dataclasses import dataclass

from gatewise.options import Training, option


@dataclass(frozen=True)
class TaggerTraining(Training):
    """What shapes one training run of a tagger."""

    epochs: int | None = option(
        None,
        "Passes over the training sentences. By default 8 to 30, fewer for more tokens.",
        minimum=1,
    )
    batch_size: int | None = option(
        None,
        "Sentences of a batch, at most. By default 8 to 32, more for more sentences.",
        minimum=1,
    )
    batch_tokens: int = option(8_192, "Tokens of a batch, at most.", minimum=1)
    patience: int = option(5, "Epochs without a better dev score before it stops.", minimum=1)
    layer_decay: float = option(
        2.6,
        "How many times slower every layer learns than the one above it, where training starts "
        "from a language model; 1 for all the same.",
        minimum=1,
    )
    max_tags: int = option(1000, "Different tags that are allowed.", minimum=2)
    balance: bool = option(
        True,
        "Choose on the dev sentences how much less 'O' scores than was learned, so that neither "
        "too few nor too many spans are found.",
    )
    refit: bool = option(
        False,
        "Once the dev sentences have chosen the epoch and the balance, learn again from training "
        "and dev sentences together. The dev figures are those of the model before.",
    )
    baseline: bool = option(
        True, "Also score the most frequent tag of every word on the dev sentences, for comparison."
    )

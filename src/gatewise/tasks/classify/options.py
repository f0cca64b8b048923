"""What shapes one training run of a classifier."""

from __future__ import annotations

from dataclasses import dataclass

from gatewise.options import Training, option


@dataclass(frozen=True)
class ClassifierTraining(Training):
    """What shapes one training run of a classifier."""

    epochs: int | None = option(
        None, "Passes over the training rows. By default 4 to 30, fewer for more tokens.", minimum=1
    )
    batch_size: int | None = option(
        None,
        "Texts of a batch, at most. By default 16 to 64, more for more rows.",
        minimum=1,
    )
    batch_tokens: int = option(16_384, "Tokens of a batch, at most.", minimum=1)
    layer_decay: float = option(
        2.6,
        "How many times slower every layer learns than the one above it, where training starts "
        "from a language model or an earlier fit; 1 for all the same.",
        minimum=1,
    )
    gradual: bool = option(
        True,
        "Where training starts from a language model, let the layers learn from the top down, one "
        "more every epoch.",
    )
    max_classes: int = option(1000, "Different labels that are allowed.", minimum=2)
    baseline: bool = option(
        True, "Also fit TF-IDF with logistic regression on the same rows, for comparison."
    )

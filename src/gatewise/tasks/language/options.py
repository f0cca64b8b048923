"""What shapes one training run of a language model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gatewise.options import Training, option


@dataclass(frozen=True)
class LanguageTraining(Training):
    """What shapes one training run of a language model."""

    epochs: int | None = option(
        None,
        "Passes over the training texts. By default 4 to 20, fewer for more tokens.",
        minimum=1,
    )
    batch_size: int | None = option(
        None,
        "Streams of text read side by side. By default 16 to 64, more for more text.",
        minimum=1,
    )
    bptt: int = option(
        70,
        "Tokens through which a step's gradient goes back; every tenth window or so is half as "
        "long. Their state goes on to the next window.",
        minimum=1,
    )
    samples: int | None = option(
        None,
        "Tokens that a training step scores, those that are frequent always; 0 for all. By "
        "default all, but 4,096 of a vocabulary that is more than twice as large.",
        minimum=0,
    )
    optimizer: Literal["adamw", "nt-asgd"] = option(
        "adamw",
        "adamw with a one-cycle schedule, or nt-asgd: plain SGD that averages its weights once dev "
        "rows stop getting better. It wants a learning rate of about 30.",
    )
    dev_share: float = option(
        0.05,
        "Share of the text, its last part, held out to choose the best epoch.",
        minimum=0,
        below=1,
    )

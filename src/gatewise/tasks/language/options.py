"""What shapes one training run of a language model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gatewise.options import Training, option

NT_ASGD = {"learning_rate": 30.0, "weight_decay": 1.2e-6, "clip": 0.25}
"""What nt-asgd wants in place of the usual values (Merity et al. 2018)."""


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
        "Tokens through which a step's gradient goes back; every twentieth window or so is half as "
        "long. Their state goes on to the next window.",
        minimum=1,
    )
    samples: int | None = option(
        None,
        "Tokens that a training step scores, those that are frequent always; 0 for all. By "
        "default all, but 4,096 of a vocabulary of 6,144 or more.",
        minimum=0,
    )
    optimizer: Literal["adamw", "nt-asgd"] = option(
        "adamw",
        "adamw with a one-cycle schedule and a running average, or nt-asgd: SGD at one rate, which "
        "averages its weights once dev rows have not got better for 'patience' epochs. Its rate is "
        "30, its weight decay 1.2e-6 and its clipping 0.25 where those of adamw are left alone.",
    )
    dev_share: float = option(
        0.05,
        "Share of the text, its last part, held out to choose the best epoch.",
        minimum=0,
        below=1,
    )

    def __post_init__(self) -> None:
        if self.optimizer == "nt-asgd":
            for name, value in NT_ASGD.items():
                if getattr(self, name) == getattr(Training, name):
                    object.__setattr__(self, name, value)
        super().__post_init__()

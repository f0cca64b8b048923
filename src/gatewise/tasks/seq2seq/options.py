"""What shapes one training run of text to text."""

from __future__ import annotations

from dataclasses import dataclass

from gatewise.errors import OptionError
from gatewise.options import Training, option


@dataclass(frozen=True)
class Seq2SeqTraining(Training):
    """What shapes one training run of text to text."""

    epochs: int | None = option(
        None,
        "Passes over the training pairs. By default 8 to 40, fewer for more tokens.",
        minimum=1,
    )
    batch_size: int | None = option(
        None, "Pairs of a batch, at most. By default 16 to 128, more for more pairs.", minimum=1
    )
    batch_tokens: int = option(
        8192, "Tokens of the sources, or of the targets, of a batch, at most.", minimum=1
    )
    label_smoothing: float = option(
        0.1, "Share of the truth that all tokens have alike.", minimum=0, below=1
    )
    scheduled_sampling: float = option(
        0.0,
        "Share of the target tokens that the last epoch reads as the network foretells them, not "
        "as they are; it rises from 0.",
        minimum=0,
        maximum=1,
    )
    samples: int | None = option(
        None,
        "Tokens that a training step scores, those that are frequent always; 0 for all. By "
        "default all, but 2,048 of a vocabulary of 3,072 or more.",
        minimum=0,
    )
    max_length: int = option(
        100, "Tokens of a source or a target; pairs with a longer one are left out.", minimum=1
    )
    max_ratio: float = option(
        9.0,
        "Times that one text of a pair may be as long as the other, in tokens, the end of a text "
        "counted; pairs of a wilder ratio are left out.",
        minimum=1,
    )
    dev_share: float = option(
        0.05,
        "Share of the pairs held out to choose the best epoch; pairs of the same source together.",
        minimum=0,
        below=1,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scheduled_sampling and self.epochs == 1:
            raise OptionError(
                "The 'scheduled_sampling' option of Seq2SeqTraining must be 0 where there is one "
                f"epoch: it rises from 0 in the first. Got {self.scheduled_sampling}."
            )

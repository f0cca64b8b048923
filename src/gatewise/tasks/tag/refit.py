"""Learning again from training and dev sentences together, once the dev sentences have chosen.

A fresh network learns as the first one did, for as many epochs as were best, and "O" scores as much
less as was best. Nothing that is held out can tell how good it is: the dev figures stay those of
the first network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gatewise.data.problems import many
from gatewise.errors import TrainingError
from gatewise.tasks.tag.learning import learn, lower_outside, network_of
from gatewise.tasks.tag.network import TaggerNetwork
from gatewise.tasks.tag.prepared import Prepared, prepare
from gatewise.training.loop import INTERRUPTED
from gatewise.training.progress import Epoch, Progress
from gatewise.training.settings import torch_settings

if TYPE_CHECKING:
    from gatewise.tasks.tag.task import SequenceTagger


@dataclass(frozen=True)
class Learned:
    """A network, what it has learned from, and for how many epochs it learned again, if it did.

    `warning` says why it did not, where it should have.
    """

    network: TaggerNetwork
    prepared: Prepared
    epochs: int = 0
    warning: str = ""


def refitted(
    tagger: SequenceTagger, first: Learned, history: Sequence[Epoch], taken: float
) -> Learned:
    """A network that has learned from all sentences; the first one if that did not succeed.

    Args:
        tagger: as the user made it, with the file of vectors.
        first: what has learned from the training sentences only.
        history: its epochs.
        taken: what was taken from the score of "O".
    """
    epochs = max(epoch.number for epoch in history if epoch.best)
    progress = Progress(1, epochs, "", quiet=first.prepared.training.quiet)
    why = "it was interrupted" if history[-1].stop == INTERRUPTED else ""
    if not why:
        try:
            prepared = _together(tagger, first.prepared)
            progress.say(
                f"learning again from all {len(prepared.rows):,} sentences, dev sentences too, for "
                f"{many(epochs, 'epoch')}"
            )
            with torch_settings(prepared.training):
                network = network_of(prepared)
                stop = learn(network, prepared, lambda: None, stop=epochs)[-1].stop
            if not stop:
                lower_outside(network, prepared.tags, taken)
                return Learned(network, prepared, epochs)
            why = "it was interrupted" if stop == INTERRUPTED else "its training diverged"
        except KeyboardInterrupt:
            why = "it was interrupted"
        except TrainingError:
            why = "its training diverged"
    warning = (
        f"The model did not learn again from all sentences, since {why}: it has learned from the "
        "training sentences only."
    )
    progress.warn(warning)
    return replace(first, warning=warning)


def _together(tagger: SequenceTagger, prepared: Prepared) -> Prepared:
    """All sentences to learn from, with the options that followed from the training sentences."""
    wanted = replace(prepared.chosen, vectors=tagger.vectors, encoder=prepared.model)
    tokens = [*prepared.rows.tokens, *prepared.dev_rows.tokens]
    tags = [*prepared.rows.tags, *prepared.dev_rows.tags]
    training = replace(prepared.training, refit=False)
    # What there is to be told of the sentences was told when they were read first.
    return replace(prepare(wanted, tokens, tags, ([], []), training), warnings=())

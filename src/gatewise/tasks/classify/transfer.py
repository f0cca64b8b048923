"""Transfer: a classifier that starts from a language model.

The last two steps of ULMFiT (Howard & Ruder 2018) stand here: layers that learn the slower the
lower they are, and from the top down, one more every epoch ("gradual unfreezing").
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from gatewise.errors import OptionError
from gatewise.nn.encoder import Encoder
from gatewise.tasks import load
from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.tasks.language.task import LanguageModel
from gatewise.training.schedule import Rate

if TYPE_CHECKING:
    from gatewise.tasks.classify.task import TextClassifier

SHARED = (
    "level",
    "lowercase",
    "max_vocabulary",
    "min_count",
    "cell",
    "embedding_size",
    "hidden_size",
    "num_layers",
    "bidirectional",
)
"""Options that a classifier takes over from the language model that it starts from."""


def language_model(given: Any) -> LanguageModel | None:
    """The language model that the option 'encoder' names, which must have been fitted.

    Raises:
        OptionError: it is something else.
        ModelFileError, NotFittedError: there is none yet.
    """
    if given is None:
        return None
    model = load(given) if isinstance(given, (str, Path)) else given
    if not isinstance(model, LanguageModel):
        raise OptionError(
            "The 'encoder' option of TextClassifier must be a LanguageModel or the folder of one. "
            f"Got {type(model).__name__}."
        )
    model.fitted()
    return model


def with_options_of(classifier: TextClassifier, model: LanguageModel) -> TextClassifier:
    """The classifier with what it must share with a language model."""
    if classifier.vectors is not None:
        raise OptionError("'vectors' and 'encoder' both say what words start from: give one.")
    shared = {name: getattr(model.chosen_, name) for name in SHARED}
    return replace(classifier, encoder=None, **shared)


@torch.no_grad()
def start_from(encoder: Encoder, model: LanguageModel) -> None:
    """Give an encoder the weights of a language model; the end of a text is left out."""
    wanted = encoder.state_dict()
    for name, weight in model.weights_.items():
        if name in wanted:
            wanted[name].copy_(torch.from_numpy(weight[: len(wanted[name])]))


def rates(
    names: list[str], layers: int, training: ClassifierTraining, steps: int
) -> dict[str, Rate]:
    """How fast the weights of a network learn that was pretrained, by their names.

    Args:
        names: of all weights of a `ClassifierNetwork`.
        layers: recurrent layers.
        training: epochs, and how rates differ.
        steps: of the whole run.
    """
    assert training.epochs is not None
    found = {}
    for name in names:
        layer = re.fullmatch(r"encoder\.recurrent\.\w+_l(\d+)(_reverse)?", name)
        depth = 0
        if layer:
            depth = layers - int(layer[1])
        elif name == "encoder.embedding.weight":
            depth = layers + 1
        first = depth * steps // training.epochs if training.gradual else 0
        # A short run shall not end before all layers have learned.
        found[name] = Rate(training.layer_decay**-depth, min(first, steps // 2))
    return found

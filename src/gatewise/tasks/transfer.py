"""Transfer: the encoder of any task starts from a language model.

The last step of ULMFiT (Howard & Ruder 2018) stands here: layers that learn the slower the lower
they are, and from the top down, one more every epoch ("gradual unfreezing").
"""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gatewise.errors import OptionError
from gatewise.nn.encoder import Encoder
from gatewise.tasks import load
from gatewise.tasks.language.task import LanguageModel
from gatewise.training.schedule import Rate

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
"""Options that a model, where it has them, takes over from the language model it starts from."""


def pretrained(model: Any) -> LanguageModel | None:
    """The fitted language model that the 'encoder' option of a model names; None where it is None.

    Raises:
        OptionError: the option is no language model, or 'vectors' stands beside it.
        ModelFileError, NotFittedError: there is no language model yet.
    """
    if model.encoder is None:
        return None
    found = load(model.encoder) if isinstance(model.encoder, (str, Path)) else model.encoder
    if not isinstance(found, LanguageModel):
        raise OptionError(
            f"The 'encoder' option of {type(model).__name__} must be a LanguageModel or the folder "
            f"of one. Got {type(found).__name__}."
        )
    if getattr(model, "vectors", None) is not None:
        raise OptionError("'vectors' and 'encoder' both say what words start from: give one.")
    found.fitted()
    return found


def taken_over(model: Any, pretrained: LanguageModel) -> dict[str, Any]:
    """The options of a model that are those of the language model it starts from.

    Raises:
        OptionError: the model was given another value for one of them.
    """
    found = {}
    for field in fields(model):
        if field.name not in SHARED:
            continue
        given, theirs = getattr(model, field.name), getattr(pretrained.chosen_, field.name)
        if given not in (field.default, theirs):
            raise OptionError(
                f"The '{field.name}' option of a {type(model).__name__} with an 'encoder' is that "
                f"of the language model, {theirs}. Got {given}. Leave it out."
            )
        found[field.name] = theirs
    return found


@torch.no_grad()
def fill(encoder: Encoder, pretrained: LanguageModel) -> None:
    """Let an encoder of the same words and sizes start with the weights of a language model.

    What its first layer reads beside the vectors of words says nothing at first.
    """
    wanted = encoder.state_dict()
    for name, weight in pretrained.weights_.items():
        if name in wanted:
            here = wanted[name].zero_()
            given = torch.from_numpy(weight[: len(here)])  # without the end of a text
            here[tuple(slice(length) for length in given.shape)] = given
    if encoder.embedding.subwords is not None:  # which no language model ever read
        encoder.embedding.subwords.zero_()


def rates(
    network: nn.Module, num_layers: int, layer_decay: float, steps: int, epochs: int | None = None
) -> dict[str, Rate]:
    """How fast the weights of a network learn whose `encoder` was pretrained, by their names.

    Args:
        network: whose weights they are.
        num_layers: of its encoder.
        layer_decay: how many times slower than the one above it a layer learns.
        steps: of the whole run.
        epochs: of the whole run, where layers begin to learn from the top down, one more every
            epoch; None for all of them at once.
    """
    found = {}
    for name, _ in network.named_parameters():
        layer = re.fullmatch(r"encoder\.recurrent\.\w+_l(\d+)(_reverse)?", name)
        depth = 0
        if layer:
            depth = num_layers - int(layer[1])
        elif name == "encoder.embedding.weight":
            depth = num_layers + 1
        first = depth * steps // epochs if epochs else 0
        # A short run shall not end before all layers have learned.
        found[name] = Rate(layer_decay**-depth, min(first, steps // 2))
    return found

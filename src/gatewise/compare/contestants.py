"""The models that are compared, from the simplest on; one line adds another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from gatewise.errors import OptionError

Kind = Literal["linear", "peer", "classifier"]


@dataclass(frozen=True)
class Contestant:
    """A model that takes part.

    Args:
        name: for the command line and for programs.
        title: for people.
        kind: `linear` is scikit-learn's, a `classifier` is a `TextClassifier`, and a `peer` is one
            of the networks in `peers.py`, which are there to be compared with.
        options: of a `TextClassifier`, where they are not the common ones.
    """

    name: str
    title: str
    kind: Kind
    options: Mapping[str, Any] = field(default_factory=dict)


def _one_way(cell: str) -> dict[str, Any]:
    """Recurrent layers by themselves, in one direction."""
    return {"cell": cell, "bidirectional": False, "token_pairs": 0}


CONTESTANTS = (
    Contestant("linear", "linear model", "linear"),
    Contestant("words", "averaged words", "peer"),
    Contestant("cnn", "CNN", "peer"),
    Contestant("rnn", "RNN", "classifier", _one_way("rnn")),
    Contestant("gru", "GRU", "classifier", _one_way("gru")),
    Contestant("lstm", "LSTM", "classifier", _one_way("lstm")),
    Contestant("bilstm", "bidirectional LSTM", "classifier", {"cell": "lstm", "token_pairs": 0}),
    Contestant(
        "lstm-attention",
        "LSTM with attention",
        "classifier",
        _one_way("lstm") | {"pooling": "attention"},
    ),
    Contestant("transformer", "Transformer", "peer"),
    Contestant("default", "Gatewise's default", "classifier"),
)
TOLD_APART_BY = ("cell", "bidirectional", "token_pairs", "num_layers", "encoder")
"""Options of a `TextClassifier` in which contestants differ, so that nobody can give them."""
DEEP = "lstm"
"""What is stacked where only depths are given."""


def chosen(names: Sequence[str] | None, depths: Sequence[int] | None) -> list[Contestant]:
    """The contestants of these names, from the simplest on; all by default.

    Args:
        names: of `CONTESTANTS`.
        depths: numbers of layers; the one model that is named, else the LSTM, takes part with each.

    Raises:
        OptionError: a name is unknown, there are fewer than two contestants, or depths are given
            for something that cannot be stacked.
    """
    by_name = {contestant.name: contestant for contestant in CONTESTANTS}
    for name in names or ():
        if name not in by_name:
            raise OptionError(f"'models' must be some of {', '.join(by_name)}. Got '{name}'.")
    if depths is not None:
        return _stacked([by_name[name] for name in names or (DEEP,)], depths)
    found = [c for c in CONTESTANTS if names is None or c.name in names]
    if len(found) < 2:
        raise OptionError(
            f"'models' must name two or more models to compare. Got {', '.join(names or ())!r}."
        )
    return found


def _stacked(models: Sequence[Contestant], depths: Sequence[int]) -> list[Contestant]:
    layers = sorted(set(depths))
    if len(layers) < 2 or layers[0] < 1:
        raise OptionError(
            "'depth' must be two or more different numbers of layers from 1, like 1,2,3,4. "
            f"Got {','.join(str(depth) for depth in depths)}."
        )
    if len(models) != 1 or models[0].kind != "classifier":
        stackable = [c.name for c in CONTESTANTS if c.kind == "classifier"]
        raise OptionError(
            f"'depth' stacks the layers of one recurrent model: name one of "
            f"{', '.join(stackable)} in 'models'. Got {', '.join(model.name for model in models)}."
        )
    model = models[0]
    return [
        Contestant(
            f"{model.name}-{depth}",
            f"{depth}-layer {model.title}",
            model.kind,
            {**model.options, "num_layers": depth},
        )
        for depth in layers
    ]

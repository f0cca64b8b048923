"""Options: one dataclass line is a keyword, a command-line flag, a JSON entry and its help text.

@dataclass
class TextClassifier:
    hidden_size: int = option(128, "Units of every recurrent layer and direction.", minimum=1)
"""

from __future__ import annotations

import dataclasses
import difflib
import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from gatewise.errors import OptionError

CellName = Literal["lstm", "gru", "rnn"]
LARGEST = 2**31
"""No number of an option is greater: a file cannot ask for more than a machine could hold."""
CharacterLayer = Literal["recurrent", "cnn"]
PoolingName = Literal["concat", "last", "mean", "max", "attention"]
AttentionName = Literal["dot", "additive"]
Level = Literal["word", "whitespace", "bpe", "char"]
PrecisionChoice = Literal["fp32", "bf16", "auto"]
AnswerPrecision = Literal["fp32", "bf16", "int8", "auto"]


def option(
    default: Any,
    help: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
    saved: bool = True,
) -> Any:
    """A dataclass field with its help text and, for numbers, its allowed range.

    A field that is not `saved`, such as the path of a file, stays out of the model folder.
    """
    limits = {"minimum": minimum, "maximum": maximum, "above": above, "below": below}
    return dataclasses.field(default=default, metadata={"help": help, "saved": saved, **limits})


def names(owner: Any) -> tuple[str, ...]:
    """The names of all options of a dataclass or of an instance of one."""
    return tuple(field.name for field in dataclasses.fields(owner))


def values(owner: Any) -> dict[str, Any]:
    """The saved options of an instance by name, as JSON can hold them."""
    fields = dataclasses.fields(owner)
    return {field.name: getattr(owner, field.name) for field in fields if field.metadata["saved"]}


def build(owner: type[Any], given: dict[str, Any]) -> Any:
    """Make an `owner` from named options.

    Raises:
        OptionError: a name is unknown or a value is not allowed.
    """
    known = names(owner)
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else f" It has: {', '.join(known)}."
            raise OptionError(f"{owner.__name__} has no option '{name}'.{hint}")
    return owner(**given)


def check(owner: Any) -> None:
    """Check every option of an instance against its type and range.

    Raises:
        OptionError: which option of which class, what is allowed and what came.
    """
    kinds = get_type_hints(type(owner))
    for field in dataclasses.fields(owner):
        value, kind = getattr(owner, field.name), kinds[field.name]
        allowed = _complaint(value, kind, field.metadata)
        if allowed is not None:
            raise OptionError(
                f"The '{field.name}' option of {type(owner).__name__} must be {allowed}. "
                f"Got {value!r}."
            )


def _complaint(value: Any, kind: Any, limits: Any) -> str | None:
    """What would be allowed, or None where the value is fine."""
    if kind is Any:
        return None
    if get_origin(kind) in (Union, types.UnionType):
        complaints = [_complaint(value, part, limits) for part in get_args(kind)]
        if None in complaints:
            return None
        return " or ".join(complaint for complaint in complaints if complaint)
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        fits = any(type(value) is type(choice) and value == choice for choice in choices)
        return None if fits else "one of " + ", ".join(str(choice) for choice in choices)
    if kind is type(None):
        return None if value is None else "None"
    if kind is bool:
        return None if isinstance(value, bool) else "true or false"
    if kind in (int, float):
        return _number_complaint(value, kind, limits)
    if kind is str:
        return None if isinstance(value, str) else "a text"
    if kind == tuple[str, ...]:
        fits = isinstance(value, (tuple, list)) and all(isinstance(part, str) for part in value)
        return None if fits else "a list of texts"
    raise TypeError(f"Options cannot have the type {kind}.")


def _number_complaint(value: Any, kind: type, limits: Any) -> str | None:
    wanted = "a whole number" if kind is int else "a number"
    bounds = []
    if limits.get("minimum") is not None:
        bounds.append(f"at least {limits['minimum']}")
    if limits.get("maximum") is not None:
        bounds.append(f"at most {limits['maximum']}")
    if limits.get("above") is not None:
        bounds.append(f"above {limits['above']}")
    if limits.get("below") is not None:
        bounds.append(f"below {limits['below']}")
    if bounds:
        wanted += (" of " if bounds[0].startswith("at") else " ") + " and ".join(bounds)
    right_type = isinstance(value, kind) or (kind is float and isinstance(value, int))
    if not right_type or isinstance(value, bool) or abs(value) > LARGEST or value != value:  # noqa: PLR0124 - NaN
        return wanted
    too_small = limits.get("minimum") is not None and value < limits["minimum"]
    too_small = too_small or (limits.get("above") is not None and value <= limits["above"])
    too_large = limits.get("maximum") is not None and value > limits["maximum"]
    too_large = too_large or (limits.get("below") is not None and value >= limits["below"])
    return wanted if too_small or too_large else None


@dataclasses.dataclass(frozen=True)
class Training:
    """What shapes one training run of any task, not the model."""

    epochs: int | None = option(
        None, "Passes over the training rows. By default fewer for more tokens.", minimum=1
    )
    batch_size: int | None = option(None, "Texts of a batch, at most.", minimum=1)
    learning_rate: float = option(0.002, "Greatest rate of AdamW's one-cycle schedule.", above=0)
    warmup: float = option(0.1, "Share of the steps in which the rate rises.", minimum=0, maximum=1)
    weight_decay: float = option(0.01, "Weight decay of AdamW.", minimum=0)
    clip: float = option(
        1.0, "Greatest norm of the gradient; larger ones are scaled. 0 for none.", minimum=0
    )
    average: float = option(
        0.998, "Decay of the running average of the weights; 0 for none.", minimum=0, below=1
    )
    patience: int = option(3, "Epochs without a better dev score before it stops.", minimum=1)
    dev_share: float = option(
        0.1, "Share of the rows held out to choose the best epoch.", minimum=0, below=1
    )
    seed: int = option(0, "Of weights, shuffling, dropout and the dev split.", minimum=0)
    threads: int | None = option(None, "Threads; by default all cores there are.", minimum=1)
    precision: PrecisionChoice = option(
        "auto",
        "Numbers that the recurrent layers multiply: fp32, the rougher bf16 where the processor "
        "has it, or auto for whichever is faster here.",
    )
    quiet: bool = option(False, "Show no progress.")

    def __post_init__(self) -> None:
        check(self)

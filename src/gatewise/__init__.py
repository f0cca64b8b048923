"""Gatewise: the LSTM toolkit for text.

Public names are imported when they are first used, so that `import gatewise` stays light and never
imports PyTorch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gatewise.errors import (
        DataError,
        GatewiseError,
        MissingExtraError,
        ModelFileError,
        NotFittedError,
        OptionError,
        TrainingError,
    )
    from gatewise.explanation import explain as explain
    from gatewise.nn import accelerate as accelerate
    from gatewise.ragged import Ragged
    from gatewise.tasks import load
    from gatewise.tasks.classify.task import TextClassifier
    from gatewise.tasks.language.task import LanguageModel
    from gatewise.tasks.seq2seq.task import Seq2Seq
    from gatewise.tasks.tag.task import SequenceTagger

__version__ = "0.1.0"

_HOMES = {
    "DataError": "errors",
    "GatewiseError": "errors",
    "LanguageModel": "tasks.language.task",
    "MissingExtraError": "errors",
    "ModelFileError": "errors",
    "NotFittedError": "errors",
    "OptionError": "errors",
    "Ragged": "ragged",
    "Seq2Seq": "tasks.seq2seq.task",
    "SequenceTagger": "tasks.tag.task",
    "TextClassifier": "tasks.classify.task",
    "TrainingError": "errors",
    "accelerate": "nn",
    "explain": "explanation",
    "load": "tasks",
}

# Without `accelerate`, which needs torch: `from gatewise import *` must not.
__all__ = [
    "DataError",
    "GatewiseError",
    "LanguageModel",
    "MissingExtraError",
    "ModelFileError",
    "NotFittedError",
    "OptionError",
    "Ragged",
    "Seq2Seq",
    "SequenceTagger",
    "TextClassifier",
    "TrainingError",
    "__version__",
    "explain",
    "load",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gatewise' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"gatewise.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *_HOMES})

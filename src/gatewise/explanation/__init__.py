"""Explanations: what a model did with a text, word by word, and what its answer hangs on.

Arrays first (`traces.py` and a module for every task), then three ways to look at them
(`terminal.py`, `picture.py`, `html.py`), which know no task. No PyTorch.
"""

from __future__ import annotations

from typing import Any

from gatewise.errors import DataError, OptionError
from gatewise.explanation.classifier import explain_classifier
from gatewise.explanation.explanation import Explanation, Measure, Table
from gatewise.explanation.language import explain_language
from gatewise.explanation.traces import Trace, Word
from gatewise.tasks import task_of

__all__ = ["Explanation", "Measure", "Table", "Trace", "Word", "explain"]

_EXPLAINERS: dict[str, Any] = {"classify": explain_classifier, "language": explain_language}


def explain(model: Any, text: str, *, label: Any = None) -> Explanation:
    """What a fitted model did with a text: gates and states of every word, and what words count.

    The gates and states are those of the answer itself, from the kernel, in the model's precision.

    Example:
        >>> found = gatewise.explain(model, "I wanted to love this film and could not")
        >>> found.layers[0].gates["forget"]  # (words, units)
        >>> found.measure("contribution")  # (words,)

    Args:
        model: a fitted model of any task.
        text: at most 2,000 tokens.
        label: of a classifier, the label to explain; by default the likeliest.

    Raises:
        NotFittedError: the model has learned nothing yet.
        DataError: the text is not a str, or too long.
        OptionError: the model has no such label, or its precision is none of this processor.
    """
    if not isinstance(text, str):
        raise DataError(f"explain() takes one text. Got {text!r}.")
    task = task_of(model)
    if label is None:
        found: Explanation = _EXPLAINERS[task](model, text)
    elif task != "classify":
        raise OptionError(f"Only a classifier explains a label. Got {label!r} for another model.")
    else:
        found = explain_classifier(model, text, label)
    return found

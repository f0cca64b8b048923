"""One model as the lab shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from threading import Lock
from typing import Any

from gatewise import options
from gatewise.errors import DataError
from gatewise.explanation import Explanation, Trace, explain
from gatewise.explanation.explanation import plain
from gatewise.lab.diagnosis import diagnosed, training_of
from gatewise.lab.rows import Rows
from gatewise.lab.states import States, states
from gatewise.lab.units import followed, ranked
from gatewise.tasks import task_of

AT_ONCE = 20
"""Texts of a file that are shown at a time."""


class Shown:
    """A fitted model, what it is called, and the texts of the file that it is looked at with."""

    def __init__(self, name: str, model: Any, rows: Rows | None) -> None:
        self.name = name
        self._model = model
        self._rows = rows
        self._lock = Lock()
        self._states: tuple[int, States] | None = None

    def facts(self) -> dict[str, Any]:
        """What does not depend on any text."""
        chosen = options.values(self._model)
        return {
            "name": self.name,
            "task": task_of(self._model),
            "cell": chosen["cell"],
            "labels": [str(label) for label in getattr(self._model, "labels_", ())],
            "layers": [
                {
                    "name": trace.name,
                    "backward": trace.direction == "backward",
                    "units": trace.hidden.shape[1],
                    "parts": list(trace.parts),
                }
                for trace in self._layers
            ],
            "options": {name: value for name, value in chosen.items() if value is not None},
            "training": training_of(self._model),
        }

    def reading(self, text: str, layer: int) -> dict[str, Any]:
        """What the model does with a text; of its layers' traces one.

        Raises:
            DataError: the text is too long, or there is no such layer.
        """
        self._check(layer)
        found = explain(self._model, text)
        trace = found.layers[layer]
        probabilities = found.arrays.get("probabilities")
        return {
            "answer": found.answer,
            "given": self._given(found),
            "probabilities": None if probabilities is None else plain(probabilities),
            "so_far": self._so_far(found),
            "words": [asdict(word) for word in found.words],
            "measures": [measure.as_json() for measure in found.measures],
            "tables": [table.as_json() for table in found.tables] if found.written else [],
            "parts": {name: plain(values) for name, values in trace.parts.items()},
            "remarks": list(found.remarks),
        }

    def units(self, layer: int) -> list[Any]:
        """All units of a layer, those first that are worth a look.

        Raises:
            DataError: there is no file, or no such layer.
        """
        found = self._walked(layer)
        return list(ranked(found, self._labels))

    def unit(self, layer: int, unit: int, start: int) -> dict[str, Any]:
        """What one unit follows over the file, and some of its texts word by word from `start` on.

        Raises:
            DataError: there is no file, or no such layer, unit or text.
        """
        found, rows = self._walked(layer), self._file
        size = found.values.shape[1]
        if unit >= size:
            raise DataError(f"The layer has {size} units, counted from 0. Got {unit}.")
        count = len(found.words)
        some = range(min(start, count), min(start + AT_ONCE, count))
        told = followed(found, unit, rows.texts, self._labels, some)
        return told | {"start": start, "count": count, "of": len(rows.texts)}

    @cached_property
    def diagnosis(self) -> dict[str, Any]:
        """How good the answers on the file are.

        Raises:
            DataError: there is no file with labels, or the model does not know them.
        """
        rows = self._file
        if rows.labels is None or task_of(self._model) != "classify":
            raise DataError("Answers are tested for classifiers, on a file of labelled texts.")
        return diagnosed(self._model, rows)

    @property
    def _file(self) -> Rows:
        if self._rows is None:
            raise DataError("The lab was started without a file: start it with --test FILE.")
        return self._rows

    @property
    def _labels(self) -> Sequence[Any] | None:
        labels = self._file.labels
        if labels is None or task_of(self._model) != "classify":
            return None
        return [label if isinstance(label, str) else _joined(label) for label in labels]

    def _walked(self, layer: int) -> States:
        """The states of a layer over the file; those of the last one asked for are kept."""
        self._check(layer)
        with self._lock:
            if self._states is None or self._states[0] != layer:
                self._states = layer, states(self._model, self._file.texts, layer)
            return self._states[1]

    @cached_property
    def _layers(self) -> Sequence[Trace]:
        """Layers and their directions, of no text in particular."""
        return explain(self._model, "").layers

    def _check(self, layer: int) -> None:
        count = len(self._layers)
        if layer >= count:
            raise DataError(f"The model has {count} layers and directions. Got number {layer}.")

    def _so_far(self, found: Explanation) -> Any:
        """Of a classifier: the probabilities of all labels, had the text ended with each word."""
        if found.task != "classify":
            return None
        running = found.arrays["running"][1:]
        return plain(self._model.fitted().labels.probabilities(running))

    def _given(self, found: Explanation) -> list[str]:
        """The labels of a classifier's answer."""
        if found.task != "classify":
            return []
        labels = self._model.fitted().labels
        given = labels.named(labels.decide(found.arrays["probabilities"][None]))[0]
        return [str(label) for label in (given if labels.multiple else [given])]


def _joined(label: Any) -> str:
    return " | ".join(map(str, label)) if isinstance(label, tuple) else str(label)

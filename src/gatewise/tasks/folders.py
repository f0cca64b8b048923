"""What every task does with the folder that it is read from: believe nothing unchecked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gatewise import options
from gatewise.errors import ModelFileError, OptionError
from gatewise.store import ModelFolder

M = TypeVar("M")


def model_of(task: type[M], folder: ModelFolder) -> M:
    """A model, not yet fitted, with the options of a folder.

    Raises:
        ModelFileError: an option is missing, unknown, not allowed or without a value.
    """
    place = f"{folder.path}/config.json"
    wanted = options.values(task()).keys()
    if folder.options.keys() != wanted:
        odd = sorted(folder.options.keys() ^ wanted)[0]
        problem = "is missing" if odd in wanted else "is not known"
        raise ModelFileError(f"{place}: the option {odd!r} {problem}.")
    try:
        model: M = options.build(task, folder.options)
    except OptionError as error:
        raise ModelFileError(f"{place}: {error}") from None
    unresolved = [name for name, value in folder.options.items() if value is None]
    if unresolved:
        raise ModelFileError(f"{place}: {unresolved[0]!r} has no value.")
    return model


def weights_of(
    folder: ModelFolder, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, NDArray[np.float32]]:
    """The arrays of a folder, which must be those of `shapes` and no others.

    Raises:
        ModelFileError: one is missing, has another shape or is not known.
    """
    weights = {name: folder.array(name, shape) for name, shape in shapes.items()}
    unknown = sorted(folder.weights.keys() - weights.keys())
    if unknown:
        raise ModelFileError(
            f"{folder.path}/weights.safetensors holds {unknown[0]!r}, which this model does not "
            "have."
        )
    return weights

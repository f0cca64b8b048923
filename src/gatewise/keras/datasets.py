"""The data sets of keras.datasets by name: each says that Gatewise downloads nothing."""

from __future__ import annotations

from typing import Any, NoReturn

from gatewise.errors import DataError


class _Elsewhere:
    """A data set that Keras would download."""

    def __init__(self, name: str) -> None:
        self._name = name

    def load_data(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse.

        Raises:
            DataError: always.
        """
        raise DataError(
            f"keras.datasets.{self._name} would be downloaded, and Gatewise downloads nothing. Get "
            "the data set yourself and read it from a file, for instance with "
            "gatewise.data.tables.open_table, then number its words with Tokenizer."
        )

    get_word_index = get_label_names = load_data


boston_housing = _Elsewhere("boston_housing")
california_housing = _Elsewhere("california_housing")
cifar10 = _Elsewhere("cifar10")
cifar100 = _Elsewhere("cifar100")
fashion_mnist = _Elsewhere("fashion_mnist")
imdb = _Elsewhere("imdb")
mnist = _Elsewhere("mnist")
reuters = _Elsewhere("reuters")

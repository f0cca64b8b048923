"""Pretrained word vectors in the text format of GloVe, word2vec and fastText.

One token and its numbers a line, separated by spaces; a first line of two numbers, count and
size, may stand before. Plain, .gz, or .zst.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from gatewise.errors import DataError

_LONGEST_LINE = 1 << 20  # bytes; a line without an end must not fill the memory
_LARGEST_SIZE = 10_000  # numbers of a vector


def read_vectors(
    path: str | Path, vocabulary: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The vectors of the tokens of a vocabulary.

    A token that the file does not hold takes the vector of its lower-case form, if that is
    there, or else the first vector whose token is equal to it in lower case. The file is read
    once, line by line.

    Returns:
        matrix (V, E) float32 with zeros where nothing was found, and found (V,).

    Raises:
        DataError: the file is missing or a line of it is not a token and E finite numbers.
    """
    name = Path(path).name
    alike: dict[str, list[int]] = {}
    for row, token in enumerate(vocabulary):
        alike.setdefault(token.lower(), []).append(row)
    # How far from the token what was found is: 0 itself, 1 its lower case, 2 other upper case.
    distance = np.full(len(vocabulary), 3)
    matrix = None
    for number, token, words in _entries(Path(path)):
        if matrix is None:
            matrix = np.zeros((len(vocabulary), len(words)), np.float32)
        vector = None
        for row in alike.get(token.lower(), []):
            wanted = vocabulary[row]
            offer = 0 if token == wanted else 1 if token == wanted.lower() else 2
            if offer < distance[row]:
                vector = _numbers(name, number, words) if vector is None else vector
                matrix[row], distance[row] = vector, offer
    if matrix is None:
        raise DataError(f"{name} holds no vectors.")
    return matrix, distance < 3


def vector_size(path: str | Path) -> int:
    """How many numbers the vectors of a file have.

    Raises:
        DataError: the file is missing, empty, or its first line is not a token and its numbers.
    """
    for _, _, words in _entries(Path(path)):
        return len(words)
    raise DataError(f"{Path(path).name} holds no vectors.")


def first_tokens(path: str | Path, count: int) -> list[str]:
    """The first tokens of a file of vectors, `count` at most; in most files the most frequent.

    Raises:
        DataError: the file is missing or a line of it is not a token and its numbers.
    """
    return [token for _, token, _ in islice(_entries(Path(path)), count)]


def _entries(path: Path) -> Iterator[tuple[int, str, list[str]]]:
    """Of every line that has a vector its number, its token and the E numbers, unread."""
    name, size = path.name, 0
    for number, line in _lines(path):
        words = line.split(" ")
        header = number == 1 and len(words) == 2 and all(map(_is_count, words))
        if size == 0:
            size = int(words[1]) if header else _size_of_first(name, number, words)
            if not 1 <= size <= _LARGEST_SIZE:
                raise DataError(
                    f"{name}, line {number}: vectors of 1 to {_LARGEST_SIZE} numbers were "
                    f"expected. Got {size}."
                )
        if not header:
            yield number, _token(name, number, words, size), words[-size:]


def _size_of_first(name: str, number: int, words: list[str]) -> int:
    """Length of the vectors: how many words of the first line, from the right, are numbers."""
    size = 0
    for word in reversed(words[1:]):
        if not _is_number(word):
            break
        size += 1
    if size == 0:
        raise DataError(
            f"{name}, line {number}: a token and its numbers were expected, separated by spaces. "
            f"Got {' '.join(words)[:60]!r}."
        )
    return size


def _token(name: str, number: int, words: list[str], size: int) -> str:
    """The token of a line, which may hold spaces itself: the last `size` words are the numbers."""
    if len(words) <= size:
        raise DataError(
            f"{name}, line {number}: {len(words) - 1} numbers, but the lines before have {size}."
        )
    if len(words) == size + 1:
        return words[0]
    if all(map(_is_number, words[1:])):
        raise DataError(
            f"{name}, line {number}: {len(words) - 1} numbers, but the lines before have {size}."
        )
    return " ".join(words[:-size])


def _numbers(name: str, number: int, words: list[str]) -> NDArray[np.float32]:
    try:
        with np.errstate(over="ignore"):  # a number too large becomes infinite, and is found below
            vector = np.array(words, np.float32)
    except ValueError:
        wrong = next(word for word in words if not _is_number(word))
        raise DataError(f"{name}, line {number}: {wrong[:40]!r} is not a number.") from None
    if not np.isfinite(vector).all():
        raise DataError(f"{name}, line {number}: a number is NaN or infinite.")
    return vector


def _is_count(word: str) -> bool:
    return word.isdecimal() and len(word) < 12


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and content of every line that is not empty."""
    try:
        with contextlib.ExitStack() as stack:
            file = _open(path, stack)
            number = 0
            while line := file.readline(_LONGEST_LINE):
                number += 1
                if len(line) == _LONGEST_LINE:
                    raise DataError(
                        f"{path.name}, line {number}: longer than {_LONGEST_LINE:,} bytes. This is "
                        "not a text file of vectors."
                    )
                # Tokens that are not UTF-8 occur in real files; they match no vocabulary.
                text = line.decode("utf-8", "replace").rstrip().replace("\t", " ")
                if text:
                    yield number, text
    except _faults() as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{path} cannot be read: {cause}.") from error


def _faults() -> tuple[type[Exception], ...]:
    """The errors of a file that cannot be opened, read or unpacked."""
    faults = (OSError, EOFError, zlib.error)
    try:
        import zstandard  # noqa: PLC0415 (an optional package)
    except ImportError:
        return faults
    return (*faults, zstandard.ZstdError)


def _open(path: Path, stack: contextlib.ExitStack) -> IO[bytes] | gzip.GzipFile:
    if path.suffix == ".gz":
        return stack.enter_context(gzip.open(path, "rb"))
    file = stack.enter_context(path.open("rb"))
    if path.suffix != ".zst":
        return file
    try:
        import zstandard  # noqa: PLC0415 (an optional package)
    except ImportError:
        raise DataError(
            f"{path.name} is compressed with Zstandard, which needs a package that is not "
            "installed. Install it with: pip install zstandard"
        ) from None
    reader = stack.enter_context(zstandard.ZstdDecompressor().stream_reader(file))
    return io.BufferedReader(reader)

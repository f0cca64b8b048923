"""Every error that Gatewise raises on purpose.

    GatewiseError
    ├── OptionError        an option has a value that is not allowed
    ├── DataError          a table or text cannot be used as it is
    ├── ModelFileError     a model folder is missing, damaged, hostile or too new
    ├── TrainingError      a training run could not be brought to a useful end
    ├── NotFittedError     an answer was asked of a model that has learned nothing yet
    └── MissingExtraError  a part of Gatewise that is not installed was asked for

The message is one sentence shape everywhere: which, whose, what is allowed, what came, what to
do. The command line prints it on one line and exits with status 2; any traceback is a bug.
"""

from importlib.util import find_spec


class GatewiseError(Exception):
    """Base of all errors that a user can cause and mend."""


class OptionError(GatewiseError, ValueError):
    """An option has a value that is not allowed."""


class DataError(GatewiseError, ValueError):
    """A table or a text cannot be used as it is."""


class ModelFileError(GatewiseError, ValueError):
    """A model folder is missing, damaged, hostile or written by a newer version."""


class TrainingError(GatewiseError, RuntimeError):
    """A training run could not be brought to a useful end."""


class NotFittedError(GatewiseError, RuntimeError):
    """An answer was asked of a model that has learned nothing yet."""


class MissingExtraError(GatewiseError, ImportError):
    """A part of Gatewise that is not installed was asked for."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs packages that are not installed. "
            f"Install them with: pip install 'gatewise[{extra}]'"
        )


def need(what: str, extra: str, *packages: str) -> None:
    """Refuse to begin what could not be brought to its end; nothing is imported.

    Args:
        what: needs the packages, to begin a sentence with.
        extra: of Gatewise, which brings them.
        packages: as they are imported.

    Raises:
        MissingExtraError: one of them is not installed.
    """
    if not all(map(find_spec, packages)):
        raise MissingExtraError(what, extra)

"""The lab: a page on this machine where one sees what a model does with a sentence.

`rows.py`, `states.py`, `units.py` and `diagnosis.py` make what is shown, `models.py` puts it
together for one model, `app.py` gives it addresses, and `page/` is the page itself: plain files, no
build step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gatewise.errors import need
from gatewise.lab.rows import Rows

__all__ = ["Rows", "serve"]


def serve(
    models: Sequence[tuple[str, Any]],
    rows: Rows | None,
    port: int,
    started: Callable[[str], None],
) -> None:
    """Show one or two fitted models until Ctrl-C.

    Args:
        models: what each is called, and the model.
        rows: texts of a file, perhaps with their labels.
        port: on the loopback address; 0 for any free one.
        started: is told the address of the page.

    Raises:
        MissingExtraError: the packages of the extra "serve" are not installed.
        OptionError: the port cannot be had.
    """
    need("The lab", "serve", "starlette", "uvicorn")
    from gatewise.lab.app import lab_app  # noqa: PLC0415 - brings them
    from gatewise.lab.models import Shown  # noqa: PLC0415
    from gatewise.serve.listening import LOOPBACK, listen, run  # noqa: PLC0415

    with listen(port) as listening:
        app = lab_app([Shown(name, model, rows) for name, model in models], rows)
        started(f"http://{LOOPBACK}:{listening.getsockname()[1]}/")
        run(app, listening)

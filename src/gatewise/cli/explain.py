"""`gatewise explain`: what a model of any task does with the words of a text, without PyTorch."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from gatewise import explanation
from gatewise.cli.checks import check_png
from gatewise.cli.flags import Answering, AnsweringFlags
from gatewise.cli.terminal import say, say_json
from gatewise.data.writing import write_file
from gatewise.explanation.html import page
from gatewise.explanation.picture import drawn
from gatewise.explanation.terminal import show


def explain(
    model: str,
    text: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    label: str | None = None,
    json: bool = False,
    html: str | None = None,
    png: str | None = None,
    answering: Annotated[AnsweringFlags | None, Parameter(name="*")] = None,
) -> None:
    """Show what a model does with the words of a text: gates, states, and what each word counts.

    Coloured words and tables, or what the flags ask for.

    Args:
        model: The model folder.
        text: The text.
        label: Of a classifier, the label to explain. By default the likeliest.
        json: Print all numbers as JSON, those of every unit among them.
        html: Page to write, in one file that needs nothing else.
        png: Picture to write.
    """
    check_png(png)
    fitted = (answering or Answering()).load(model, "explain")
    names = {str(name): name for name in getattr(fitted, "labels_", ())}
    found = explanation.explain(fitted, text, label=names.get(label, label) if label else None)
    if html is not None:
        write_file(html, page(found))
        say(f"The page is {html}.")
    if png is not None:
        write_file(png, drawn(found))
        say(f"The picture is {png}.")
    if json:
        say_json(found.as_json())
    elif html is None and png is None:
        show(found)

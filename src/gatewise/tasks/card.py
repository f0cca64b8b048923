"""What every model folder holds for people: a card in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from gatewise.data.problems import many
from gatewise.tasks.report import TrainingReport

MOST_NAMES = 40
"""Labels up to which every one is named."""


class Description(NamedTuple):
    """What a model is, what it does in a sentence, and lines of Python that ask `model`."""

    title: str
    does: str
    calls: tuple[str, ...]


def card(
    description: Description,
    report: TrainingReport,
    options: Mapping[str, Any],
    pictures: Iterable[str] = (),
) -> str:
    """The card: what a model does, how good it is, how to use it.

    Args:
        description: of the model.
        report: of its training.
        options: by name.
        pictures: file names of the report's pictures, which are shown under it.
    """
    chosen = "\n".join(f"| `{name}` | {value} |" for name, value in options.items())
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    asked, training = "\n".join(description.calls), report.training
    drawn = "\n".join(f"![{_caption(name)}]({name})" for name in pictures)
    shown = f"\n{drawn}\n" if drawn else ""
    return f"""# {description.title}

{description.does}

```python
from gatewise import load
model = load("path/to/this/folder")
{asked}
```

## Report

```
{report}
```
{shown}
## Options

| option | value |
|---|---|
{chosen}

Trained with seed {training.seed} and {many(training.threads, "thread")} in
{training.precision} on data with the fingerprint `{report.data}`, by {versions}.
"""


def _caption(name: str) -> str:
    return name.removesuffix(".png").replace("_", " ").capitalize()


def listed(names: Sequence[Any]) -> str:
    """The first of many names."""
    told = ", ".join(f"`{name}`" for name in names[:MOST_NAMES])
    return f"{told}, …" if len(names) > MOST_NAMES else told

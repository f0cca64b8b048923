"""What every model folder holds for people: a card in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gatewise.data.problems import many
from gatewise.tasks.report import TrainingReport

MOST_NAMES = 40
"""Labels up to which every one is named."""


def card(
    title: str,
    does: str,
    calls: Sequence[str],
    report: TrainingReport,
    options: Mapping[str, Any],
    pictures: str = "",
) -> str:
    """The card: what a model does, how good it is, how to use it.

    Args:
        title: what it is.
        does: a sentence.
        calls: lines of Python that ask `model`.
        report: of its training.
        options: by name.
        pictures: of the report, in Markdown.
    """
    chosen = "\n".join(f"| `{name}` | {value} |" for name, value in options.items())
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    asked, training = "\n".join(calls), report.training
    shown = f"\n{pictures}\n" if pictures else ""
    return f"""# {title}

{does}

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


def listed(names: Sequence[Any]) -> str:
    """The first of many names."""
    told = ", ".join(f"`{name}`" for name in names[:MOST_NAMES])
    return f"{told}, …" if len(names) > MOST_NAMES else told

"""What the folder of a tagger holds for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatewise.tasks.tag.report import Report

MOST_TAGS = 40
"""Tags up to which the card names every one."""


def model_card(report: Report, options: Mapping[str, Any], tags: tuple[str, ...]) -> str:
    """The model card, in Markdown: what it does, how good it is, how to use it."""
    chosen = "\n".join(f"| `{name}` | {value} |" for name, value in options.items())
    listed = ", ".join(f"`{tag}`" for tag in tags[:MOST_TAGS])
    listed += ", …" if len(tags) > MOST_TAGS else ""
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    return f"""# Tagger

Gives every token of a sentence one of {len(tags)} tags: {listed}.

```python
from gatewise import load
model = load("path/to/this/folder")
model.predict([["…", "…"]])
```

## Report

```
{report}
```

## Options

| option | value |
|---|---|
{chosen}

Trained with seed {report.training.seed} and {report.training.threads} threads in
{report.training.precision} on data with the fingerprint `{report.data}`, by {versions}.
"""

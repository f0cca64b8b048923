"""What the folder of a text-to-text model holds for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatewise.tasks.seq2seq.report import Report


def model_card(report: Report, options: Mapping[str, Any]) -> str:
    """The model card, in Markdown: what it does, how good it is, how to use it."""
    chosen = "\n".join(f"| `{name}` | {value} |" for name, value in options.items())
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    return f"""# Text to text

Answers a text with a text, as it learned from pairs.

```python
from gatewise import load
model = load("path/to/this/folder")
model.predict(["…"])
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

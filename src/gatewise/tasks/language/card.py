"""What the folder of a language model holds for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatewise.tasks.language.report import Report


def model_card(report: Report, options: Mapping[str, Any]) -> str:
    """The model card, in Markdown: what it does, how good it is, how to use it."""
    chosen = "\n".join(f"| `{name}` | {value} |" for name, value in options.items())
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    return f"""# Language model

Says which token comes next, writes text, and says how likely a text is.

```python
from gatewise import load
model = load("path/to/this/folder")
model.next("…")
model.generate("…")
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

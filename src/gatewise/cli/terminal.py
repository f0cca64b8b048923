"""What people read on the terminal: nothing of foreign origin reaches it unescaped."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from gatewise.data.problems import shown, without_controls


def say(text: object) -> None:
    """Print lines on standard output."""
    print(_safe(text))


def say_json(found: Any) -> None:
    """Print a line of JSON on standard output."""
    print(json.dumps(found, ensure_ascii=False))


def write(text: str) -> None:
    """Write a part of a text on standard output at once, with its line breaks and tabs."""
    sys.stdout.write(re.sub(r"[^\n\t]+", lambda part: without_controls(part[0]), text))
    sys.stdout.flush()


def tell(kind: str, text: object) -> None:
    """Write a line such as "warning: …" on standard error."""
    sys.stderr.write(f"{kind}: {_safe(text)}\n")


def _safe(text: object) -> str:
    """The lines of a text with all else escaped that could steer a terminal or hide in it."""
    return "\n".join(shown(line, len(line)) for line in str(text).split("\n"))

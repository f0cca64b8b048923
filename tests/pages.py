"""The code on a page of the docs, run as its reader would run it, and what the page says it prints.

Python blocks of a page are one session; blocks without a language hold commands. A block of kind
`text` tells what the block before it prints: all of it, or some of its lines in their order.
Numbers may differ a little, since they come from training: other processors round otherwise.

To write what a page prints now into it, with its pictures, run in an empty folder, lesson 1 first:

    python tests/pages.py docs/lessons/1-order.md
"""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
CLOSE = 0.1
"""Numbers may differ by this share of the greater one, or by this much where they are below 1."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its kind is the word behind the fence."""

    kind: str
    text: str
    line: int


def blocks(page: Path, kind: str | None = None) -> list[Block]:
    """Those of a kind, or all of them, also inside `<details>`."""
    content = page.read_text("utf-8")
    return [
        Block(found[1], found[2], content.count("\n", 0, found.start()) + 1)
        for found in re.finditer(r"^```(\w*)\n(.*?)^```", content, re.M | re.S)
        if kind in (None, found[1])
    ]


class Session:
    """A reader of one page, who types its blocks in the current folder, one after the other."""

    def __init__(self, page: Path) -> None:
        self.page = page
        self.names: dict[str, Any] = {"__name__": "__main__"}
        """What the Python blocks have defined."""

    def run(self, *, write: bool = False) -> None:
        """All blocks; with `write` the page then shows what they print now.

        Raises:
            AssertionError: a command fails, or the page says that something else is printed.
        """
        printed = ""
        for block in blocks(self.page):
            place = f"{self.page.name}, line {block.line}"
            if block.kind == "python":
                out = io.StringIO()
                with contextlib.redirect_stdout(out):
                    exec(compile(block.text, place, "exec"), self.names)  # noqa: S102 - our own
                printed = out.getvalue()
            elif block.kind == "":
                printed = "".join(map(command, block.text.splitlines()))
            elif block.kind == "text" and write:
                self._show(block, refreshed(block.text, printed))
            elif block.kind == "text":
                missing = unlike(block.text, printed)
                assert missing is None, f"{place} shows\n{missing}\nPrinted was\n{printed}"

    def _show(self, block: Block, text: str) -> None:
        content, fence = self.page.read_text("utf-8"), "```text\n{}```"
        changed = content.replace(fence.format(block.text), fence.format(text), 1)
        self.page.write_text(changed, "utf-8")


def command(line: str) -> str:
    """What a command prints, on either stream; one that is refused ends with a sentence."""
    typed = re.sub(r"(^|\| )gatewise ", rf"\1{sys.executable} -m gatewise ", line)
    done = subprocess.run(["bash", "-c", typed], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 2), f"{line}\n{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr + done.stdout


def unlike(shown: str, printed: str) -> str | None:
    """The first line that is shown and was not printed behind those before it, if there is one."""
    lines = iter(printed.splitlines())
    for line in shown.splitlines():
        if line.strip() and not any(alike(line, other) for other in lines):
            return line
    return None


def alike(shown: str, printed: str) -> bool:
    """Whether two lines have the same words, and numbers that are close."""
    one, other = ([float(n.replace(",", "")) for n in NUMBER.findall(x)] for x in (shown, printed))
    return words(shown) == words(printed) and all(
        abs(a - b) <= CLOSE * max(1, abs(a), abs(b)) for a, b in zip(one, other, strict=True)
    )


def words(line: str) -> list[str]:
    """What stands in a line, whatever its numbers."""
    return NUMBER.sub("#", line).split()


def refreshed(shown: str, printed: str) -> str:
    """The shown lines as they are printed now; all that is printed where none are shown yet."""
    lines, found = iter(printed.splitlines()), []
    for line in shown.splitlines():
        same = (other.rstrip() for other in lines if words(other) == words(line))
        found.append(next(same, line) if line.strip() else line)
    return "\n".join(found) + "\n" if shown.strip() else printed


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Session(Path(name)).run(write=True)

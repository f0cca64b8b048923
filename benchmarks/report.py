"""Tables of the benchmarks as plain text, Markdown and JSON, with the machine they were made on."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import textwrap
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import gatewise
from gatewise import kernels

PEERS = ("torch", "keras", "jax", "onnxruntime")


@dataclass(frozen=True)
class Table:
    """A table of cells that are ready to print; the first column names the row."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)

    def as_text(self) -> str:
        """The table in columns of equal width."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[at]) for line in lines) for at in range(len(self.columns))]
        drawn = [
            "  ".join(
                cell.rjust(width) if at else cell.ljust(width)
                for at, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in lines
        ]
        return "\n".join([self.title, "", *drawn, "", *self.notes, ""])

    def as_markdown(self) -> str:
        """The table as the documentation holds it."""
        lines = [self.columns, ["---", *["---:"] * (len(self.columns) - 1)], *self.rows]
        drawn = ["| " + " | ".join(line) + " |" for line in lines]
        notes = [line for note in self.notes for line in (wrapped(note), "")]
        return "\n".join([f"**{self.title}**", "", *drawn, "", *notes])


def counted(threads: int) -> str:
    """1 thread, 2 threads."""
    return f"{threads} thread" + "s" * (threads > 1)


def wrapped(paragraph: str) -> str:
    """A paragraph in lines as long as the documentation's."""
    return textwrap.fill(paragraph, 104)


def machine(threads: int) -> str:
    """One paragraph about the processor and the versions."""
    described = kernels.describe()
    versions = [f"gatewise {gatewise.__version__}"]
    for peer in PEERS:
        try:
            versions.append(f"{peer} {metadata.version(peer)}")
        except metadata.PackageNotFoundError:
            versions.append(f"{peer} not installed: left out")
    return (
        f"{_processor()}, {os.cpu_count()} cores, {counted(threads)} used, "
        f"kernel {described['in_use']}; {platform.system()}, Python {platform.python_version()}, "
        f"{', '.join(versions)}."
    )


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    if told.exists():
        names = re.findall(r"model name\s*: (.*)", told.read_text("utf-8"))
        if names:
            return str(names[0])
    return platform.processor() or platform.machine()


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The options that all benchmarks share."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=kernels.default_threads())
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--json", type=Path, help="write tables and all single times here")
    parser.add_argument("--write", type=Path, help="put the tables in their place in this page")
    return parser


def publish(
    name: str, tables: list[Table], times: dict[str, Any], chosen: argparse.Namespace
) -> None:
    """Print the tables and write them where the options say.

    The place of a benchmark in a page is between the lines `<!-- name -->` and `<!-- /name -->`.
    """
    about = machine(chosen.threads)
    markdown = "\n".join([wrapped(about), "", *(table.as_markdown() for table in tables)])
    text = "\n".join([about, "", *(table.as_text() for table in tables)])
    print("\n" + (markdown if chosen.markdown else text))
    if chosen.json:
        found = {"machine": about, "tables": [asdict(table) for table in tables], "times": times}
        chosen.json.write_text(json.dumps(found, indent=1), "utf-8")
    if chosen.write:
        first, last = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, _, rest = chosen.write.read_text("utf-8").partition(first)
        _, found_last, after = rest.partition(last)
        if not found_last:
            raise SystemExit(f"{chosen.write} has no lines {first.strip()} and {last}.")
        chosen.write.write_text(before + first + markdown + last + after, "utf-8")

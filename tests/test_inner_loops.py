"""The innermost loops of the kernel's products keep their sums in registers.

A sum that the compiler puts on the stack in such a loop halves the speed and changes no result, so
no other test would notice.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from gatewise.kernels.machine import compiled

# Of each kind of product, by the instruction and the registers of the sums: how many a loop over a
# whole tile has. Such a loop must be found.
TILES = {
    "x86_64": {
        ("vfmadd231ps", "ymm"): 12,
        ("vfmadd231ps", "zmm"): 24,
        ("vdpbf16ps", "zmm"): 24,
        ("vpdpbusd", "zmm"): 24,
        ("tdpbf16ps", "tmm"): 4,
    },
    "aarch64": {("fmla", "v"): 24},
}
# What multiplies, and what else such a loop may do with vectors: load, copy, spread one value. SSE2
# is left out: without a joint multiplication and addition, a tile lacks a seventeenth register.
PRODUCT = re.compile(r"(vfn?m\w+ps|vdpbf16ps|vpdpbusd|tdp\w+|fmla)\b")
HARMLESS = re.compile(
    r"(v?(mov|p?broadcast|shufps|unpck|pshuf|perm|p?xor)\w*|tileload\w*|ld\w*|st\w*|mov\w*|dup)\b"
)
REGISTER = re.compile(r"%(xmm|ymm|zmm|tmm)\d|\b([vq])\d+\b")
JUMP = re.compile(r"(j\w+|b\.\w+|cbn?z|tbn?z)\s.*?\b([0-9a-f]+)(?:\s+<.*)?$")
# The end of a loop may wait on the stack: comparing with it costs nothing beside the products.
STACK = re.compile(r"(?!cmp).*(\(%rsp|-0x[0-9a-f]+\(%rbp\)|\[sp\b|\[x29, #-)")


@dataclass(frozen=True)
class Loop:
    instructions: tuple[str, ...]

    @property
    def products(self) -> Counter[tuple[str, str]]:
        """How many products of which kind."""
        found: Counter[tuple[str, str]] = Counter()
        for instruction in self.instructions:
            if PRODUCT.match(instruction):
                register = [a or b for a, b in REGISTER.findall(instruction)][-1 if X86 else 0]
                name = re.sub(r"^vfmadd\d+", "vfmadd231", instruction.split()[0])
                found[name, register] += 1
        return found

    @property
    def is_product(self) -> bool:
        """Whether it multiplies what it reads and does nothing else with vectors, as cells do."""
        return any("(" in text or "[" in text for text in self.instructions) and all(
            PRODUCT.match(instruction) or HARMLESS.match(instruction)
            for instruction in self.instructions
            if REGISTER.search(instruction)
        )


X86 = platform.machine() == "x86_64"


def disassembled() -> list[tuple[int, str]]:
    run = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", compiled.__file__],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.findall(r"^ *([0-9a-f]+):\t(.*?) *(?:(?:#|//).*)?$", run.stdout, re.MULTILINE)
    return [(int(address, 16), instruction) for address, instruction in found]


def innermost_loops(code: list[tuple[int, str]]) -> Iterator[Loop]:
    """From the target of every backward jump to the jump, if no other one lies between."""
    places = {address: place for place, (address, _) in enumerate(code)}
    last_start = -1
    for place, (address, instruction) in enumerate(code):
        jump = JUMP.match(instruction)
        if jump is None or int(jump[2], 16) > address:
            continue
        start = places.get(int(jump[2], 16), -1)
        if start > last_start:
            yield Loop(tuple(text for _, text in code[start : place + 1]))
        last_start = max(last_start, start)


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in TILES or not shutil.which("objdump"),
    reason="Reads what objdump says of x86-64 or ARM code on Linux.",
)
def test_products_touch_no_stack() -> None:
    loops = [
        loop
        for loop in innermost_loops(disassembled())
        if loop.products.total() > 1 and loop.is_product
    ]
    seen = Counter(kind for loop in loops for kind in loop.products.items())
    for kind in TILES[platform.machine()].items():
        assert kind in seen, (kind, seen)
    for loop in loops:
        assert not any(STACK.match(text) for text in loop.instructions), "\n".join(
            loop.instructions
        )

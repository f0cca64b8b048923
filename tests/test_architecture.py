"""Who may import whom: see docs/architecture.md."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import gatewise
import gatewise.nn

PACKAGE = Path(gatewise.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
)
FLOORS = [
    {"__init__", "errors"},
    {"options", "cells", "pictures"},
    {"ragged", "samples"},
    {"shapes", "kernels", "store", "text", "chains"},
    {"nn", "encoder", "decoding", "data", "baselines", "evaluation", "calibration"},
    {"training"},
    {"tasks"},
    {"explanation", "compare", "memory", "keras", "serve"},
    {"lab"},
    {"cli", "__main__"},
]
TORCH = (
    "compare.learning",
    "compare.peers",
    "memory",
    "nn",
    "keras",
    "training",
    "tasks.classify.network",
    "tasks.classify.fit",
    "tasks.classify.scoring",
    "tasks.transfer",
    "tasks.tag.network",
    "tasks.tag.fit",
    "tasks.tag.learning",
    "tasks.tag.refit",
    "tasks.language.network",
    "tasks.language.fit",
    "tasks.seq2seq.network",
    "tasks.seq2seq.fit",
)


def home(module: str) -> str:
    """The room of the house that a module is in."""
    return module.partition(".")[0]


def floor(room: str) -> int:
    """The floor of a room; a room that stands on none fails the test."""
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def imports(module: str) -> set[str]:
    """The modules that a module names in any import, type checking aside."""
    parts = module.split(".")
    path = PACKAGE.joinpath(*parts).with_suffix(".py")
    path = path if path.exists() else PACKAGE.joinpath(*parts, "__init__.py")
    tree = ast.parse(path.read_text("utf-8") if module != "__init__" else "")
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            assert node.module is not None
            found |= {node.module}
            if node.module == "gatewise":
                found |= {f"gatewise.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    assert floor(home(module)) >= 0
    for name in imports(module):
        if not name.startswith("gatewise."):
            continue
        target = home(name.removeprefix("gatewise."))
        if target in ("__version__", home(module)) or home(module) == "__main__":
            continue
        assert floor(target) < floor(home(module)), f"{module} may not import {name}"


def test_no_modules_need_each_other() -> None:
    needs = {
        module: {name.removeprefix("gatewise.") for name in imports(module)} & {*MODULES}
        for module in MODULES
        if module != "__init__"
    }
    packages = {module.rpartition(".")[0] for module in MODULES}  # they name what is in them
    while free := {m for m, others in needs.items() if not others - packages & needs.keys()}:
        needs = {m: others - free for m, others in needs.items() if m not in free}
    assert not needs, f"in or above a circle: {sorted(needs)}"


@pytest.mark.parametrize("module", MODULES)
def test_only_training_knows_torch(module: str) -> None:
    knows = any(name.split(".")[0] == "torch" for name in imports(module))
    assert not knows or module.startswith(TORCH), f"{module} may not import torch"


def test_public_names_are_all_importable() -> None:
    for package in (gatewise, gatewise.nn):
        for name in (*package.__all__, *package._HOMES):
            assert getattr(package, name) is not None
            assert name in dir(package)
    assert set(gatewise._HOMES) - {"accelerate"} | {"__version__"} == set(gatewise.__all__)


def test_all_public_names_at_once_need_no_torch() -> None:
    code = "import sys; sys.modules['torch'] = None\nfrom gatewise import *\nTextClassifier"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_torch_s_modules_are_listed_before_they_are_used() -> None:
    code = (
        "import sys; from gatewise import nn\n"
        "assert {'GRU', 'LSTM', 'RNN', 'RaggedTensor', 'runs_on'} <= set(dir(nn))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_answering_imports_neither_torch_nor_the_training_extra() -> None:
    code = (
        "import sys, gatewise, gatewise.tasks, gatewise.tasks.classify.task, gatewise.cli.answer\n"
        "import gatewise.cli.classify, gatewise.cli.tag, gatewise.tasks.tag.task\n"
        "import gatewise.tasks.language.task, gatewise.cli.language, gatewise.explanation\n"
        "import gatewise.cli.lab\n"
        "heavy = {'torch', 'sklearn', 'duckdb', 'matplotlib', 'scipy', 'starlette', 'uvicorn'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_gatewise_is_light() -> None:
    code = (
        "import sys; before = set(sys.modules); import gatewise\n"
        "new = {name for name in set(sys.modules) - before if not name.startswith('gatewise')}\n"
        "assert 'numpy' not in new and 'tokenizers' not in new, new"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_module_loads_code_or_pickles() -> None:
    banned = {"pickle", "marshal", "shelve", "joblib", "dill"}
    for module in MODULES:
        assert not {name.split(".")[0] for name in imports(module)} & banned, module


def test_the_compiled_kernels_are_there() -> None:
    assert find_spec("gatewise._kernel") is not None
